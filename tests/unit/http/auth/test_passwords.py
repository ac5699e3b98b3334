from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator

import pytest

from vedette.http.auth.passwords import Passwords
from vedette.http.errors import ProblemError
from vedette.http.settings import PasswordSettings
from vedette.model.errors import OverloadedError

CHEAP = PasswordSettings(time_cost=1, memory_kib=64, concurrency=1, max_waiting=2)


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords(CHEAP)
    yield made
    made.close()


async def test_the_right_password_is_right_and_another_is_not(passwords: Passwords) -> None:
    stored = await passwords.hash("correct horse")

    assert stored.startswith("$argon2id$")
    assert (await passwords.check("correct horse", stored)).correct
    assert not (await passwords.check("battery staple", stored)).correct


async def test_a_user_without_a_password_cannot_log_in(passwords: Passwords) -> None:
    assert not (await passwords.check("", None)).correct


@pytest.mark.parametrize("stored", ["", "plain", "$argon2id$garbage"])
async def test_a_stored_hash_that_cannot_be_read_matches_nothing(passwords: Passwords, stored: str) -> None:
    assert not (await passwords.check(stored, stored)).correct


async def test_a_hash_with_old_parameters_is_renewed_when_the_password_is_known(passwords: Passwords) -> None:
    stronger = Passwords(dataclasses.replace(CHEAP, time_cost=2))
    try:
        verdict = await stronger.check("correct horse", await passwords.hash("correct horse"))
    finally:
        stronger.close()

    assert verdict.correct
    assert verdict.newer_hash is not None
    assert "t=2" in verdict.newer_hash


async def test_more_logins_than_may_wait_are_refused(passwords: Passwords) -> None:
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(passwords.hash("x")) for _ in range(3)]
        await asyncio.sleep(0)
        refused = group.create_task(_refused(passwords))

    assert await refused
    assert all(task.done() for task in waiting)


async def _refused(passwords: Passwords) -> bool:
    with pytest.raises(OverloadedError):
        await passwords.hash("y")
    return True


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("short", "at least 10 characters"),
        ("aaaaaaaaaaaa", "5 different"),
        ("administrator", "must not be the user's name"),
        ("é" * 600, "at most 1024 bytes"),
    ],
)
def test_a_password_that_is_easy_to_guess_is_refused(passwords: Passwords, password: str, problem: str) -> None:
    with pytest.raises(ProblemError, match=problem):
        passwords.require_fit(password, user_name="Administrator")
