from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.http.auth.secrets import hash_secret, new_token, parse_token, same_secret


def test_a_new_token_is_read_back_into_its_parts() -> None:
    token = new_token()

    assert parse_token(token.full) == token


def test_tokens_do_not_repeat() -> None:
    assert len({new_token().full for _ in range(1000)}) == 1000


def test_a_token_does_not_show_its_secret_when_printed() -> None:
    token = new_token()

    assert token.secret not in repr(token)


@pytest.mark.parametrize("text", ["", "vdt_", "vdt__", "vdt_local_", "vdt_a_b", "VDT_local_" + "a" * 32])
def test_what_is_no_token_is_none(text: str) -> None:
    assert parse_token(text) is None


@given(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")))
def test_only_equal_secrets_are_the_same(one: str, other: str) -> None:
    assert same_secret(hash_secret(one), hash_secret(other)) is (one == other)
