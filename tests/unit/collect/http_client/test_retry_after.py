from __future__ import annotations

import pytest

from vedette.collect.http_client import MAX_RETRY_AFTER_S, parse_retry_after

NOON_S = 1_795_262_400.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("120", 120.0, id="seconds"),
        pytest.param(" 3 ", 3.0, id="white space"),
        pytest.param("", 0.0, id="nothing"),
        pytest.param("soon", 0.0, id="nonsense"),
        pytest.param("-5", 0.0, id="negative"),
        pytest.param("99999999999999999999", MAX_RETRY_AFTER_S, id="for ever"),
        pytest.param("Sat, 21 Nov 2026 12:00:30 GMT", 30.0, id="a date"),
        pytest.param("Sat, 21 Nov 2026 11:00:00 GMT", 0.0, id="a date in the past"),
        pytest.param("Sat, 21 Nov 99999 11:00:00 GMT", 0.0, id="no date"),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float) -> None:
    assert parse_retry_after(text, NOON_S) == seconds
