"""What alerting remembers between two runs: rows of its state, the history of its decisions, attempts to deliver.

What is in a row is alerting's business: here it is a name and a text. One batch is one transaction, so that the state
and the history that goes with it are on the disk together. History and attempts are kept for a bounded time and in a
bounded number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Column, Table, TextClause, delete, insert, select, text

from vedette.store.state.database import StateDatabase
from vedette.store.state.schema import ALERT_ATTEMPTS, ALERT_HISTORY, ALERT_LABELS, ALERT_STATE

_MOST_NAMES = 500
"""Names in one `IN (...)`."""


class StateRow(NamedTuple):
    """A row of the machine's state: its kind, its unique name within the kind, and its content; None to delete it."""

    kind: str
    name: str
    content: str | None


class HistoryRow(NamedTuple):
    """A decision: when, about which alert, on behalf of which message (None for none), and what, as JSON."""

    at_ms: int
    fingerprint: str
    message: int | None
    content: str


class LabelsRow(NamedTuple):
    """What a fingerprint in the history stands for: its `alertname`, when it was seen last, and its labels, as JSON."""

    fingerprint: str
    alertname: str
    seen_ms: int
    content: str


class AttemptRow(NamedTuple):
    """An attempt to deliver: when, which message, to which receiver, and how it went, as JSON."""

    at_ms: int
    message: int
    receiver: str
    content: str


@dataclass(frozen=True, slots=True)
class AlertBatch:
    """What is stored together."""

    state: Sequence[StateRow] = ()
    history: Sequence[HistoryRow] = ()
    labels: Sequence[LabelsRow] = ()
    attempts: Sequence[AttemptRow] = ()

    def __bool__(self) -> bool:
        return bool(self.state or self.history or self.labels or self.attempts)


@dataclass(frozen=True, slots=True)
class KeepLimits:
    """How much is kept.

    Attributes:
        history_ms: how long decisions are kept, with the labels of their alerts.
        history_rows: how many at most.
        attempts_ms: how long attempts are kept.
        attempts_rows: how many at most.
    """

    history_ms: int
    history_rows: int
    attempts_ms: int
    attempts_rows: int


