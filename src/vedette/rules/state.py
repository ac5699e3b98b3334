"""The alert state machine, on columns: all alerts of a rule advance at once.

An alert is pending from the first evaluation that finds it until it has been found for the whole of `for`; then it
fires, until it is not found any more and `keep_firing_for` is over. A resolved alert is remembered for 15 minutes, so
that whoever missed its end is told again.

Pure: the time is given. Names and labels of alerts are in `alerting`.
Source: Prometheus' `rules/alerting.go` (`Eval`, `needsSending`, `sendAlerts`) and `rules/group.go` (`RestoreForState`).
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Int64s = NDArray[np.int64]

NEVER: Final = -(1 << 62)
"""A time that has not been."""

RESOLVED_RETENTION_MS: Final = 15 * 60_000
"""How long a resolved alert is kept."""

_VALID_FOR: Final = 4
"""Rounds of sending: two may fail before an alert counts as ended because nothing is heard of it."""


class AlertState(IntEnum):
    """Where an alert is; the more pressing the higher."""

    INACTIVE = 0
    PENDING = 1
    FIRING = 2


AlertRows = NDArray[np.void]
"""One row per alert; fields see `ALERT_ROW`. Not changed in place: every step makes a new array."""

ALERT_ROW: Final = np.dtype(
    [
        ("state", np.int8),  # an AlertState
        ("active_ms", np.int64),  # since when it is found
        ("fired_ms", np.int64),  # since when it fires; NEVER while it is pending
        ("resolved_ms", np.int64),  # when it ended; NEVER while it has not
        ("keep_ms", np.int64),  # since when it is not found and fires on; else NEVER
        ("sent_ms", np.int64),  # when it was sent last, or NEVER
        ("valid_ms", np.int64),  # when it ends for its receivers if nothing more is heard of it
        ("value", np.float64),  # of the series, when it was found last
        ("seen_ms", np.int64),  # when it was found last
    ]
)


def new_alerts(count: int, at_ms: int) -> AlertRows:
    """Alerts that are found for the first time; they are pending."""
    rows = np.zeros(count, ALERT_ROW)
    rows["state"] = AlertState.PENDING
    rows["active_ms"] = at_ms
    for name in ("fired_ms", "resolved_ms", "keep_ms", "sent_ms", "valid_ms", "seen_ms"):
        rows[name] = NEVER
    return rows


def advance(
    rows: AlertRows, found: Bools, *, at_ms: int, hold_ms: int, keep_firing_ms: int
) -> tuple[AlertRows, Bools, Bools]:
    """One evaluation further.

    Args:
        rows: the alerts before it, new ones as `new_alerts` makes them.
        found: which of them the expression found.
        at_ms: time of the evaluation.
        hold_ms: `for`.
        keep_firing_ms: `keep_firing_for`.

    Returns:
        The alerts after it; which of them are active (pending or firing); and which are to be forgotten.
    """
    rows = rows.copy()
    back = found & (rows["state"] == AlertState.INACTIVE)
    if back.any():
        rows[back] = new_alerts(int(back.sum()), at_ms)
    before = rows["state"].copy()
    firing = before == AlertState.FIRING

    missed = firing & ~found & (keep_firing_ms > 0)
    rows["keep_ms"][missed & (rows["keep_ms"] == NEVER)] = at_ms
    rows["keep_ms"][found] = NEVER
    kept = missed & (at_ms - rows["keep_ms"] < keep_firing_ms)

    ended = firing & ~found & ~kept
    resolved = rows["resolved_ms"]
    gone = ~found & (before == AlertState.PENDING)
    gone |= ~found & (resolved != NEVER) & (at_ms - resolved > RESOLVED_RETENTION_MS)
    rows["state"][ended] = AlertState.INACTIVE
    rows["resolved_ms"][ended] = at_ms

    active = found | kept
    held = at_ms - rows["active_ms"] >= hold_ms
    fires = active & (rows["state"] == AlertState.PENDING) & held
    rows["state"][fires] = AlertState.FIRING
    rows["fired_ms"][fires] = at_ms
    # `for` was made longer by a reload.
    too_soon = active & (rows["state"] == AlertState.FIRING) & ~held
    rows["state"][too_soon] = AlertState.PENDING
    for name in ("fired_ms", "sent_ms", "keep_ms"):
        rows[name][too_soon] = NEVER
    return rows, active, gone


def send(rows: AlertRows, *, at_ms: int, resend_delay_ms: int, interval_ms: int) -> tuple[AlertRows, Int64s]:
    """Which alerts are due to be sent, and the alerts once they are.

    Firing ones are sent again and again, resolved ones at once and again while they are remembered.

    Returns:
        The alerts, and int64[due] their places.
    """
    due = rows["state"] != AlertState.PENDING
    due &= (rows["resolved_ms"] > rows["sent_ms"]) | (rows["sent_ms"] + resend_delay_ms < at_ms)
    places = np.flatnonzero(due)
    if len(places):
        rows = rows.copy()
        rows["sent_ms"][places] = at_ms
        rows["valid_ms"][places] = at_ms + _VALID_FOR * max(interval_ms, resend_delay_ms)
    return rows, places


def restored_since(since_ms: int, last_seen_ms: int, *, at_ms: int, hold_ms: int, grace_ms: int) -> int | None:
    """Since when an alert counts as found, after a time in which nobody looked.

    Time in which nobody looked does not count towards `for`, and an alert that was about to fire is given some time
    to be found wrong.

    Args:
        since_ms: since when it was found before.
        last_seen_ms: when it was found last.
        at_ms: now.
        hold_ms: `for`.
        grace_ms: the least time until it fires; rules with a shorter `for` are not restored at all.
    """
    if hold_ms < grace_ms:
        return None
    remaining_ms = hold_ms - (last_seen_ms - since_ms)
    if remaining_ms <= 0:
        return since_ms  # it was firing
    if remaining_ms < grace_ms:
        return at_ms + grace_ms - hold_ms
    return since_ms + (at_ms - last_seen_ms)
