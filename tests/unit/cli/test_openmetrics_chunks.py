from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.cli.openmetrics_chunks import MAX_LINE_BYTES, Chunk, read_chunks
from vedette.model.errors import ConfigError

TEXT = b"""\
# HELP a_total Some help.
# TYPE a_total counter
a_total{x="1"} 1 1000
a_total{x="2"} 2 1000
# TYPE b gauge
# UNIT b bytes
b 1 1000
b 2 1060
c 3 1000
# EOF
"""


def cut(text: bytes, size: int) -> list[Chunk]:
    return list(read_chunks(io.BytesIO(text), "f.om", chunk_bytes=size))


def samples(chunks: list[Chunk]) -> list[bytes]:
    return [line for chunk in chunks for line in chunk.body.splitlines() if line and not line.startswith(b"#")]


def test_a_small_file_is_one_piece() -> None:
    assert [chunk.body for chunk in cut(TEXT, 1 << 20)] == [TEXT]


def test_a_family_goes_on_in_the_next_piece_behind_its_metadata() -> None:
    size = TEXT.index(b'a_total{x="2"}')

    second = cut(TEXT, size)[1]

    assert second.body.startswith(b'# HELP a_total Some help.\n# TYPE a_total counter\na_total{x="2"} 2 1000\n')
    assert (second.first_line, second.carried_lines) == (4, 2)


@given(st.integers(1, len(TEXT) + 10))
def test_whatever_the_size_every_sample_comes_once_in_its_order(size: int) -> None:
    chunks = cut(TEXT, size)

    assert samples(chunks) == [line for line in TEXT.splitlines() if not line.startswith(b"#")]
    assert all(chunk.body.endswith(b"\n# EOF\n") for chunk in chunks)
    assert all(chunk.body.count(b"# EOF") == 1 for chunk in chunks)


@given(st.integers(1, len(TEXT) + 10))
def test_a_line_of_a_piece_is_found_in_the_file(size: int) -> None:
    lines = TEXT.decode().splitlines()

    for chunk in cut(TEXT, size):
        for number in range(chunk.carried_lines + 1, chunk.body.count(b"\n")):
            assert lines[chunk.line_in_file(number) - 1] == chunk.text_of(number)


@pytest.mark.parametrize("size", [10, 1 << 20])
def test_a_file_without_its_end_is_refused_once_its_whole_lines_are_out(size: int) -> None:
    pieces = read_chunks(io.BytesIO(b"a 1 1000\nb 2 1000"), "f.om", chunk_bytes=size)

    first = next(pieces)
    with pytest.raises(ConfigError, match="ends without `# EOF`") as caught:
        next(pieces)

    assert samples([first]) == [b"a 1 1000"]
    assert caught.value.at.line == 2


@pytest.mark.parametrize("size", [10, 1 << 20])
def test_something_behind_the_end_is_refused(size: int) -> None:
    with pytest.raises(ConfigError, match="something follows") as caught:
        cut(b"a 1 1000\n# EOF\nb 2 1000\n# EOF\n", size)

    assert caught.value.at.line == 2


def test_a_line_without_end_does_not_fill_memory() -> None:
    class Endless:
        given = 0

        def read(self, size: int, /) -> bytes:
            self.given += size
            return b"x" * size

    source = Endless()

    with pytest.raises(ConfigError, match="the line is longer"):
        list(read_chunks(source, "f.om", chunk_bytes=1 << 16))

    assert source.given < 2 * MAX_LINE_BYTES


def test_metadata_of_other_families_is_not_carried_along() -> None:
    text = b"".join(b"# TYPE family_%d gauge\n" % number for number in range(1000)) + b"# EOF\n"

    assert max(chunk.carried_lines for chunk in cut(text, 300)) == 1


def test_an_empty_exposition_has_no_pieces() -> None:
    assert cut(b"# EOF\n", 100) == []