class AlertStore:
    """Alerting's tables in the state database."""

    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    async def load(self, kind: str | None = None) -> list[StateRow]:
        """All rows of the state, or those of one kind."""
        query = select(ALERT_STATE.c.kind, ALERT_STATE.c.name, ALERT_STATE.c.content)
        if kind is not None:
            query = query.where(ALERT_STATE.c.kind == kind)
        async with self._database.read() as connection:
            found = await connection.execute(query)
            return [StateRow(*row) for row in found]

    async def commit(self, batch: AlertBatch) -> None:
        """Store a batch; it is on the disk when this returns.

        Raises:
            StorageError: nothing of it was stored.
        """
        kept = [row._asdict() for row in batch.state if row.content is not None]
        gone = [{"kind": row.kind, "name": row.name} for row in batch.state if row.content is None]
        async with self._database.write() as connection:
            if gone:
                await connection.execute(_DELETE_STATE, gone)
            if kept:
                await connection.execute(_PUT_STATE, kept)
            if batch.labels:
                await connection.execute(_PUT_LABELS, [row._asdict() for row in batch.labels])
            if batch.history:
                await connection.execute(insert(ALERT_HISTORY), [row._asdict() for row in batch.history])
            if batch.attempts:
                await connection.execute(insert(ALERT_ATTEMPTS), [row._asdict() for row in batch.attempts])

    async def history(self, fingerprints: Iterable[str], *, since_ms: int, until_ms: int, limit: int) -> list[str]:
        """The newest decisions about some alerts in a span of time, oldest first."""
        names = list(dict.fromkeys(fingerprints))[:_MOST_NAMES]
        table = ALERT_HISTORY.c
        query = (
            select(table.content)
            .where(table.fingerprint.in_(names), table.at_ms >= since_ms, table.at_ms <= until_ms)
            .order_by(table.at_ms.desc(), table.id.desc())
            .limit(limit)
        )
        async with self._database.read() as connection:
            return list(reversed([row[0] for row in await connection.execute(query)]))

    async def recent(self, *, since_ms: int, limit: int) -> list[str]:
        """The newest decisions about any alert since a time, oldest first."""
        table = ALERT_HISTORY.c
        query = select(table.content).where(table.at_ms >= since_ms).order_by(table.id.desc()).limit(limit)
        async with self._database.read() as connection:
            return list(reversed([row[0] for row in await connection.execute(query)]))

    async def alerts_of(self, message: int) -> list[str]:
        """Fingerprints of the alerts in a message."""
        query = select(ALERT_HISTORY.c.fingerprint).where(ALERT_HISTORY.c.message == message).distinct()
        async with self._database.read() as connection:
            return [row[0] for row in await connection.execute(query.limit(_MOST_NAMES))]

    async def labels(self, *, alertname: str | None, limit: int) -> list[LabelsRow]:
        """Alerts in the history, those seen last first; all or those of one name."""
        table = ALERT_LABELS.c
        query = select(table.fingerprint, table.alertname, table.seen_ms, table.content)
        if alertname is not None:
            query = query.where(table.alertname == alertname)
        async with self._database.read() as connection:
            found = await connection.execute(query.order_by(table.seen_ms.desc()).limit(limit))
            return [LabelsRow(*row) for row in found]

    async def labels_of(self, fingerprint: str) -> LabelsRow | None:
        """The alert with a fingerprint, if it is in the history."""
        table = ALERT_LABELS.c
        query = select(table.fingerprint, table.alertname, table.seen_ms, table.content)
        async with self._database.read() as connection:
            row = (await connection.execute(query.where(table.fingerprint == fingerprint))).first()
        return None if row is None else LabelsRow(*row)

    async def attempts(
        self, *, message: int | None = None, receiver: str | None = None, until_ms: int | None = None, limit: int
    ) -> list[AttemptRow]:
        """Attempts to deliver, the newest first; all, of one message, or to one receiver."""
        table = ALERT_ATTEMPTS.c
        query = select(table.at_ms, table.message, table.receiver, table.content)
        if message is not None:
            query = query.where(table.message == message)
        if receiver is not None:
            query = query.where(table.receiver == receiver)
        if until_ms is not None:
            query = query.where(table.at_ms <= until_ms)
        async with self._database.read() as connection:
            found = await connection.execute(query.order_by(table.at_ms.desc(), table.id.desc()).limit(limit))
            return [AttemptRow(*row) for row in found]

    async def purge(self, limits: KeepLimits, *, now_ms: int) -> None:
        """Forget what is too old or too much."""
        await self._trim(ALERT_HISTORY, limits.history_rows, before_ms=now_ms - limits.history_ms)
        await self._trim(ALERT_ATTEMPTS, limits.attempts_rows, before_ms=now_ms - limits.attempts_ms)
        async with self._database.write() as connection:
            remembered = select(ALERT_HISTORY.c.id).where(ALERT_HISTORY.c.fingerprint == ALERT_LABELS.c.fingerprint)
            old = ALERT_LABELS.c.seen_ms < now_ms - limits.history_ms
            await connection.execute(delete(ALERT_LABELS).where(old, ~remembered.exists()))

    async def _trim(self, table: Table, rows: int, *, before_ms: int) -> None:
        number: Column[Any] = table.c.id
        async with self._database.write() as connection:
            await connection.execute(delete(table).where(table.c.at_ms < before_ms))
            first_beyond = await connection.scalar(select(number).order_by(number.desc()).offset(rows).limit(1))
            if first_beyond is not None:
                await connection.execute(delete(table).where(number <= first_beyond))


_DELETE_STATE: TextClause = text("DELETE FROM alert_state WHERE kind = :kind AND name = :name")
_PUT_STATE: TextClause = text(
    "INSERT INTO alert_state (kind, name, content) VALUES (:kind, :name, :content)"
    " ON CONFLICT (kind, name) DO UPDATE SET content = excluded.content"
)
_PUT_LABELS: TextClause = text(
    "INSERT INTO alert_labels (fingerprint, alertname, seen_ms, content)"
    " VALUES (:fingerprint, :alertname, :seen_ms, :content)"
    " ON CONFLICT (fingerprint) DO UPDATE SET seen_ms = excluded.seen_ms, content = excluded.content"
)
