"""What survives a restart, as rows of plain data: a table, a key and JSON-able content.

Whoever stores them needs no knowledge of what is in them. A row without content is deleted.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, cast

from vedette.alerting.digest import Digest, DigestItem
from vedette.alerting.flapping import Changes
from vedette.alerting.intervals import TimeInterval
from vedette.alerting.matchers import LabelMatcher, label_matcher
from vedette.alerting.notification_log import Address, Entry
from vedette.alerting.routing import GroupId
from vedette.alerting.silences import Recurrence, Silence
from vedette.model.alerts import Alert
from vedette.model.labels import LabelSet
from vedette.model.matchers import MatchOp


class Table(StrEnum):
    """Kinds of rows."""

    ALERT = "alert"
    GROUP = "group"
    LOG = "log"
    SILENCE = "silence"
    DIGEST = "digest"
    CHANGES = "changes"


Key = tuple[Any, ...]
"""Texts, whole numbers, or label sets; as a JSON list it is a unique name within its table."""


class Row(NamedTuple):
    """Something to store.

    Attributes:
        table: its kind.
        key: its name.
        content: JSON-able; None if it is to be deleted.
    """

    table: Table
    key: Key
    content: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class KeptAlert:
    """An alert with what was known about it.

    Attributes:
        alert: the alert.
        firing: whether it was firing when it was last looked at.
        gone: ids of routes whose groups it has left, because its end was told there.
    """

    alert: Alert
    firing: bool
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptGroup:
    """The clock of a group."""

    id: GroupId
    next_flush_ms: int
    flushed: bool


@dataclass(frozen=True, slots=True)
class KeptEntry:
    """What was told about a group."""

    group_key: str
    address: Address
    entry: Entry


@dataclass(frozen=True, slots=True)
class KeptDigest:
    """What is collected for an integration."""

    address: Address
    items: dict[str, DigestItem]
    omitted: int


@dataclass(frozen=True, slots=True)
class KeptChanges:
    """The recent changes of an alert."""

    fingerprint: str
    changes: Changes


Kept = KeptAlert | KeptGroup | KeptEntry | KeptDigest | KeptChanges | Silence


def encode_alert(kept: KeptAlert) -> dict[str, Any]:
    """An alert as plain data."""
    return {**_alert(kept.alert), "firing": kept.firing, "gone": list(kept.gone)}


def encode_group(kept: KeptGroup) -> dict[str, Any]:
    """A group's clock as plain data."""
    return {"next_flush_ms": kept.next_flush_ms, "flushed": kept.flushed}


def encode_entry(entry: Entry) -> dict[str, Any]:
    """An entry of the notification log as plain data."""
    return {
        "at_ms": entry.at_ms,
        "firing": sorted(entry.firing),
        "resolved": sorted(entry.resolved),
        "expires_ms": entry.expires_ms,
    }


def encode_silence(silence: Silence) -> dict[str, Any]:
    """A silence as plain data."""
    content = {name: getattr(silence, name) for name in _SILENCE_FIELDS}
    content["matchers"] = [[one.name, str(one.op), one.value] for one in silence.matchers]
    if silence.recurrence is not None:
        recurrence = silence.recurrence
        content["recurrence"] = {
            "intervals": [_interval(one) for one in recurrence.intervals],
            "cron": recurrence.cron,
            "duration_ms": recurrence.duration_ms,
            "location": recurrence.location,
        }
    return content


def encode_digest(digest: Digest) -> dict[str, Any]:
    """What is collected, as plain data."""
    items = {
        name: {**{one: getattr(item, one) for one in _ITEM_FIELDS}, "alert": _alert(item.alert)}
        for name, item in digest.items.items()
    }
    return {"items": items, "omitted": digest.omitted}


def encode_changes(changes: Changes) -> dict[str, Any]:
    """Recent changes as plain data."""
    return {"times": list(changes.times), "flapping": changes.flapping}


def decode(row: Row) -> Kept:
    """What a row says.

    Raises:
        ValueError, KeyError, TypeError: it is not what was stored.
    """
    key, content = row.key, row.content
    if content is None:
        raise ValueError(f"the row {row.table} {row.key} is deleted")
    match row.table:
        case Table.ALERT:
            return KeptAlert(_read_alert(content), bool(content["firing"]), tuple(content["gone"]))
        case Table.GROUP:
            group_id = GroupId(str(key[0]), _read_labels(key[1]))
            return KeptGroup(group_id, int(content["next_flush_ms"]), bool(content["flushed"]))
        case Table.LOG:
            entry = Entry(
                int(content["at_ms"]),
                frozenset(content["firing"]),
                frozenset(content["resolved"]),
                int(content["expires_ms"]),
            )
            return KeptEntry(str(key[0]), Address(*key[1:]), entry)
        case Table.SILENCE:
            return _read_silence(content)
        case Table.DIGEST:
            items = {
                name: DigestItem(alert=_read_alert(one["alert"]), **{field: one[field] for field in _ITEM_FIELDS})
                for name, one in cast("dict[str, dict[str, Any]]", content["items"]).items()
            }
            return KeptDigest(Address(*key), items, int(content["omitted"]))
        case Table.CHANGES:
            return KeptChanges(str(key[0]), Changes([int(one) for one in content["times"]], bool(content["flapping"])))


_SILENCE_FIELDS = (
    "id",
    "starts_ms",
    "ends_ms",
    "updated_ms",
    "created_by",
    "comment",
    "ticket_url",
    "remind_ms",
    "reminded",
)
_ITEM_FIELDS = ("firing", "fired", "resolved", "first_ms", "last_ms", "group_key")


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "starts_ms": alert.starts_ms,
        "ends_ms": alert.ends_ms,
        "updated_ms": alert.updated_ms,
        "generator_url": alert.generator_url,
        "presumed_end": alert.presumed_end,
    }


def _read_alert(content: Mapping[str, Any]) -> Alert:
    return Alert(
        labels=tuple(sorted(content["labels"].items())),
        annotations=tuple(sorted(content["annotations"].items())),
        starts_ms=int(content["starts_ms"]),
        ends_ms=int(content["ends_ms"]),
        updated_ms=int(content["updated_ms"]),
        generator_url=str(content["generator_url"]),
        presumed_end=bool(content["presumed_end"]),
    )


def _read_labels(found: Any) -> LabelSet:
    return tuple((str(name), str(value)) for name, value in found)


def _interval(interval: TimeInterval) -> dict[str, Any]:
    return {field.name: getattr(interval, field.name) for field in dataclasses.fields(interval)}


def _read_interval(content: Mapping[str, Any]) -> TimeInterval:
    ranges = {
        name: tuple((int(first), int(last)) for first, last in content[name])
        for name in ("times", "weekdays", "days_of_month", "months", "years")
    }
    return TimeInterval(location=str(content["location"]), **ranges)


def _read_silence(content: Mapping[str, Any]) -> Silence:
    matchers: list[LabelMatcher] = [label_matcher(name, MatchOp(op), value) for name, op, value in content["matchers"]]
    found = content.get("recurrence")
    recurrence = (
        Recurrence(
            tuple(_read_interval(one) for one in found["intervals"]),
            str(found["cron"]),
            int(found["duration_ms"]),
            str(found["location"]),
        )
        if found
        else None
    )
    fields = {name: content[name] for name in _SILENCE_FIELDS}
    return Silence(matchers=tuple(matchers), recurrence=recurrence, **fields)
