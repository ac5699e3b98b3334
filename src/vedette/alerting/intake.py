"""Alerts as they come in: what is missing is filled in, what is wrong is refused, and news join what is known.

Whoever finds an alert tells of it again and again while it lasts. Each report says from when to when; a report
without an end counts for `resolve_timeout`. Two reports of one time span make one alert with the earlier start.

Source: Alertmanager's `api/v2` (`postAlertsHandler`), `alert/alert.go` and `provider/mem`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from vedette.model.alerts import Alert
from vedette.model.labels import label_set


class AlertError(ValueError):
    """An alert that cannot be taken; the message says why, as Alertmanager words it."""


def complete(
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    *,
    now_ms: int,
    resolve_timeout_ms: int,
    starts_ms: int | None = None,
    ends_ms: int | None = None,
    generator_url: str = "",
) -> Alert:
    """An alert as somebody reports it, with what they left out.

    Args:
        labels: its identity; empty values count as absent.
        annotations: what people are told.
        now_ms: when it was reported.
        resolve_timeout_ms: how long it counts if it has no end.
        starts_ms: since when it fires; None for now, or for its end where that is given.
        ends_ms: when it ended or will; None if that is not known.
        generator_url: where its cause can be seen.

    Raises:
        AlertError: it has no labels, a name is none, or it ends before it starts.
    """
    names = label_set(labels)
    if starts_ms is None:
        starts_ms = now_ms if ends_ms is None else ends_ms
    if ends_ms is not None and ends_ms < starts_ms:
        raise AlertError("start time must be before end time")
    if not names:
        raise AlertError("at least one label pair required")
    _check(names, "label set")
    notes = tuple(sorted(annotations.items()))
    _check(notes, "annotations")
    end = now_ms + resolve_timeout_ms if ends_ms is None else ends_ms
    return Alert(names, notes, starts_ms, end, now_ms, generator_url, presumed_end=ends_ms is None)


def join(old: Alert, new: Alert) -> Alert:
    """What is known once a new report of an alert has come in."""
    overlap = old.starts_ms < new.ends_ms < old.ends_ms or old.starts_ms < new.starts_ms < old.ends_ms
    return merge(old, new) if overlap else new


def merge(one: Alert, other: Alert) -> Alert:
    """Two reports of one alert as one: the younger report, with the earlier start.

    A report that it will last longer is not shortened by a younger one, unless that says that it is over.
    """
    old, new = (other, one) if other.updated_ms < one.updated_ms else (one, other)
    now_ms = new.updated_ms
    end = new.ends_ms
    if new.resolved_at(now_ms):
        if old.resolved_at(now_ms) and old.ends_ms > new.ends_ms:
            end = old.ends_ms
    elif old.ends_ms > new.ends_ms and not old.presumed_end:
        end = old.ends_ms
    start = min(old.starts_ms, new.starts_ms)
    if start == new.starts_ms and end == new.ends_ms:
        return new
    return dataclasses.replace(new, starts_ms=start, ends_ms=end)


def _check(pairs: tuple[tuple[str, str], ...], what: str) -> None:
    for name, value in pairs:
        if not name or not _is_text(name):
            raise AlertError(f'invalid {what}: invalid name "{name}"')
        if not _is_text(value):
            raise AlertError(f"invalid {what}: invalid value {value!r}")


def _is_text(text: str) -> bool:
    return text.isascii() or not any(0xD800 <= ord(char) <= 0xDFFF for char in text)
