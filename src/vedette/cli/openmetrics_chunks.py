"""Cut an OpenMetrics text into pieces that stand for themselves.

A piece is a run of whole lines, behind the metadata lines of the family that it goes on with, and ends with `# EOF`.
Lines are counted, so that an error in a piece can be found in the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from vedette.model.errors import ConfigError, Location

CHUNK_BYTES: Final = 4 << 20
MAX_LINE_BYTES: Final = 1 << 20

_EOF: Final = b"# EOF"


class Source(Protocol):
    """Where bytes come from."""

    def read(self, size: int, /) -> bytes:
        """Up to so many bytes; none at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece.

    Attributes:
        body: as it is sent.
        first_line: number in the file, from 1, of the first line behind the carried ones.
        carried_lines: lines at its start that were in the piece before.
    """

    body: bytes
    first_line: int
    carried_lines: int

    def line_in_file(self, line: int) -> int:
        """Where a line of the piece stands in the file."""
        return max(self.first_line, self.first_line + line - 1 - self.carried_lines)

    def text_of(self, line: int) -> str:
        """A line of the piece."""
        lines = self.body.split(b"\n", line)
        return lines[line - 1].decode("utf-8", "replace") if 0 < line <= len(lines) else ""


def read_chunks(source: Source, name: str, *, chunk_bytes: int = CHUNK_BYTES) -> Iterator[Chunk]:
    """The pieces of a text.

    Args:
        source: the text.
        name: the file's, for errors.
        chunk_bytes: about as large as a piece may be.

    Raises:
        ConfigError: a line is too long, something follows `# EOF`, or it is missing.
    """
    rest, carried, line = b"", b"", 1
    while True:
        block = source.read(chunk_bytes)
        text = rest + block
        cut = len(text) if not block else text.rfind(b"\n") + 1
        whole, rest = text[:cut], text[cut:]
        if len(rest) > MAX_LINE_BYTES:
            at = Location(name, line + whole.count(b"\n"))
            raise ConfigError(at=at, problem=f"the line is longer than {MAX_LINE_BYTES:,} bytes", remedy=_NOT_THIS)
        end = _end_mark(whole)
        # Without its end the last line may be half a line, with another number than it should have.
        body = whole[: whole.rfind(b"\n") + 1 if end is None else end]
        if body.strip():
            yield Chunk(carried + body + _EOF + b"\n", line, carried.count(b"\n"))
        if end is not None:
            _check_nothing_follows(whole[end + len(_EOF) :] + rest, source, Location(name, line + body.count(b"\n")))
            return
        if not block:
            at = Location(name, line + whole.count(b"\n"))
            raise ConfigError(
                at=at,
                problem="the file ends without `# EOF`: it may have been cut short",
                remedy="What came before is stored. If the file is whole, add the line `# EOF` and import it again.",
            )
        carried = _open_family(whole) or carried
        line += whole.count(b"\n")


_NOT_THIS: Final = "Only OpenMetrics text can be imported, as it is or compressed with gzip."


def _end_mark(text: bytes) -> int | None:
    """Where the line `# EOF` begins."""
    if text.startswith(_EOF):
        return 0
    found = text.find(b"\n" + _EOF)
    return None if found < 0 else found + 1


def _check_nothing_follows(rest: bytes, source: Source, at: Location) -> None:
    if rest.strip() or source.read(1):
        raise ConfigError(
            at=at,
            problem="something follows `# EOF`",
            remedy="What came before is stored. Import files that were joined one by one.",
        )


def _open_family(text: bytes) -> bytes:
    """The metadata lines of the last family that has some."""
    last = max(text.rfind(b"\n# ") + 1, 0)
    if not text.startswith(b"# ", last):
        return b""
    family = _family(text[last : text.find(b"\n", last)])
    first = last
    while first:
        before = text.rfind(b"\n", 0, first - 1) + 1
        if not family or _family(text[before : first - 1]) != family:
            break
        first = before
    end = text.find(b"\n", last) + 1
    return text[first:end] if family else b""


def _family(line: bytes) -> bytes:
    """The metric family that a metadata line is about; empty for other lines."""
    words = line.split(b" ", 3)
    known = len(words) >= 3 and words[0] == b"#" and words[1] in (b"HELP", b"TYPE", b"UNIT")
    return words[2] if known else b""
