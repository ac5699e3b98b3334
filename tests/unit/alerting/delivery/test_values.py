from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.alerting.delivery.text import truncate, truncate_bytes
from vedette.alerting.delivery.values import expand, meaning


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("plain", "plain", id="a text"),
        pytest.param("", None, id="nothing"),
        pytest.param("null", None, id="null"),
        pytest.param(" 12 ", 12, id="a number"),
        pytest.param("-1.5e3", -1500.0, id="a number with an exponent"),
        pytest.param("007", "007", id="zeros in front are no number"),
        pytest.param("1.2.3.4", "1.2.3.4", id="an address"),
        pytest.param("12345678901234567890", "12345678901234567890", id="more digits than numbers have"),
        pytest.param("true", True, id="true"),
        pytest.param("no", "no", id="no is a word, and not YAML's false"),
        pytest.param('[1, {"a": null}]', [1, {"a": None}], id="a structure"),
        pytest.param("[broken", "[broken", id="no structure"),
        pytest.param("{{ .Labels }}", "{{ .Labels }}", id="a template in a label stays text"),
        pytest.param("&a [*a]", "&a [*a]", id="anchors are text"),
    ],
)
def test_what_a_template_gives_is_read_as_it_is_meant(text: str, expected: Any) -> None:
    assert meaning(text) == expected
    assert type(meaning(text)) is type(expected)


def test_names_and_values_of_a_structure_are_templates() -> None:
    found = expand({"a": ["x", 3, {"b": "y"}], "c": None}, lambda text: text + "!")

    assert found == {"a!": ["x!", 3, {"b!": "y!"}], "c!": None}


@given(st.text())
def test_any_text_becomes_something_that_json_holds(text: str) -> None:
    orjson.dumps(meaning(text.encode("utf-8", "replace").decode()))


@given(st.text(), st.integers(min_value=1, max_value=50))
def test_a_text_that_is_cut_is_not_longer_than_allowed(text: str, most: int) -> None:
    assert len(truncate(text, most)) <= most
    assert len(truncate_bytes(text, most).encode("utf-8", "replace")) <= most


def test_a_text_that_fits_is_not_cut() -> None:
    assert truncate("abc", 3) == "abc"
    assert truncate("abcdef", 5) == "abcd…"
    assert truncate_bytes("äöü", 6) == "äöü"
    assert truncate_bytes("äöüä", 7) == "äö…"
