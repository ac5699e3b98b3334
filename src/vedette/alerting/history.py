"""Why was this sent, and why was nobody told: answers from the records of decisions.

Records say what changed. What held at a time is the last record before it, for each group that the alert was in and
each integration; a decision for all of a receiver's integrations replaces those for each, and the other way round.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from vedette.alerting.notification_log import Address
from vedette.alerting.records import Record, Verdict


def standing(records: Iterable[Record], fingerprint: str, at_ms: int, *, receiver: str = "") -> list[Record]:
    """What held for an alert at a time: whether it was firing, and what was decided for each receiver.

    Args:
        records: all that may concern the alert, in any order.
        fingerprint: the alert.
        at_ms: the time, milliseconds since the epoch.
        receiver: only for this receiver; empty for all.

    Returns:
        First the record of its last beginning or end, then the decisions in the order in which they were made; nothing
        if the alert was not known by then.
    """
    life: Record | None = None
    decisions: dict[tuple[str, str], dict[Address | None, Record]] = {}
    for record in _of(records, fingerprint, at_ms):
        if record.verdict in (Verdict.FIRED, Verdict.RESOLVED, Verdict.FLAPPING):
            life = record if record.verdict is not Verdict.FLAPPING else life
            continue
        if receiver and record.receiver != receiver:
            continue
        place = decisions.setdefault((record.group_key, record.route_id), {})
        if record.address is None:
            place.clear()
        else:
            place.pop(None, None)
        place[record.address] = record
    found = sorted((one for place in decisions.values() for one in place.values()), key=lambda one: one.at_ms)
    return [life, *found] if life is not None else found


def why_sent(records: Iterable[Record], message: int) -> list[Record]:
    """What led to a message: for each of its alerts its beginning, its wait and the message itself, by time."""
    all_records = sorted(records, key=lambda one: one.at_ms)
    sending = {one.fingerprint: one for one in all_records if one.message == message}
    chain: list[Record] = []
    for fingerprint, last in sending.items():
        known = [one for one in all_records if one.fingerprint == fingerprint and one.at_ms <= last.at_ms]
        lives = [one for one in known if one.verdict in (Verdict.FIRED, Verdict.RESOLVED)]
        before = [one for one in known if one.message is None and last.group_key and one.group_key == last.group_key]
        chain += [*lives[-1:], *before[-1:], *(one for one in known if one.message == message)]
    return sorted(chain, key=lambda one: one.at_ms)


def sentence(record: Record) -> str:
    """A record in words."""
    who = f" for {record.address or record.receiver}" if record.receiver else ""
    until = f" until {_shown(record.until_ms)}" if record.until_ms is not None else ""
    by = f" by {', '.join(record.by)}" if record.by else ""
    detail = f" ({record.detail})" if record.detail else ""
    return f"{_shown(record.at_ms)} {record.verdict}{by}{who}{until}{detail}"


def record_fields(record: Record) -> dict[str, Any]:
    """A record as plain data, for events; what is not set is left out."""
    fields: dict[str, Any] = {
        "at_ms": record.at_ms,
        "fingerprint": record.fingerprint,
        "verdict": record.verdict.name.lower(),
        "receiver": record.receiver,
        "address": list(record.address) if record.address is not None else None,
        "group_key": record.group_key,
        "route_id": record.route_id,
        "by": list(record.by),
        "detail": str(record.detail),
        "until_ms": record.until_ms,
        "message": record.message,
    }
    return {name: value for name, value in fields.items() if value not in ("", None, [])}


def read_record(fields: dict[str, Any]) -> Record:
    """The record that some plain data are.

    Raises:
        ValueError, KeyError, TypeError: they are none.
    """
    address = fields.get("address")
    return Record(
        at_ms=int(fields["at_ms"]),
        fingerprint=str(fields["fingerprint"]),
        verdict=Verdict[str(fields["verdict"]).upper()],
        receiver=str(fields.get("receiver", "")),
        address=Address(*address) if address is not None else None,
        group_key=str(fields.get("group_key", "")),
        route_id=str(fields.get("route_id", "")),
        by=tuple(fields.get("by", ())),
        detail=str(fields.get("detail", "")),
        until_ms=fields.get("until_ms"),
        message=fields.get("message"),
    )


def _of(records: Iterable[Record], fingerprint: str, at_ms: int) -> list[Record]:
    found = [one for one in records if one.fingerprint == fingerprint and one.at_ms <= at_ms]
    return sorted(found, key=lambda one: one.at_ms)  # stable: what one call noted stays in its order


def _shown(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
