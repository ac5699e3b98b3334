from __future__ import annotations

import numpy as np
import pytest

from harness.rules import MINUTE, LabelTemplates, answer, groups_of, labels_of, store_of
from vedette.lang.promql import parse
from vedette.model.labels import LabelSet
from vedette.query.promql import InstantValue, evaluate_instant
from vedette.rules import AlertingRule, AlertState, Surroundings
from vedette.rules.alerting import DUPLICATE, Alerting, LastForState
from vedette.rules.outcome import RuleError, Samples
from vedette.rules.unit_tests.store import UnitTestStore

UP = 'up{job="node",instance="a"} 0x60'
BOTH = (UP, 'up{job="node",instance="b"} 0 0 1 0x60')


def rule_of(*lines: str, expr: str = "up == 0") -> AlertingRule:
    text = f"groups: [{{name: g, rules: [{{alert: Down, expr: '{expr}', {', '.join(lines)}}}]}}]"
    rule = groups_of(text)[0].rules[0]
    assert isinstance(rule, AlertingRule)
    return rule


def alerting(*lines: str, expr: str = "up == 0", around: Surroundings | None = None, **options: bool) -> Alerting:
    return Alerting(rule_of(*lines, expr=expr), LabelTemplates(), around or Surroundings(), **options)


def step(machine: Alerting, store: UnitTestStore, minute: int, *, limit: int = 0) -> dict[LabelSet, float]:
    value = answer(store, machine.rule.query, minute * MINUTE)
    return shown(machine.step(value, at_ms=minute * MINUTE, limit=limit))


def shown(samples: Samples) -> dict[LabelSet, float]:
    found = {
        samples.numbers.labels(n): v for n, v in zip(samples.series.tolist(), samples.values.tolist(), strict=True)
    }
    assert len(found) == len(samples.series)
    return found


def test_an_alert_has_the_labels_of_its_series_and_of_its_rule() -> None:
    machine = alerting(
        "labels: {severity: page, who: '{{ $labels.instance }}'}", "annotations: {s: 'it is {{ $value }}'}"
    )

    step(machine, store_of(UP), 0)

    (alert,) = machine.active()
    assert alert.labels == labels_of(alertname="Down", instance="a", job="node", severity="page", who="a")
    assert alert.annotations == (("s", "it is 0"),)
    assert (alert.state, alert.active_ms, alert.value) == (AlertState.FIRING, 0, 0.0)


def test_a_label_whose_template_gives_nothing_is_absent() -> None:
    machine = alerting("labels: {job: '', zone: '{{ $labels.zone }}'}")

    written = step(machine, store_of(UP), 0)

    assert machine.active()[0].labels == labels_of(alertname="Down", instance="a")
    assert labels_of(name="ALERTS", alertname="Down", instance="a", alertstate="firing") in written


def test_annotations_may_be_empty() -> None:
    machine = alerting("annotations: {s: '', t: '{{ $labels.nothing }}'}")

    step(machine, store_of(UP), 0)

    assert machine.active()[0].annotations == (("s", ""), ("t", ""))


def test_what_is_written_tells_the_state_and_since_when() -> None:
    machine, store = alerting("for: 2m"), store_of(UP)
    pending = labels_of(name="ALERTS", alertname="Down", instance="a", job="node", alertstate="pending")
    firing = labels_of(name="ALERTS", alertname="Down", instance="a", job="node", alertstate="firing")
    since = labels_of(name="ALERTS_FOR_STATE", alertname="Down", instance="a", job="node")

    rounds = [step(machine, store, minute) for minute in (1, 2, 3)]

    assert rounds == [{pending: 1.0, since: 60.0}, {pending: 1.0, since: 60.0}, {firing: 1.0, since: 60.0}]


def test_nothing_is_written_until_the_past_has_been_looked_up() -> None:
    machine, store = alerting(restored=False), store_of(UP)

    before = step(machine, store, 1)
    machine.restore([], at_ms=MINUTE, grace_ms=0)
    after = step(machine, store, 2)

    assert (before, len(after)) == ({}, 2)


