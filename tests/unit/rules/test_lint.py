from __future__ import annotations

import pytest

from vedette.model.samples import MetricType
from vedette.rules import HintKind, KnownMetrics, find_hints, parse_rules

QUIET = "for: 1m, labels: {severity: x}, annotations: {runbook_url: x}"


def hints(*rules: str, known: KnownMetrics | None = None) -> list[str]:
    lines = "".join(f"\n      - {{{rule}}}" for rule in rules)
    file = parse_rules(f"groups:\n  - name: g\n    rules:{lines}\n", "rules.yml")
    return [f"{hint.kind} {hint.at.line} {hint.text}" for hint in find_hints([file], known)]


def about(expr: str, known: KnownMetrics | None = None) -> list[str]:
    quoted = expr.replace("'", "''")
    return [hint.split(" ", 2)[2] for hint in hints(f"alert: A, expr: '{quoted}', {QUIET}", known=known)]


def test_a_rule_with_everything_has_no_hints() -> None:
    assert about('sum by (job) (rate(errors_total{code=~"5.."}[5m])) > 1') == []


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        pytest.param(
            "alert: A, expr: up, labels: {severity: x}, annotations: {runbook_url: x}",
            ["missing-for 4 `A`: there is no `for`: a single evaluation makes it fire"],
            id="no for",
        ),
        pytest.param(
            "alert: A, expr: up, for: 0s, labels: {severity: x}, annotations: {runbook_url: x}", [], id="for 0 is meant"
        ),
        pytest.param(
            "alert: A, expr: vector(1), labels: {severity: x}, annotations: {runbook_url: x}", [], id="a watchdog"
        ),
        pytest.param(
            "alert: A, expr: up, for: 1m, annotations: {runbook_url: x}",
            ["missing-severity 4 `A`: there is no label `severity`"],
            id="no severity",
        ),
        pytest.param(
            "alert: A, expr: up, for: 1m, labels: {severity: x}",
            ["missing-runbook 4 `A`: there is no annotation `runbook_url`"],
            id="no runbook",
        ),
        pytest.param("record: a, expr: up", [], id="a recording rule needs none of that"),
        pytest.param(
            "record: a, expr: 'up[5m]'",
            ["result-type 4 `a`: the expression is no instant vector, and every evaluation will fail"],
            id="a range",
        ),
    ],
)
def test_what_a_rule_lacks_is_said(rule: str, expected: list[str]) -> None:
    assert hints(rule) == expected


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        pytest.param(
            "rate(node_memory_free_bytes[5m]) > 1",
            ["`A`: rate() is for counters, and `node_memory_free_bytes` is by its name a gauge"],
            id="rate of a gauge",
        ),
        pytest.param(
            "deriv((errors_total[5m])) > 1",
            ["`A`: deriv() is for gauges, and `errors_total` is by its name a counter"],
            id="deriv of a counter",
        ),
        pytest.param("rate(requests[5m]) > 1", [], id="a name that says nothing"),
        pytest.param("rate(job:x_ratio[5m]) > 1", [], id="what a rule has recorded"),
        pytest.param("predict_linear(node_free_bytes[6h], 3600) < 0", [], id="predict_linear of a gauge"),
    ],
)
def test_counters_and_gauges_are_told_apart_by_their_names(expr: str, expected: list[str]) -> None:
    assert about(expr) == expected


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        pytest.param(
            "rate(requests[5m]) > 1", ["`A`: rate() is for counters, and `requests` is a gauge"], id="a gauge"
        ),
        pytest.param("rate(odd_ratio[5m]) > 1", [], id="a counter with the name of a gauge"),
        pytest.param("rate(seconds_bucket[5m]) > 1", [], id="a part of a histogram"),
        pytest.param("rate(hits_total[5m]) > 1", [], id="a counter named by its family"),
    ],
)
def test_what_a_server_knows_of_types_counts_more_than_names(expr: str, expected: list[str]) -> None:
    types = {
        "requests": MetricType.GAUGE,
        "odd_ratio": MetricType.COUNTER,
        "seconds": MetricType.HISTOGRAM,
        "hits": MetricType.COUNTER,
    }
    names = frozenset({"requests", "odd_ratio", "seconds_bucket", "hits_total"})

    assert about(expr, KnownMetrics(names, types)) == expected


@pytest.mark.parametrize(
    ("matcher", "better"),
    [
        pytest.param('job=~"node"', 'job="node"', id="="),
        pytest.param('job!~"node"', 'job!="node"', id="!="),
        pytest.param('job=~"a|b"', None, id="two values"),
        pytest.param('job=~"node-.*"', None, id="a pattern"),
        pytest.param('job="node"', None, id="no pattern at all"),
    ],
)
def test_a_regular_expression_that_matches_one_value_is_needless(matcher: str, better: str | None) -> None:
    file = parse_rules(f"groups: [{{name: g, rules: [{{record: a, expr: 'up{{{matcher}}} + up{{{matcher}}}'}}]}}]", "f")

    found = find_hints([file])

    assert [(hint.kind, hint.remedy) for hint in found] == (
        [] if better is None else [(HintKind.NEEDLESS_REGEX, f"Write {better}.")]
    )


def test_metrics_that_nobody_exposes_are_named() -> None:
    known = KnownMetrics(frozenset({"up"}))

    found = hints(
        "record: a, expr: 'up + gone'",
        "record: b, expr: 'a + c'",
        "record: c, expr: 'count(ALERTS) + count({job=\"x\"})'",
        known=known,
    )

    assert found == ["unknown-metric 4 `a`: no target exposes `gone`, and no rule records it"]


def test_rules_that_are_there_twice_are_named_with_the_first() -> None:
    found = hints("record: a, expr: up", "record: a, expr: up, labels: {b: c}", "record: a, expr: 'up * 2'")

    assert found == ["duplicate-rules 6 `a` records under the same labels 2 times"]


def test_equal_rules_in_different_files_are_no_duplicates() -> None:
    files = [parse_rules("groups: [{name: g, rules: [{record: a, expr: up}]}]", name) for name in ("one", "two")]

    assert find_hints(files) == []
