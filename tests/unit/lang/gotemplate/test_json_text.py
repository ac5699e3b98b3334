"""Values as JSON, as Go writes it."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.lang.gotemplate import Budget, FunctionError, LimitError, Limits, Typed, string_map, strings, time, to_json
from vedette.lang.gotemplate.kinds import STRINGS


def _json(value: Any) -> str:
    return to_json(value, Budget(Limits()))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param({"b": [1, 2.5, None], "a": True}, '{"a":true,"b":[1,2.5,null]}', id="keys are sorted"),
        pytest.param(
            "<a> & 'b'\u2028", "\"\\u003ca\\u003e \\u0026 'b'\\u2028\"", id="what HTML could take for something"
        ),
        pytest.param([1e20, 1e21, 1e-6, 1e-7, 100.0], "[100000000000000000000,1e+21,0.000001,1e-7,100]", id="numbers"),
        pytest.param(strings(["a"]), '["a"]', id="strings"),
        pytest.param(Typed(STRINGS, None), "null", id="a list that is not there"),
        pytest.param(string_map({"b": "1", "a": "2"}), '{"a":"2","b":"1"}', id="labels"),
        pytest.param(time(0), '"1970-01-01T00:00:00Z"', id="a time"),
    ],
)
def test_a_value_is_written_as_go_writes_it(value: Any, text: str) -> None:
    assert _json(value) == text


def test_what_has_no_form_in_json_is_refused() -> None:
    with pytest.raises(FunctionError, match=r"json: unsupported value: NaN"):
        _json(math.nan)


def test_lists_in_lists_without_end_are_a_limit() -> None:
    value: Any = []
    for _ in range(100):
        value = [value]

    with pytest.raises(LimitError, match="stand deeper than 64"):
        _json(value)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**63 - 1)
        | st.text(st.characters(exclude_categories=("Cs",))),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text(st.characters(exclude_categories=("Cs",))), inner, max_size=3)
        ),
        max_leaves=8,
    )
)
def test_what_is_written_reads_as_the_same(value: Any) -> None:
    assert json.loads(_json(value)) == value
