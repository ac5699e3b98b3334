"""What alerting says of itself, under Alertmanager's names where it has them.

Metrics are collected in other threads, and the machine is not for them: it is counted now and then on the event loop.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from vedette.alerting.service import AlertingService
from vedette.alerting.silences import SilenceState
from vedette.alerting.status import AlertState, alert_status


class AlertingMetrics(Collector):
    """Says what was counted last."""

    def __init__(self, service: AlertingService) -> None:
        self._service = service
        self._alerts: Counter[AlertState] = Counter()
        self._silences: Counter[SilenceState] = Counter()
        self.count()

    def count(self) -> None:
        """Count alerts and silences by state; on the event loop."""
        pipeline, now_ms = self._service.pipeline, self._service.now_ms()
        holdings = pipeline.holdings
        self._alerts = Counter(alert_status(pipeline, held, now_ms).state for held in holdings.alerts.values())
        self._silences = Counter(one.state_at(now_ms) for one in holdings.silences)

    def collect(self) -> Iterator[Metric]:
        """The metrics."""
        service, pipeline = self._service, self._service.pipeline
        holdings = pipeline.holdings
        family = GaugeMetricFamily("alertmanager_alerts", "How many alerts by state.", labels=["state"])
        for state in AlertState:
            family.add_metric([state.value], self._alerts[state])
        yield family
        family = GaugeMetricFamily("alertmanager_silences", "How many silences by state.", labels=["state"])
        for one in SilenceState:
            family.add_metric([one.value], self._silences[one])
        yield family
        yield GaugeMetricFamily(
            "alertmanager_dispatcher_aggregation_groups", "Number of active groups.", value=len(holdings.groups)
        )
        yield GaugeMetricFamily(
            "alertmanager_nflog_entries", "Entries of the notification log.", value=len(holdings.log)
        )
        yield GaugeMetricFamily(
            "vedette_alerting_messages_in_flight", "Messages on their way to receivers.", value=pipeline.in_flight()
        )
        yield CounterMetricFamily(
            "vedette_alerts_received", "Reports of alerts that were taken.", value=service.received
        )
        yield CounterMetricFamily(
            "vedette_alerts_refused", "Alerts refused because too many are known.", value=service.refused
        )
        yield CounterMetricFamily(
            "vedette_alerting_history_dropped",
            "Decisions that were not written down because the disk failed for too long.",
            value=service.keeper.dropped,
        )
        yield GaugeMetricFamily(
            "vedette_alerting_storage_failing",
            "Whether the last attempt to store alerting's state failed: 1 or 0.",
            value=int(service.keeper.failing),
        )
