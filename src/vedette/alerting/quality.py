"""Which alerts are worth having: how often each fired, and what became of it.

An alert that fires often and ends by itself within minutes, that is always silenced, or that wakes people at night
for nothing, wants another threshold, a longer `for`, or to go.

Pure: made from the records of decisions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from statistics import median
from typing import Final

from vedette.alerting.records import Record, Verdict

_SHORT_MS: Final = 5 * 60_000
_NIGHT: Final = frozenset({22, 23, 0, 1, 2, 3, 4, 5})
"""Hours at which a message wakes somebody."""


@dataclass(slots=True)
class Quality:
    """What became of the alerts of one name.

    Attributes:
        name: the `alertname`.
        fired: how often one began to fire.
        short: how often one ended within five minutes.
        told: messages about it that arrived.
        told_at_night: those between 22 and 6 o'clock.
        failed: messages that did not arrive.
        silenced: how often one was silenced.
        inhibited: how often another alert hid one.
        flapping: how often one began to flap.
        durations_ms: how long those that ended had fired.
    """

    name: str
    fired: int = 0
    short: int = 0
    told: int = 0
    told_at_night: int = 0
    failed: int = 0
    silenced: int = 0
    inhibited: int = 0
    flapping: int = 0
    durations_ms: list[int] = field(default_factory=list[int])

    @property
    def median_ms(self) -> int | None:
        """How long one usually fires."""
        return int(median(self.durations_ms)) if self.durations_ms else None


def quality(records: Iterable[Record], name_of: Callable[[str], str], zone: tzinfo) -> list[Quality]:
    """What became of alerts, by name; those that fired most often first.

    Args:
        records: in the order in which they were made.
        name_of: the `alertname` of a fingerprint.
        zone: where people sleep.
    """
    found: dict[str, Quality] = {}
    began: dict[str, int] = {}
    messages: set[tuple[str, int | None, Verdict]] = set()
    for record in records:
        name = name_of(record.fingerprint)
        one = found.setdefault(name, Quality(name))
        match record.verdict:
            case Verdict.FIRED:
                one.fired += 1
                began[record.fingerprint] = record.at_ms
            case Verdict.RESOLVED:
                _note_end(one, began.pop(record.fingerprint, None), record.at_ms)
            case Verdict.SENT | Verdict.FAILED:
                # One message about twenty alerts of a name is one message.
                if (name, record.message, record.verdict) not in messages:
                    messages.add((name, record.message, record.verdict))
                    _note_message(one, record, zone)
            case Verdict.SILENCED:
                one.silenced += 1
            case Verdict.INHIBITED:
                one.inhibited += 1
            case Verdict.FLAPPING:
                one.flapping += 1
            case _:
                pass
    return sorted(found.values(), key=lambda one: (-one.fired, one.name))


def quality_fields(one: Quality) -> Mapping[str, object]:
    """As plain data, for JSON."""
    usual_ms = one.median_ms
    return {
        "alertname": one.name,
        "fired": one.fired,
        "endedWithinMinutes": one.short,
        "told": one.told,
        "toldAtNight": one.told_at_night,
        "failed": one.failed,
        "silenced": one.silenced,
        "inhibited": one.inhibited,
        "flapping": one.flapping,
        "medianSeconds": None if usual_ms is None else usual_ms / 1000,
    }


def _note_end(one: Quality, began_ms: int | None, at_ms: int) -> None:
    if began_ms is not None:
        one.durations_ms.append(at_ms - began_ms)
        one.short += at_ms - began_ms <= _SHORT_MS


def _note_message(one: Quality, record: Record, zone: tzinfo) -> None:
    if record.verdict is Verdict.FAILED:
        one.failed += 1
        return
    one.told += 1
    one.told_at_night += datetime.fromtimestamp(record.at_ms / 1000, zone).hour in _NIGHT
