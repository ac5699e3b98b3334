"""A silence that is about to end, as an alert of its own: routes decide who hears of it."""

from __future__ import annotations

from typing import Final

from vedette.alerting.matchers import format_matchers
from vedette.alerting.silences import Silence
from vedette.model.alerts import Alert
from vedette.model.labels import label_set

ALERT_NAME: Final = "SilenceEnding"


def reminder(silence: Silence, now_ms: int) -> Alert:
    """The alert; it ends with the silence."""
    labels = {"alertname": ALERT_NAME, "silence": silence.id, "created_by": silence.created_by}
    notes = {
        "summary": f"The silence of {silence.created_by} on {format_matchers(silence.matchers)} is about to end.",
        "description": silence.comment,
        "ticket": silence.ticket_url,
    }
    return Alert(label_set(labels), label_set(notes), now_ms, silence.ends_ms, now_ms)
