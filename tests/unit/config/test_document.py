from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.config.document import MAX_BYTES, parse_document
from vedette.model.errors import ConfigErrors


def errors_of(raw: bytes) -> list[str]:
    try:
        document = parse_document(raw, file="v.yml")
    except ConfigErrors as exc:
        return [str(error) for error in exc.errors]
    return [str(error) for error in document.errors]


def test_scalars_stay_the_text_that_was_written() -> None:
    document = parse_document(b"a: 010\nb: yes\nc: 1.50\nd: '~'\ne: ~\n", file="v.yml")

    assert document.root.plain() == {"a": "010", "b": "yes", "c": "1.50", "d": "~"}


def test_places_of_keys_and_values_are_known() -> None:
    document = parse_document(b"a:\n  - b: 1\n    c: 2\n", file="v.yml")

    assert str(document.locate(("a", 0, "c"))) == "v.yml:3:8"
    assert str(document.locate(("a", 0, "c"), key=True)) == "v.yml:3:5"
    assert document.locate(("a", 0, "c")).text == "    c: 2"


def test_a_path_that_leads_nowhere_points_at_what_should_hold_it() -> None:
    document = parse_document(b"a:\n  b: 1\n", file="v.yml")

    assert str(document.locate(("a", "missing"), key=True)) == "v.yml:1:1"


def test_anchors_and_merge_keys_work_and_own_keys_win() -> None:
    raw = b"x: &x {a: 1, b: 2}\ny:\n  <<: *x\n  b: 3\nz: {<<: [{c: 4}, *x]}\n"

    plain = parse_document(raw, file="v.yml").root.plain()

    assert plain["y"] == {"a": "1", "b": "3"}
    assert plain["z"] == {"c": "4", "a": "1", "b": "2"}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(b"a: 1\na: 2\n", "v.yml:2:1: `a` is there twice, first in line 1", id="a key twice"),
        pytest.param(b"a:\n\t- b\n", "v.yml:2:1: not readable as YAML", id="a tab"),
        pytest.param(b"a: [1\n", "v.yml:2:1: not readable as YAML", id="a bracket that stays open"),
        pytest.param(b"a: \x00\n", "v.yml:1:4: the character U+0000", id="a control character"),
        pytest.param(b"a: 1\nb: \xff\n", "v.yml:2:4: the byte 0xff is not UTF-8", id="no UTF-8"),
        pytest.param("a: 1".encode("utf-16"), "v.yml:1:1: the byte 0xff", id="UTF-16"),
        pytest.param(b"a: 1\n---\nb: 2\n", "v.yml:2:1: not readable as YAML", id="two documents"),
        pytest.param(b"a: *x\n", "found undefined alias", id="an alias of nothing"),
        pytest.param(b"a: &a [*a]\n", "stands inside of what it refers to", id="an alias of itself"),
        pytest.param(b"a: !!python/object:os.system x\n", "means nothing here", id="a tag of a language"),
        pytest.param(b"- a\n", "a configuration is a mapping of sections, and this is a list", id="a list"),
        pytest.param(b"? [a]\n: b\n", "a key is a word", id="a list as key"),
        pytest.param(b"<<: 3\n", "`<<` merges mappings", id="a merge of a number"),
        pytest.param(b"[" * 5000, "nested too deeply", id="brackets without end"),
        pytest.param(b"a: " + b"[" * 70 + b"]" * 70, "nested too deeply", id="more levels than allowed"),
        pytest.param(b"#" * (MAX_BYTES + 1), "bytes", id="a file that is too large"),
        pytest.param(b'!!binary "/w==": value', "v.yml:1:1: !!binary", id="a key that is no text"),
    ],
)
def test_hostile_yaml_is_an_error_with_its_place(raw: bytes, expected: str) -> None:
    (error,) = errors_of(raw)

    assert expected in error


def test_an_alias_bomb_is_refused_before_it_fills_memory() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]

    (error,) = errors_of("\n".join(lines).encode())

    assert "values once aliases are followed" in error


def test_a_byte_order_mark_does_not_matter() -> None:
    assert parse_document(b"\xef\xbb\xbfa: 1\n", file="v.yml").root.plain() == {"a": "1"}


def test_an_empty_file_is_an_empty_mapping() -> None:
    assert parse_document(b"# nothing\n", file="v.yml").root.plain() == {}


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    errors_of(raw)


@given(st.text(alphabet="ab:-[]{}&*!|>'\"# \n\t,?<%@`", max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    errors_of(text.encode())
