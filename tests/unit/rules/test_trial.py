from __future__ import annotations

from typing import Any

import pytest

from harness.rules import MINUTE, groups_of, store_of
from vedette.lang.promql.ast import Expr
from vedette.model.errors import LimitExceededError, QueryExecutionError
from vedette.query.promql import RangeResult, evaluate_range
from vedette.rules import AlertingRule
from vedette.rules.trial import Alternative, Progress, Trial, TrialOptions, try_rule

DAY = 1440 * MINUTE


class Stored:
    """Evaluates over a store; keeps what it was asked."""

    def __init__(self, *series: str, until_ms: int = 3 * DAY) -> None:
        self.store = store_of(*series, now_ms=until_ms)
        self.asked: list[tuple[int, int]] = []

    async def range(self, expr: Expr, *, start_ms: int, end_ms: int, step_ms: int) -> RangeResult:
        self.asked.append((start_ms, end_ms))
        return evaluate_range(expr, start_ms=start_ms, end_ms=end_ms, step_ms=step_ms, source=self.store)


def rule_of(expr: str, *lines: str) -> AlertingRule:
    (rule,) = groups_of(f"groups: [{{name: g, rules: [{{alert: A, expr: '{expr}', {', '.join(lines)}}}]}}]")[0].rules
    assert isinstance(rule, AlertingRule)
    return rule


async def tried(stored: Stored, rule: AlertingRule, **options: Any) -> tuple[list[Progress], Trial]:
    told = [
        one
        async for one in try_rule(
            rule, stored, TrialOptions(**{"start_ms": 0, "end_ms": 99 * MINUTE, "step_ms": MINUTE, **options})
        )
    ]
    assert isinstance(told[-1], Trial)
    return [one for one in told if isinstance(one, Progress)], told[-1]


def counts(others: tuple[Alternative, ...]) -> list[tuple[float | None, int, int]]:
    return [(other.threshold, other.hold_ms // MINUTE, other.summary.alerts) for other in others]


async def test_other_thresholds_and_times_are_tried_beside_the_rules_own() -> None:
    stored = Stored("x 1x9 5x9 1x9 9x2 1x60")

    _, trial = await tried(
        stored, rule_of("x > 4", "for: 5m"), thresholds=(8.0, 0.0), holds_ms=(0, 9 * MINUTE, 10 * MINUTE)
    )

    assert (trial.threshold, trial.summary.alerts, trial.summary.near_misses) == (4.0, 1, 1)
    assert counts(trial.alternatives) == [(8.0, 5, 0), (0.0, 5, 1), (4.0, 0, 2), (4.0, 9, 1), (4.0, 10, 0)]


async def test_where_none_are_named_some_near_the_rules_own_are_tried() -> None:
    _, trial = await tried(Stored("x 10x99"), rule_of("x > 10", "for: 10m"))

    assert [(other.threshold, other.hold_ms // MINUTE) for other in trial.alternatives] == [
        (8.0, 10),
        (9.0, 10),
        (11.0, 10),
        (12.5, 10),
        (10.0, 0),
        (10.0, 5),
        (10.0, 20),
    ]


async def test_an_expression_without_a_threshold_has_other_times_only() -> None:
    _, trial = await tried(Stored("x 1x99"), rule_of("x and x"))

    assert trial.threshold is None
    assert counts(trial.alternatives) == [(None, 1, 1), (None, 5, 1), (None, 15, 1)]


async def test_a_long_time_is_evaluated_in_pieces_and_told_as_it_goes() -> None:
    stored = Stored("x 1x3000")

    told, trial = await tried(stored, rule_of("x > 0"), end_ms=2 * DAY)

    assert stored.asked == [(0, DAY - MINUTE), (DAY, 2 * DAY - MINUTE), (2 * DAY, 2 * DAY)]
    assert told == [Progress(done, 2881) for done in (0, 2880, 2881)]
    assert (trial.summary.alerts, trial.summary.longest_ms) == (1, 2 * DAY + MINUTE)


@pytest.mark.parametrize("buckets", [1, 7, 100, 1000])
async def test_the_timeline_says_how_many_alerts_fired(buckets: int) -> None:
    stored = Stored("x{i='a'} 0x9 1x9 0x79", "x{i='b'} 0x14 1x84")

    _, trial = await tried(stored, rule_of("x > 0"), buckets=buckets)

    firing = trial.timeline.firing.tolist()
    assert len(firing) == -(-100 // -(-100 // buckets))
    assert max(firing) == 2
    assert sum(firing) == (2 if buckets == 1 else sum(firing))
    if buckets >= 100:
        assert firing == [0] * 10 + [1] * 5 + [2] * 5 + [1] * 80


async def test_an_expression_that_cannot_be_evaluated_says_so() -> None:
    ambiguous = rule_of("x / on () x > 0")

    with pytest.raises(QueryExecutionError, match="many-to-many"):
        await tried(Stored("x{i='a'} 1x9", "x{i='b'} 1x9"), ambiguous)


async def test_an_expression_whose_series_come_and_go_too_often_is_refused() -> None:
    stored = Stored("x " + "0 1 " * 50)

    with pytest.raises(LimitExceededError, match=r"rules\.backtest_runs"):
        await tried(stored, rule_of("x > 0"), max_runs=49)


async def test_a_threshold_at_which_series_come_and_go_too_often_is_left_out() -> None:
    stored = Stored("x " + "0 1 " * 50)

    _, trial = await tried(stored, rule_of("x > 2"), thresholds=(0.5, -1.0), holds_ms=(), max_runs=49)

    assert [other.threshold for other in trial.alternatives] == [-1.0]
