"""Templates of notifications, with Alertmanager's data, functions and default texts."""

from vedette.alerting.templates.data import NotificationFacts, notification_data
from vedette.alerting.templates.library import NotificationTemplates, load_templates

__all__ = [
    "NotificationFacts",
    "NotificationTemplates",
    "load_templates",
    "notification_data",
]
