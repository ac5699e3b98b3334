"""Passwords: what they must be, and hashing them without stopping everything else.

argon2id takes tens of milliseconds and megabytes on purpose. It runs in threads of its own, so many at a
time as the settings say; a queue beyond its bound is refused. A login for a user who does not exist is
checked against a hash that nothing matches, so that it takes as long as one for a user who does.
"""

from __future__ import annotations

import asyncio
import functools
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from vedette.http.errors import ProblemError
from vedette.http.settings import PasswordSettings
from vedette.model.errors import OverloadedError

P = ParamSpec("P")
R = TypeVar("R")

MAX_PASSWORD_BYTES = 1024
_FEWEST_DIFFERENT = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a password check found.

    Attributes:
        correct: whether it is the password.
        newer_hash: set where the parameters have changed and the stored hash should be replaced.
    """

    correct: bool
    newer_hash: str | None = None


class Passwords:
    """Hashes and checks passwords. `close` waits for what is running."""

    def __init__(self, settings: PasswordSettings) -> None:
        self._settings = settings
        self._argon2 = argon2.PasswordHasher(
            time_cost=settings.time_cost, memory_cost=settings.memory_kib, parallelism=settings.parallelism
        )
        self._threads = ThreadPoolExecutor(settings.concurrency, thread_name_prefix="argon2")
        self._pending = 0
        self._unknown_user_hash: str | None = None

    def close(self) -> None:
        """Stop the threads."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def require_fit(self, password: str, *, user_name: str) -> None:
        """Refuse a new password that is too easy to guess.

        Raises:
            ProblemError: it is; the sentence says why.
        """
        problem = ""
        if len(password) < self._settings.min_length:
            problem = f"a password needs at least {self._settings.min_length} characters"
        elif len(password.encode()) > MAX_PASSWORD_BYTES:
            problem = f"a password may have at most {MAX_PASSWORD_BYTES} bytes"
        elif len(set(password)) < _FEWEST_DIFFERENT:
            problem = f"a password needs at least {_FEWEST_DIFFERENT} different characters"
        elif password.strip().lower() == user_name.lower():
            problem = "the password must not be the user's name"
        if problem:
            raise ProblemError(422, problem, kind="unfit-password")

    async def hash(self, password: str) -> str:
        """Hash a new password.

        Raises:
            OverloadedError: too many are waiting.
        """
        return await self._in_thread(self._hash, password)

    async def check(self, password: str, stored_hash: str | None) -> Verdict:
        """Whether this is the password; with None (no such user, or none set) it never is.

        Raises:
            OverloadedError: too many are waiting.
        """
        if len(password.encode()) > MAX_PASSWORD_BYTES:
            password = ""  # too long for any that was ever set; the time taken stays the same
        return await self._in_thread(self._check, password, stored_hash)

    def _hash(self, password: str) -> str:
        return self._argon2.hash(password)

    def _check(self, password: str, stored_hash: str | None) -> Verdict:
        if self._unknown_user_hash is None:  # once, whoever logs in first
            self._unknown_user_hash = self._argon2.hash(secrets.token_hex(16))
        if stored_hash is None:
            self._matches(self._unknown_user_hash, password)
            return Verdict(correct=False)
        if not self._matches(stored_hash, password):
            return Verdict(correct=False)
        outdated = self._argon2.check_needs_rehash(stored_hash)
        return Verdict(correct=True, newer_hash=self._argon2.hash(password) if outdated else None)

    def _matches(self, stored_hash: str, password: str) -> bool:
        try:
            return self._argon2.verify(stored_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_thread(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        if self._pending >= self._settings.concurrency + self._settings.max_waiting:
            raise OverloadedError("too many logins at the same time", retry_after_s=1.0)
        self._pending += 1
        try:
            call = functools.partial(work, *args, **kwargs)
            return await asyncio.get_running_loop().run_in_executor(self._threads, call)
        finally:
            self._pending -= 1
