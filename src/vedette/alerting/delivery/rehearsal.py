"""Test messages: an alert that is none, and its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from vedette.alerting.notification_log import Address, Reason
from vedette.alerting.records import Form, Notify, Told
from vedette.model.alerts import Alert
from vedette.model.labels import label_set

_LASTS_MS: Final = 5 * 60_000


def notices(address: Address, now_ms: int, *, send_resolved: bool) -> Iterator[Notify]:
    """What an integration is sent for a test: an alert, and its end where it wants to hear of ends.

    Args:
        address: the integration.
        now_ms: the time, milliseconds since the epoch.
        send_resolved: whether it wants to hear of ends.
    """
    labels = label_set({"alertname": "VedetteTest", "receiver": address.receiver, "severity": "info"})
    annotations = label_set(
        {
            "summary": f"This is a test of the receiver {address.receiver}. Nothing is wrong.",
            "description": "Somebody wanted to know whether notifications arrive here. They do.",
        }
    )
    for firing in (True, False) if send_resolved else (True,):
        end_ms = now_ms + _LASTS_MS if firing else now_ms
        alert = Alert(labels, annotations, now_ms - _LASTS_MS, end_ms, now_ms)
        yield Notify(
            id=0,
            form=Form.GROUP,
            address=address,
            group_key=f"test:{address}:{now_ms}",
            alerts=(Told(alert, firing),),
            at_ms=now_ms,
            give_up_ms=now_ms + _LASTS_MS,
            group_labels=label_set({"alertname": "VedetteTest"}),
            reason=Reason.FIRST if firing else Reason.ALL_RESOLVED,
        )
