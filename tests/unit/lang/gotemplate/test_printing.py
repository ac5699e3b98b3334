"""Values in formats, as Go's `fmt` prints them."""

from __future__ import annotations

import contextlib
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.lang.gotemplate import (
    ANY,
    INT,
    STRING,
    Budget,
    Field,
    LimitError,
    Limits,
    Typed,
    duration,
    pointer_to,
    string_map,
    strings,
    struct_of,
)
from vedette.lang.gotemplate.printing import sprint, sprintf, sprintln

_PLACE = struct_of(Field("Name", STRING), Field("Floor", INT), Field("Note", ANY))
_HALL = Typed(_PLACE, {"Name": "hall", "Floor": 2, "Note": None})


def _budget() -> Budget:
    return Budget(Limits())


@pytest.mark.parametrize(
    ("form", "values", "text"),
    [
        pytest.param("%d|%5d|%-5d|%05d|%+d|% d", (12,) * 6, "12|   12|12   |00012|+12| 12", id="whole numbers"),
        pytest.param(
            "%x %X %#x %o %#o %O %b %c %q %U %#U",
            (65,) * 11,
            "41 41 0x41 101 0101 0o101 1000001 A 'A' U+0041 U+0041 'A'",
            id="bases",
        ),
        pytest.param("%.3d|%8.3d|%-8.3d|", (-5,) * 3, "-005|    -005|-005    |", id="digits at least"),
        pytest.param(
            "%f %.2f %8.3f|%-8.1f|%08.2f %+.1f",
            (3.14159,) * 6,
            "3.141590 3.14    3.142|3.1     |00003.14 +3.1",
            id="fractions",
        ),
        pytest.param(
            "%e %E %g %G %.3g",
            (1234567.0,) * 5,
            "1.234567e+06 1.234567E+06 1.234567e+06 1.234567E+06 1.23e+06",
            id="powers",
        ),
        pytest.param("%g %g %g %v", (1e21, 1e-7, 100000.0, 1e6), "1e+21 1e-07 100000 1e+06", id="the shortest"),
        pytest.param(
            "%v %v %v %5.1f", (math.inf, -math.inf, math.nan, math.nan), "+Inf -Inf NaN   NaN", id="no numbers"
        ),
        pytest.param(
            "%s|%10s|%-10s|%.2s|%q|%x|% X|%#q",
            ("häl",) * 8,
            'häl|       häl|häl       |hä|"häl"|68c3a46c|68 C3 A4 6C|`häl`',
            id="strings",
        ),
        pytest.param("%t %v %5t", (True, False, True), "true false  true", id="truth values"),
        pytest.param("%v %d %s", ([1, "a"], [1, 2], ["a", "b"]), "[1 a] [1 2] [a b]", id="lists"),
        pytest.param(
            "%v %+v %#v",
            ({"b": 1, "a": "x"},) * 3,
            'map[a:x b:1] map[a:x b:1] map[string]interface {}{"a":"x", "b":1}',
            id="maps",
        ),
        pytest.param("%v %+v", (_HALL,) * 2, "{hall 2 <nil>} {Name:hall Floor:2 Note:<nil>}", id="structs"),
        pytest.param("%v", (Typed(pointer_to(_PLACE), _HALL),), "&{hall 2 <nil>}", id="a pointer to a struct"),
        pytest.param("%v %s %d", (None, None, None), "<nil> %!s(<nil>) %!d(<nil>)", id="nothing"),
        pytest.param(
            "%T %T %T %T %T", (1, 1.5, "a", [1], strings("a")), "int float64 string []interface {} []string", id="types"
        ),
        pytest.param("%d %s %z", ("a", 1, 1), "%!d(string=a) %!s(int=1) %!z(int=1)", id="wrong verbs"),
        pytest.param("%d %d", (1,), "1 %!d(MISSING)", id="too few"),
        pytest.param("%d", (1, "x"), "1%!(EXTRA string=x)", id="too many"),
        pytest.param("%", (), "%!(NOVERB)", id="no verb"),
        pytest.param("100%%", (), "100%", id="a percent sign"),
        pytest.param("%[2]d %[1]d", (1, 2), "2 1", id="indexes"),
        pytest.param("%[3]d", (1,), "%!d(BADINDEX)", id="a bad index"),
        pytest.param("%*d|%-*d|%.*f", (4, 1, 4, 2, 1, 2.55), "   1|2   |2.5", id="widths among the values"),
        pytest.param("%6.2f%%", (12.345,), " 12.35%", id="a percentage"),
        pytest.param("%v %s", (duration(90_000_000_000), duration(1)), "1m30s 1ns", id="what shows itself"),
        pytest.param("%v", (string_map({"a": "b"}),), "map[a:b]", id="labels"),
        pytest.param("%x %X", (-255, 3.5), "-ff 0X1.CP+01", id="hexadecimal numbers"),
        pytest.param("%q", (["a b", "c"],), '["a b" "c"]', id="quoted lists"),
        pytest.param("%08b|%+.3e|%+q", (5, 12345.678, "é"), '00000101|+1.235e+04|"\\u00e9"', id="flags"),
    ],
)
def test_a_format_gives_what_it_gives_in_go(form: str, values: tuple[Any, ...], text: str) -> None:
    assert sprintf(form, values, _budget()) == text


def test_spaces_stand_between_values_that_are_no_strings() -> None:
    assert sprint((1, 2, "a", "b", 3), _budget()) == "1 2ab3"
    assert sprint(("a", 1, 2, "b"), _budget()) == "a1 2b"
    assert sprintln(("a", 1), _budget()) == "a 1\n"


def test_a_width_that_is_too_large_is_a_limit() -> None:
    with pytest.raises(LimitError, match="bytes would be written"):
        sprintf("%1000000d", (1,), Budget(Limits(output_bytes=1000)))


@given(
    st.text(alphabet="%0123456789.*[]+-# vdsqxXfgeTpbcoUtw", max_size=30),
    st.lists(
        st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(), st.text(max_size=5), st.booleans(), st.none()),
        max_size=4,
    ),
)
def test_any_format_gives_a_text(form: str, values: list[Any]) -> None:
    with contextlib.suppress(LimitError):
        assert isinstance(sprintf(form, values, Budget(Limits(output_bytes=1 << 16))), str)
