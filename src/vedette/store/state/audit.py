"""Who did what, when and from where: logins, tokens, accounts.

Kept for a bounded time and in a bounded number of records. Attempts that are throttled are not recorded one
by one, and failures have their own half of the room: an attacker neither fills the disk nor pushes out what
was really done.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, delete, insert, select

from vedette.store.state.database import StateDatabase
from vedette.store.state.schema import AUDIT

_PURGE_EVERY = 256
_MAX_TEXT = 256


class Outcome(enum.StrEnum):
    """How it ended."""

    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One thing that somebody did or tried.

    Attributes:
        id: rises; 0 for one that is not stored yet.
        actor: a user's name, `local` for the command line on the same machine, or `anonymous`.
        action: what, such as `login` or `token.create`.
        target: to whom or what; empty where the action says it all.
        address: the client's, as far as it can be trusted.
        detail: further facts, never a secret.
    """

    at_ms: int
    actor: str
    action: str
    target: str
    address: str
    outcome: Outcome
    detail: Mapping[str, str] = field(default_factory=dict[str, str])
    id: int = 0


class AuditTrail:
    """The record in the state database."""

    def __init__(self, database: StateDatabase, *, keep_ms: int, keep_records: int) -> None:
        self._database = database
        self._keep_ms = keep_ms
        self._keep_records = keep_records
        self._until_purge = 0

    async def add(self, record: AuditRecord) -> None:
        """Write one down; texts from outside are shortened."""
        async with self._database.write() as connection:
            await connection.execute(
                insert(AUDIT).values(
                    at_ms=record.at_ms,
                    actor=record.actor[:_MAX_TEXT],
                    action=record.action[:_MAX_TEXT],
                    target=record.target[:_MAX_TEXT],
                    address=record.address[:_MAX_TEXT],
                    outcome=record.outcome.value,
                    detail=json.dumps({name: value[:_MAX_TEXT] for name, value in record.detail.items()}),
                )
            )
        if self._until_purge == 0:
            self._until_purge = _PURGE_EVERY
            await self.purge(now_ms=record.at_ms)
        self._until_purge -= 1

    async def list(self, *, limit: int, before_id: int | None = None) -> Sequence[AuditRecord]:
        """The newest records first; `before_id` continues where a page ended."""
        query = select(AUDIT).order_by(AUDIT.c.id.desc()).limit(limit)
        if before_id is not None:
            query = query.where(AUDIT.c.id < before_id)
        async with self._database.read() as connection:
            return [_record(row) for row in await connection.execute(query)]

    async def purge(self, *, now_ms: int) -> None:
        """Forget what is too old or too much."""
        async with self._database.write() as connection:
            await connection.execute(delete(AUDIT).where(AUDIT.c.at_ms < now_ms - self._keep_ms))
            for outcome in Outcome:
                # Half for each: failures, which anybody can cause, do not push successes out.
                alike = AUDIT.c.outcome == outcome.value
                first_beyond = await connection.scalar(
                    select(AUDIT.c.id).where(alike).order_by(AUDIT.c.id.desc()).offset(self._keep_records // 2).limit(1)
                )
                if first_beyond is not None:
                    await connection.execute(delete(AUDIT).where(alike, AUDIT.c.id <= first_beyond))


def _record(row: Row[Any]) -> AuditRecord:
    return AuditRecord(
        id=row.id,
        at_ms=row.at_ms,
        actor=row.actor,
        action=row.action,
        target=row.target,
        address=row.address,
        outcome=Outcome(row.outcome),
        detail=json.loads(row.detail),
    )