def test_each_series_has_its_own_clock() -> None:
    machine, store = alerting("for: 3m"), store_of(*BOTH)

    for minute in range(4):
        step(machine, store, minute)

    states = {dict(alert.labels)["instance"]: (alert.state, alert.active_ms // MINUTE) for alert in machine.active()}
    assert states == {"a": (AlertState.FIRING, 0), "b": (AlertState.PENDING, 3)}


def test_alerts_that_have_the_same_labels_are_an_error_and_change_nothing() -> None:
    machine, store = alerting("labels: {instance: ''}"), store_of(UP, 'up{job="node",instance="b"} _ 0x60')
    step(machine, store, 0)

    with pytest.raises(RuleError, match=DUPLICATE):
        step(machine, store, 1)

    assert [alert.active_ms for alert in machine.active()] == [0]


def test_series_that_take_turns_under_the_same_labels_are_one_alert() -> None:
    machine = alerting("for: 10m", "labels: {instance: ''}")
    store = store_of('up{job="node",instance="a"} 0 1 0 1 0 1', 'up{job="node",instance="b"} 1 0 1 0 1 0')

    for minute in range(6):
        step(machine, store, minute)

    assert [(alert.active_ms, alert.state) for alert in machine.active()] == [(0, AlertState.PENDING)]


def test_a_label_that_holds_the_value_makes_a_new_alert_whenever_the_value_changes() -> None:
    machine, store = alerting("labels: {v: '{{ $value }}'}", expr="load"), store_of("load 1 1 2")

    for minute in range(3):
        step(machine, store, minute)

    found = {dict(alert.labels)["v"]: alert.active_ms // MINUTE for alert in machine.active()}
    assert found == {"2": 2}


@pytest.mark.parametrize(("limit", "fails"), [pytest.param(2, False, id="as many"), pytest.param(1, True, id="more")])
def test_more_alerts_than_the_limit_fail_and_forget_all(limit: int, *, fails: bool) -> None:
    machine, store = alerting(), store_of(*BOTH)

    if fails:
        with pytest.raises(RuleError, match="exceeded limit of 1 with 2 alerts"):
            step(machine, store, 0, limit=limit)
    else:
        step(machine, store, 0, limit=limit)

    assert len(machine.active()) == (0 if fails else 2)


def test_after_a_limit_was_exceeded_the_rule_goes_on() -> None:
    machine, store = alerting(), store_of(*BOTH)
    with pytest.raises(RuleError):
        step(machine, store, 0, limit=1)

    written = step(machine, store, 2, limit=1)

    assert [dict(alert.labels)["instance"] for alert in machine.active()] == ["a"]
    assert len(written) == 2


@pytest.mark.parametrize(
    ("expr", "labels"),
    [
        pytest.param("1", {}, id="a scalar"),
        pytest.param("vector(1)", {}, id="a vector without labels"),
    ],
)
def test_an_alert_need_not_have_a_series(expr: str, labels: dict[str, str]) -> None:
    machine = alerting("labels: {severity: none}", expr=expr)

    for minute in range(3):
        step(machine, store_of(), minute)

    assert [alert.labels for alert in machine.active()] == [labels_of(alertname="Down", severity="none", **labels)]


def test_an_expression_that_gives_no_vector_fails() -> None:
    machine = alerting(expr="up[5m]")

    with pytest.raises(RuleError, match="rule result is not a vector or scalar"):
        step(machine, store_of(UP), 0)


def test_an_alert_is_sent_with_its_end_and_a_link() -> None:
    machine, store = alerting(around=Surroundings(external_url="http://vedette/")), store_of('up{job="x"} 0 1')

    step(machine, store, 0)
    first = machine.send(at_ms=0, resend_delay_ms=MINUTE, interval_ms=MINUTE)
    step(machine, store, 1)
    second = machine.send(at_ms=MINUTE, resend_delay_ms=MINUTE, interval_ms=MINUTE, external_url="http://vedette/")

    assert [(one.starts_ms, one.ends_ms, one.updated_ms) for one in (*first, *second)] == [
        (0, 4 * MINUTE, 0),
        (0, MINUTE, MINUTE),
    ]
    assert second[0].generator_url == "http://vedette/graph?g0.expr=up+%3D%3D+0&g0.tab=1"


def test_annotations_are_expanded_only_where_somebody_reads_them_and_the_value_is_new() -> None:
    templates = LabelTemplates()
    machine = Alerting(rule_of("for: 1m", "annotations: {s: '{{ $value }}'}"), templates, Surroundings())
    store = store_of('up{job="x"} 0x10')

    for minute in range(5):
        step(machine, store, minute)
        machine.send(at_ms=minute * MINUTE, resend_delay_ms=0, interval_ms=MINUTE)

    assert templates.expanded == 1


def test_annotations_that_ask_the_clock_are_expanded_at_every_evaluation() -> None:
    machine, store = alerting("annotations: {s: '{{ now }}'}"), store_of(UP)
    found = []

    for minute in range(3):
        step(machine, store, minute)
        found.append(machine.active()[0].annotations[0][1])

    assert found == ["0", "60000", "120000"]


def test_templates_can_ask_queries() -> None:
    store = store_of(*BOTH)

    def ask(query: str, at_ms: int) -> list[tuple[LabelSet, float]]:
        value = answer(store, query, at_ms)
        return [(labels, 0.0) for labels in value.labels.label_sets()]  # type: ignore[union-attr]

    machine = alerting("annotations: {s: '{{ query \"up\" }}'}", around=Surroundings(query=ask))
    step(machine, store, 0)

    assert machine.is_live
    assert machine.active()[0].annotations == (("s", "2"),)


def test_a_revised_rule_goes_on_with_its_alerts() -> None:
    machine, store = alerting("for: 5m", "annotations: {s: old}"), store_of(UP)
    step(machine, store, 0)

    machine.revise(rule_of("for: 1m", "annotations: {s: new}"), LabelTemplates(), Surroundings())
    step(machine, store, 1)

    (alert,) = machine.active()
    assert (alert.active_ms, alert.state, alert.annotations) == (0, AlertState.FIRING, (("s", "new"),))


def test_what_was_found_before_a_restart_is_taken_up_by_its_labels() -> None:
    machine, store = alerting("for: 1h"), store_of(*BOTH, now_ms=0)
    step(machine, store, 60)
    past = [
        LastForState(labels_of(name="ALERTS_FOR_STATE", alertname="Down", instance="a", job="node"), 50 * MINUTE, 0.0),
        LastForState(labels_of(name="ALERTS_FOR_STATE", alertname="Down", instance="z", job="node"), 50 * MINUTE, 0.0),
    ]

    count = machine.restore(past, at_ms=60 * MINUTE, grace_ms=5 * MINUTE)

    since = {dict(alert.labels)["instance"]: alert.active_ms // MINUTE for alert in machine.active()}
    assert (count, since) == (1, {"a": 10, "b": 60})


def test_alerts_that_come_and_go_leave_nothing_behind() -> None:
    machine = alerting("for: 1h", expr="load > 0")

    for minute in range(50):
        store = store_of(f'load{{pod="p{minute}"}} {"_ " * minute}1')
        step(machine, store, minute)

    assert len(machine.active()) == 1
    assert machine._found.size <= 2
    assert len(machine._known) == 1


def test_series_that_have_ended_can_be_written_again() -> None:
    machine, store = alerting("for: 1m"), store_of('up{job="x"} 0 0 1 0 0')
    before: set[int] = set()
    seen = []

    for minute in range(5):
        value = answer(store, machine.rule.query, minute * MINUTE)
        samples = machine.step(value, at_ms=minute * MINUTE, limit=0)
        ended = np.array(sorted(before - set(samples.series.tolist())), np.int64)
        before = set(samples.series.tolist())
        seen.append({dict(labels).get("alertstate", "since") for labels in shown(samples)})
        machine.forget(ended)

    assert seen == [{"pending", "since"}, {"firing", "since"}, set(), {"pending", "since"}, {"firing", "since"}]


def test_no_label_set_is_made_where_nothing_fires(monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_of(*(f'up{{instance="{i}"}} 1x5' for i in range(100)))
    machine = alerting()
    value: InstantValue = evaluate_instant(parse("up == 0"), at_ms=0, source=store).value
    monkeypatch.setattr("vedette.model.frames.LabelFrame.label_sets", lambda _: pytest.fail("a label set was made"))

    samples = machine.step(value, at_ms=0, limit=0)

    assert len(samples.series) == 0
