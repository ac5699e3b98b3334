from __future__ import annotations

import pytest

from vedette.http.access_log import printable, redact_query
from vedette.http.auth.secrets import new_token


@pytest.mark.parametrize(
    ("query", "logged"),
    [
        ("once=s3cret", "once=***"),
        ("a=1&token=s3cret&b=2", "a=1&token=***&b=2"),
        ("ACCESS_TOKEN=s3cret", "ACCESS_TOKEN=***"),
        ("api_key=s3cret&apikey=s3cret", "api_key=***&apikey=***"),
        ("query=up&time=1", "query=up&time=1"),
        ("password=a%26b=c", "password=***"),
        ("", ""),
    ],
)
def test_secrets_in_a_query_are_replaced(query: str, logged: str) -> None:
    assert redact_query(query) == logged


def test_a_token_is_replaced_wherever_it_stands() -> None:
    token = new_token()

    assert token.secret not in printable(f"/api/{token.full}/x")


def test_what_is_logged_stays_one_short_line() -> None:
    text = printable("a\nb\x1b[31m\u2028" + "x" * 10_000)

    assert text.isprintable()
    assert len(text) < 600
