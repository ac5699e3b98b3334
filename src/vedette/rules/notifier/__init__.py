"""Send alerts to Alertmanagers elsewhere, as `alerting.alertmanagers` says."""

from vedette.rules.notifier.addresses import Addresses
from vedette.rules.notifier.notifier import Notifier, PreparedAlertmanagers, open_notifier

__all__ = ["Addresses", "Notifier", "PreparedAlertmanagers", "open_notifier"]
