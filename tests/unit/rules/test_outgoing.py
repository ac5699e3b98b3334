from __future__ import annotations

from collections.abc import Sequence

from harness.rules import labels_of
from vedette.config import Action, RelabelRule
from vedette.ingest.relabel import compile_rules
from vedette.model.alerts import Alert
from vedette.model.labels import LabelSet
from vedette.rules import Outgoing


class Sink:
    def __init__(self) -> None:
        self.seen: list[Alert] = []

    def receive(self, alerts: Sequence[Alert]) -> None:
        self.seen.extend(alerts)


def alert(labels: LabelSet) -> Alert:
    return Alert(labels=labels, annotations=(), starts_ms=0, ends_ms=1, updated_ms=0)


def test_external_labels_are_added_where_the_alert_has_no_such_label() -> None:
    sink = Sink()

    Outgoing([sink], labels_of(region="eu", team="all"))([alert(labels_of(alertname="A", team="dba"))])

    assert [one.labels for one in sink.seen] == [labels_of(alertname="A", region="eu", team="dba")]


def test_relabelling_sees_external_labels_and_may_drop_alerts() -> None:
    sink = Sink()
    rules = compile_rules(
        [
            RelabelRule(source_labels=("severity",), regex="none", action=Action.DROP),
            RelabelRule(regex="replica", action=Action.LABELDROP),
        ]
    )

    outgoing = Outgoing([sink], labels_of(replica="a"), rules)
    outgoing([alert(labels_of(alertname="A", severity="none")), alert(labels_of(alertname="B"))])

    assert [one.labels for one in sink.seen] == [labels_of(alertname="B")]


def test_every_sink_is_told() -> None:
    sinks = [Sink(), Sink()]

    Outgoing(sinks)([alert(labels_of(alertname="A"))])

    assert [len(sink.seen) for sink in sinks] == [1, 1]
