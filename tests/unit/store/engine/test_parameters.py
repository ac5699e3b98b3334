from __future__ import annotations

import pytest

from vedette.store.engine.parameters import format_parameter, quote_identifier, quote_string


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("plain", "plain", id="a string at the top level has no quotes"),
        pytest.param("a\tb\nc\\d", "a\\tb\\nc\\\\d", id="tab, newline and backslash are escaped"),
        pytest.param("it's", "it\\'s", id="a quote is escaped"),
        pytest.param(["a'b", "c"], "['a\\'b','c']", id="strings in an array are quoted"),
        pytest.param([], "[]", id="an empty array"),
        pytest.param([1, 2**64 - 1], "[1,18446744073709551615]", id="integers keep all their digits"),
        pytest.param(-5, "-5", id="an integer"),
        pytest.param(0.1, "0.1", id="a float in its shortest exact form"),
    ],
)
def test_a_parameter_is_written_as_the_engine_reads_it(
    value: str | float | list[str] | list[int], expected: str
) -> None:
    assert format_parameter(value) == expected


def test_no_string_can_leave_its_quotes() -> None:
    assert quote_string("'; DROP TABLE samples; --\\") == "'\\'; DROP TABLE samples; --\\\\'"


def test_no_identifier_can_leave_its_quotes() -> None:
    assert quote_identifier("a`; DROP") == "`a\\`; DROP`"
