"""Heartbeats that come in: a job calls again and again, and it is an alert if it stops.

A call is missing once `interval` and `grace` have passed since the last one, or since Vedette first waited for it.
After a start everybody gets the grace once more, since nobody could call before. The alert is reported every minute as
long as nobody calls, and ends with the next call.

Pure: the time is given. `vedette.app` asks now and then, and stores when calls came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from vedette.alerting.intake import complete
from vedette.config import AlertHeartbeat
from vedette.model.alerts import Alert

ALERT_NAME: Final = "HeartbeatMissed"
KIND: Final = "heartbeat"
"""Kind of the rows that hold the times of last calls."""
_REPEAT_MS: Final = 60_000
_LASTS_MS: Final = 5 * _REPEAT_MS
"""How long a report counts; several may get lost."""


@dataclass(slots=True)
class Beat:
    """A heartbeat that is waited for.

    Attributes:
        settings: what is expected.
        last_ms: when it was called last; None if never.
        due_ms: when it is missing.
        missing_since_ms: since when it is; None if it is not.
        report_ms: when its alert is to be reported next.
        called: it was called since this began to wait for it; before, an alert may be left of an earlier process.
    """

    settings: AlertHeartbeat
    last_ms: int | None
    due_ms: int
    missing_since_ms: int | None = None
    report_ms: int = 0
    called: bool = False


class Heartbeats:
    """All heartbeats."""

    def __init__(self, settings: Iterable[AlertHeartbeat], last: Mapping[str, int], now_ms: int) -> None:
        """Wait for some.

        Args:
            settings: what is expected.
            last: when each was called last, as far as that is known.
            now_ms: the time.
        """
        self.beats: dict[str, Beat] = {}
        for one in settings:
            before = last.get(one.name)
            wait_ms = one.interval.ms + one.grace.ms
            due_ms = now_ms + wait_ms if before is None else max(before + wait_ms, now_ms + one.grace.ms)
            self.beats[one.name] = Beat(one, before, due_ms)

    def beat(self, name: str, now_ms: int) -> list[Alert]:
        """Take note of a call; the end of its alert, if there was one or may have been.

        Raises:
            KeyError: nobody waits for a heartbeat of this name.
        """
        beat = self.beats[name]
        since_ms, beat.missing_since_ms, beat.report_ms = beat.missing_since_ms, None, 0
        beat.last_ms = now_ms
        beat.due_ms = now_ms + beat.settings.interval.ms + beat.settings.grace.ms
        certain, beat.called = beat.called, True
        if certain and since_ms is None:
            return []
        return [_alert(beat, now_ms if since_ms is None else since_ms, now_ms, now_ms)]

    def missing(self, now_ms: int) -> list[Alert]:
        """The alerts of those that are missing, to be reported now."""
        found: list[Alert] = []
        for beat in self.beats.values():
            if max(beat.due_ms, beat.report_ms) <= now_ms:
                if beat.missing_since_ms is None:
                    beat.missing_since_ms = beat.due_ms
                beat.report_ms = now_ms + _REPEAT_MS
                found.append(_alert(beat, beat.missing_since_ms, now_ms + _LASTS_MS, now_ms))
        return found

    def reconfigure(self, settings: Iterable[AlertHeartbeat], now_ms: int) -> list[Alert]:
        """Wait for others; the ends of the alerts of those that are not waited for any more, or differently."""
        before = self.beats
        last = {name: beat.last_ms for name, beat in before.items() if beat.last_ms is not None}
        self.beats = Heartbeats(settings, last, now_ms).beats
        ended: list[Alert] = []
        for name, beat in before.items():
            now = self.beats.get(name)
            if now is not None and now.settings == beat.settings:
                self.beats[name] = beat
            elif beat.missing_since_ms is not None:
                ended.append(_alert(beat, beat.missing_since_ms, now_ms, now_ms))
        return ended


def _alert(beat: Beat, starts_ms: int, ends_ms: int, now_ms: int) -> Alert:
    settings = beat.settings
    labels = {"alertname": ALERT_NAME, **dict(settings.labels), "heartbeat": settings.name}
    summary = f"The heartbeat {settings.name} is missing: it is expected every {settings.interval}."
    return complete(
        labels,
        {"summary": summary, **dict(settings.annotations)},
        now_ms=now_ms,
        resolve_timeout_ms=_LASTS_MS,
        starts_ms=min(starts_ms, ends_ms),
        ends_ms=ends_ms,
    )
