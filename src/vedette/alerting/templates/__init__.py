"""Templates of notifications, with Alertmanager's data, functions and default texts."""

from vedette.alerting.templates.data import NotificationFacts, alert_of, data_of, kv, notification_data
from vedette.alerting.templates.library import LIMITS, Library, load_library

__all__ = [
    "LIMITS",
    "Library",
    "NotificationFacts",
    "alert_of",
    "data_of",
    "kv",
    "load_library",
    "notification_data",
]
