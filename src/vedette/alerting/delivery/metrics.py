"""What delivery says of itself, under Alertmanager's names.

Source: Alertmanager's `notify.NewMetrics`, with the receiver's name as with its `receiver-name-in-metrics`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from vedette.alerting.delivery.faults import Reason
from vedette.alerting.notification_log import Address

_LABELS: Final = ("integration", "receiver_name")
_BUCKETS: Final = (1.0, 5.0, 10.0, 15.0, 20.0)


class DeliveryMetrics:
    """The metrics of all integrations."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *more: str) -> Counter:
            return Counter(name, text, (*_LABELS, *more), registry=registry)

        self.notifications = counter("alertmanager_notifications", "Notifications that were to be sent.")
        self.failed = counter("alertmanager_notifications_failed", "Notifications that were not sent.", "reason")
        self.requests = counter("alertmanager_notification_requests", "Attempts to send a notification.")
        self.requests_failed = counter("alertmanager_notification_requests_failed", "Attempts that failed.")
        self.latency = Histogram(
            "alertmanager_notification_latency_seconds",
            "Time that an attempt took.",
            _LABELS,
            buckets=_BUCKETS,
            registry=registry,
        )
        self.waiting = Gauge(
            "vedette_notifications_waiting",
            "Notifications that are being sent, or wait for it.",
            _LABELS,
            registry=registry,
        )
        self._users: dict[tuple[str, str], int] = {}

    def of(self, address: Address) -> CourierMetrics:
        """The metrics of one integration; of those of a kind in a receiver they are added up."""
        key = (address.kind, address.receiver)
        self._users[key] = self._users.get(key, 0) + 1
        return CourierMetrics(self, key)

    def forget(self, key: tuple[str, str]) -> None:
        """One integration less counts here."""
        self._users[key] -= 1
        if self._users[key]:
            return
        del self._users[key]
        for metric in (self.notifications, self.requests, self.requests_failed, self.latency, self.waiting):
            metric.remove(*key)
        for reason in Reason:
            self.failed.remove(*key, reason)


class CourierMetrics:
    """One integration's metrics; they begin at zero, so that rates are right from the first failure on."""

    def __init__(self, all_: DeliveryMetrics, key: tuple[str, str]) -> None:
        self.notifications = all_.notifications.labels(*key)
        self.requests = all_.requests.labels(*key)
        self.requests_failed = all_.requests_failed.labels(*key)
        self.latency = all_.latency.labels(*key)
        self.waiting = all_.waiting.labels(*key)
        self._failed: dict[Reason, Callable[[], None]] = {
            reason: all_.failed.labels(*key, reason).inc for reason in Reason
        }
        self._forget: Callable[[], None] = lambda: all_.forget(key)

    def failed(self, reason: Reason) -> None:
        """Count a notification that was not sent."""
        self._failed[reason]()

    def forget(self) -> None:
        """The integration is gone."""
        self._forget()
