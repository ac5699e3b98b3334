"""What leaves with an alert: the external labels, and what `alert_relabel_configs` make of it.

Source: Prometheus' `notifier/notifier.go` (`relabelAlerts`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from vedette.ingest.relabel import Rules, relabel
from vedette.model.alerts import Alert
from vedette.model.labels import LabelSet, label_set


class AlertSink(Protocol):
    """Is told of alerts: again and again while they fire, and when they have ended."""

    def receive(self, alerts: Sequence[Alert]) -> None:
        """Take alerts. Quick, and never fails."""
        ...


@dataclass(slots=True)
class Outgoing:
    """Hands alerts to all sinks, in the form in which others see them.

    Attributes:
        sinks: who is told.
        external_labels: set on every alert that has no such label.
        rules: of `alerting.alert_relabel_configs`.
    """

    sinks: Sequence[AlertSink] = ()
    external_labels: LabelSet = ()
    rules: Rules = ()

    def __call__(self, alerts: Sequence[Alert]) -> None:
        """Hand them on."""
        if not self.sinks:
            return
        shown = relabelled(alerts, self.rules, self.external_labels)
        if shown:
            for sink in self.sinks:
                sink.receive(shown)


def relabelled(alerts: Sequence[Alert], rules: Rules, external_labels: LabelSet = ()) -> list[Alert]:
    """Alerts with external labels and relabelled, those that are dropped left out."""
    shown: list[Alert] = []
    for alert in alerts:
        labels = relabel(label_set(dict(external_labels) | dict(alert.labels)), rules)
        if labels is not None:
            shown.append(alert if labels == alert.labels else dataclasses.replace(alert, labels=labels))
    return shown
