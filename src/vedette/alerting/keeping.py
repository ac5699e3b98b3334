"""Writing down what the machine did, before anybody acts on it.

What several calls have changed goes to the disk in one transaction: while one is under way, the next one gathers.
Messages are handed on once the state that they follow from is stored, so a crash repeats a message at most once and
loses none. Where the disk fails, messages are handed on all the same, since that is when somebody has to be told; the
rows are tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import orjson
import structlog

from vedette.alerting.heartbeats import KIND
from vedette.alerting.history import record_fields
from vedette.alerting.holdings import Holdings
from vedette.alerting.records import Effect, Notify, Record, Remind, Verdict
from vedette.alerting.state import Row, Table
from vedette.model.alerts import Alert
from vedette.model.clock import Clock
from vedette.model.errors import StorageError
from vedette.store.state import AlertBatch, AttemptRow, HistoryRow, LabelsRow, StateRow

_FIRST_RETRY_S: Final = 1.0
_LONGEST_RETRY_S: Final = 30.0
_LIFE: Final = (Verdict.FIRED, Verdict.RESOLVED)

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class Storage(Protocol):
    """Where batches go: `vedette.store.state.AlertStore`."""

    async def commit(self, batch: AlertBatch) -> None:
        """Store a batch whole, or raise StorageError."""
        ...


@dataclass(slots=True)
class _Gathered:
    """What waits for the next transaction."""

    history: list[HistoryRow] = field(default_factory=list[HistoryRow])
    labels: dict[str, LabelsRow] = field(default_factory=dict[str, LabelsRow])
    attempts: list[AttemptRow] = field(default_factory=list[AttemptRow])
    messages: list[Notify] = field(default_factory=list[Notify])
    waiting: list[asyncio.Future[None]] = field(default_factory=list[asyncio.Future[None]])


class Keeper:
    """Gathers and stores. `run` does the storing.

    Attributes:
        dropped: rows of history that were given up because the disk failed for too long.
        failing: the last transaction failed.
    """

    def __init__(
        self, storage: Storage, holdings: Holdings, clock: Clock, *, hand_on: Callable[[Notify], None], most: int
    ) -> None:
        """Start with nothing to store.

        Args:
            storage: where it goes.
            holdings: whose changed rows are stored.
            clock: to wait by.
            hand_on: takes a message whose grounds are stored.
            most: rows of history and of attempts that may wait while the disk fails; older ones are given up.
        """
        self.holdings = holdings
        self.dropped = 0
        self.failing = False
        self._storage = storage
        self._clock = clock
        self._hand_on = hand_on
        self._most = most
        self._next = _Gathered()
        self._asked = asyncio.Event()
        self._runner: asyncio.Task[None] | None = None
        self._storing = False
        self._ending = False

    def note(self, effects: Iterable[Effect]) -> None:
        """Take down what came out of a call of the machine."""
        gathered = self._next
        for effect in effects:
            match effect:
                case Record():
                    self._note_record(effect)
                case Notify():
                    gathered.messages.append(effect)
                case Remind():
                    pass  # an alert of its own tells of it
        if gathered.history or gathered.messages or self.holdings.touched:
            self._asked.set()

    def note_attempt(self, row: AttemptRow) -> None:
        """Take down an attempt to deliver."""
        self._next.attempts.append(row)
        self._asked.set()

    async def stored(self) -> None:
        """Wait until everything that was noted so far is on the disk.

        Raises:
            StorageError: it is not, and will be tried again.
        """
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._next.waiting.append(waiter)
        self._asked.set()
        await waiter

    async def run(self) -> None:
        """Store until `end`."""
        self._runner = asyncio.current_task()
        retry_s = _FIRST_RETRY_S
        while not self._ending:
            await self._asked.wait()
            self._storing = True
            stored = await self.flush()
            self._storing = False
            if stored:
                retry_s = _FIRST_RETRY_S
            elif not self._ending:
                await self._clock.sleep(retry_s)
                retry_s = min(2 * retry_s, _LONGEST_RETRY_S)

    def end(self) -> None:
        """End `run`, after the transaction that is under way: cancelled within, it would keep the database locked."""
        self._ending = True
        if not self._storing and self._runner is not None:
            self._runner.cancel()

    async def flush(self) -> bool:
        """Store everything that waits, in one transaction; whether it was."""
        self._asked.clear()
        gathered, self._next = self._next, _Gathered()
        rows = self.holdings.changed_rows()
        problem: StorageError | None = None
        try:
            # The rows' contents are copies: the machine may go on meanwhile.
            batch = await asyncio.to_thread(_batch, rows, gathered)
            if batch:
                await self._storage.commit(batch)
        except asyncio.CancelledError:
            self._put_back(rows, gathered)
            self._next.messages[:0] = gathered.messages
            self._next.waiting[:0] = gathered.waiting
            raise
        except StorageError as exc:
            problem = exc
            self._put_back(rows, gathered)
            if not self.failing:
                log.error("what alerting did cannot be stored; it will be tried again", error=str(exc))  # noqa: TRY400
        self.failing = problem is not None
        for message in gathered.messages:
            self._hand_on(message)
        for waiter in gathered.waiting:
            if waiter.done():
                continue
            if problem is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(problem)
        return problem is None

    def _put_back(self, rows: Sequence[Row], gathered: _Gathered) -> None:
        for row in rows:
            self.holdings.touch(row.table, *row.key)
        later = self._next
        later.history[:0] = gathered.history
        later.attempts[:0] = gathered.attempts
        later.labels = {**gathered.labels, **later.labels}
        for waiting in (later.history, later.attempts):
            excess = len(waiting) - self._most
            if excess > 0:
                self.dropped += excess
                del waiting[:excess]
        self._asked.set()

    def _note_record(self, record: Record) -> None:
        fields = record_fields(record)
        held = self.holdings.alerts.get(record.fingerprint)
        if held is not None and record.verdict in _LIFE:
            alert = held.alert
            fields["alert"] = {
                "annotations": dict(alert.annotations),
                "starts_ms": alert.starts_ms,
                "generator_url": alert.generator_url,
            }
            self._next.labels[record.fingerprint] = _labels(record.fingerprint, alert, record.at_ms)
        self._next.history.append(HistoryRow(record.at_ms, record.fingerprint, record.message, _text(fields)))


def read_state(rows: Iterable[StateRow]) -> tuple[list[Row], int]:
    """Stored rows for `Pipeline.restore`, without those of heartbeats, and how many could not be read."""
    found: list[Row] = []
    broken = 0
    for row in rows:
        if row.kind == KIND:
            continue
        try:
            key = tuple(orjson.loads(row.name))
            content = orjson.loads(row.content or "")
            found.append(Row(Table(row.kind), key, content))
        except (ValueError, TypeError):
            broken += 1
    return found, broken


def _batch(rows: Iterable[Row], gathered: _Gathered) -> AlertBatch:
    return AlertBatch(
        state=[
            StateRow(row.table, _text(row.key), None if row.content is None else _text(row.content)) for row in rows
        ],
        history=gathered.history,
        labels=list(gathered.labels.values()),
        attempts=gathered.attempts,
    )


def _labels(fingerprint: str, alert: Alert, at_ms: int) -> LabelsRow:
    content = {"labels": dict(alert.labels), "annotations": dict(alert.annotations)}
    return LabelsRow(fingerprint, alert.name, at_ms, _text(content))


def _text(content: Any) -> str:
    return orjson.dumps(content).decode()
