"""Alerts' lives from the stored history: why somebody was told, and why nobody was.

Reads what `keeping` has written and asks `history` what it means.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

import orjson

from vedette.alerting.attempts import decode_attempt
from vedette.alerting.delivery import Attempt
from vedette.alerting.history import read_record, standing, why_sent
from vedette.alerting.matchers import LabelMatcher, all_match
from vedette.alerting.quality import Quality, quality
from vedette.alerting.records import Record, Verdict
from vedette.model.matchers import MatchOp
from vedette.store.state import AlertStore, LabelsRow

_MOST_LOOKED_AT: Final = 100_000
_MOST_RECORDS: Final = 20_000
_MOST_JUDGED: Final = 200_000
_ALL_OF_TIME: Final = 1 << 60


@dataclass(frozen=True, slots=True)
class KnownAlert:
    """An alert in the history.

    Attributes:
        fingerprint: its short name.
        labels: its labels.
        annotations: as they were when it last began or ended.
        seen_ms: when that was.
    """

    fingerprint: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    seen_ms: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How an alert stood at a time.

    Attributes:
        alert: which one.
        at_ms: when.
        life: its last beginning or end; None if it was not known by then.
        decisions: what was decided for each receiver, in the order in which it was.
    """

    alert: KnownAlert
    at_ms: int
    life: Record | None
    decisions: Sequence[Record]

    @property
    def firing(self) -> bool:
        """Whether it was firing."""
        return self.life is not None and self.life.verdict is Verdict.FIRED

    @property
    def told(self) -> Sequence[Record]:
        """The messages that were out since it last began or ended."""
        since_ms = self.life.at_ms if self.life is not None else 0
        out = (Verdict.SENT, Verdict.NOT_DUE)
        return [one for one in self.decisions if one.verdict in out and one.at_ms >= since_ms]


class Stories:
    """Answers questions about the past."""

    def __init__(self, store: AlertStore) -> None:
        self._store = store

    async def find(self, matchers: Sequence[LabelMatcher], *, limit: int) -> list[KnownAlert]:
        """Alerts whose labels pass, those seen last first."""
        names = [one.value for one in matchers if one.name == "alertname" and one.op is MatchOp.EQUAL]
        rows = await self._store.labels(alertname=names[0] if names else None, limit=_MOST_LOOKED_AT)
        found: list[KnownAlert] = []
        for row in rows:
            alert = _known(row)
            if all_match(matchers, alert.labels):
                found.append(alert)
                if len(found) == limit:
                    break
        return found

    async def get(self, fingerprint: str) -> KnownAlert | None:
        """The alert with a fingerprint."""
        row = await self._store.labels_of(fingerprint)
        return None if row is None else _known(row)

    async def standing(self, alert: KnownAlert, at_ms: int, *, receiver: str = "") -> Standing:
        """How an alert stood at a time, for one receiver or for all."""
        records = await self.history([alert.fingerprint], until_ms=at_ms)
        found = standing(records, alert.fingerprint, at_ms, receiver=receiver)
        life = found[0] if found and found[0].verdict in (Verdict.FIRED, Verdict.RESOLVED) else None
        return Standing(alert, at_ms, life, found[1:] if life is not None else found)

    async def history(
        self,
        fingerprints: Iterable[str],
        *,
        since_ms: int = 0,
        until_ms: int = _ALL_OF_TIME,
        limit: int = _MOST_RECORDS,
    ) -> list[Record]:
        """Decisions about alerts in a span of time, oldest first; the newest of them if there are too many."""
        rows = await self._store.history(fingerprints, since_ms=since_ms, until_ms=until_ms, limit=limit)
        return _records(rows)

    async def recent(self, *, since_ms: int, limit: int) -> list[Record]:
        """Decisions about any alert since a time, oldest first; the newest of them if there are too many."""
        return _records(await self._store.recent(since_ms=since_ms, limit=limit))

    async def quality(self, *, since_ms: int, zone: tzinfo) -> list[Quality]:
        """What became of the alerts of each name since a time."""
        rows = await self._store.labels(alertname=None, limit=_MOST_LOOKED_AT)
        names = {row.fingerprint: row.alertname for row in rows}
        records = await self.recent(since_ms=since_ms, limit=_MOST_JUDGED)
        return await asyncio.to_thread(quality, records, lambda one: names.get(one, "(forgotten)"), zone)

    async def why_sent(self, message: int) -> list[Record]:
        """What led to a message; nothing if it is not known."""
        fingerprints = await self._store.alerts_of(message)
        return why_sent(await self.history(fingerprints), message) if fingerprints else []

    async def attempts(
        self, *, message: int | None = None, receiver: str | None = None, until_ms: int | None = None, limit: int
    ) -> list[Attempt]:
        """Attempts to deliver, the newest first."""
        rows = await self._store.attempts(message=message, receiver=receiver, until_ms=until_ms, limit=limit)
        found: list[Attempt] = []
        for row in rows:
            try:
                found.append(decode_attempt(row))
            except (ValueError, KeyError, TypeError):
                continue  # written by a version that kept other things
        return found


def _known(row: LabelsRow) -> KnownAlert:
    content = orjson.loads(row.content)
    return KnownAlert(row.fingerprint, content["labels"], content["annotations"], row.seen_ms)


def _records(rows: Iterable[str]) -> list[Record]:
    found: list[Record] = []
    for row in rows:
        try:
            found.append(read_record(orjson.loads(row)))
        except (ValueError, KeyError, TypeError):
            continue  # as above
    return found
