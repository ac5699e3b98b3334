from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from harness.rules import MINUTE, RunningRules, groups_of, labels_of, store_of
from vedette.lang.promql.ast import Expr
from vedette.model.errors import OverloadedError
from vedette.model.labels import LabelSet
from vedette.model.samples import is_stale
from vedette.query.promql import InstantResult
from vedette.rules import AlertState, GroupDefaults, Health, RestoreOptions, RuleGroup, RuleRunner, Surroundings
from vedette.rules.schedule import offset_of

HOUR = 60 * MINUTE
DEFAULTS = GroupDefaults(interval_ms=MINUTE)
OFFSET = offset_of("rules.yml;g", MINUTE)
NO_RESTORE = RestoreOptions(grace_ms=0)


def rules(*lines: str, group: str = "name: g") -> tuple[RuleGroup, ...]:
    return groups_of(f"groups:\n  - {group}\n    rules:\n" + "".join(f"      - {{{one}}}\n" for one in lines))


def round_at(number: int) -> int:
    """When round `number` of the group is held, counted from 0."""
    return number * MINUTE + OFFSET


@asynccontextmanager
async def running(runner: RuleRunner, parts: RunningRules) -> AsyncGenerator[None]:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(runner.run())
        await parts.hand.settle()
        yield
        task.cancel()


def written(parts: RunningRules, labels: LabelSet) -> list[tuple[int, float | None]]:
    """What rules have stored of a series; None for the stale marker."""
    (slot,), _ = parts.store.resolve([labels])
    parts.store.now_ms = 1 << 60
    runs = parts.store.read(np.array([slot]), 0, 1 << 60)
    stale = is_stale(runs.values).tolist()
    return [
        (time_ms, None if gone else value)
        for time_ms, value, gone in zip(runs.times.tolist(), runs.values.tolist(), stale, strict=True)
    ]


async def test_a_group_is_evaluated_at_its_place_in_the_interval() -> None:
    parts = RunningRules()
    runner = parts.runner()
    runner.apply(rules("record: a, expr: '1'"), DEFAULTS)

    async with running(runner, parts):
        await parts.hand.run_until(3 * MINUTE + OFFSET)

    assert [at_ms for at_ms, _ in parts.asked] == [round_at(number) for number in range(4)]


async def test_rules_see_what_those_before_them_recorded() -> None:
    parts = RunningRules()
    runner = parts.runner()
    runner.apply(rules("record: a, expr: vector(2)", "record: b, expr: a * 2", "alert: C, expr: b > 3"), DEFAULTS)

    async with running(runner, parts):
        await parts.hand.run_until(round_at(1))

    assert [rule.health for rule in runner.groups()[0].rules] == [Health.OK] * 3
    assert runner.groups()[0].rules[2].state is AlertState.FIRING


async def test_a_query_offset_moves_what_is_asked_and_stored_into_the_past() -> None:
    parts = RunningRules(store_of("x 1x99"), restore=NO_RESTORE)
    runner = parts.runner()
    runner.apply(rules("record: a, expr: x", "alert: B, expr: x > 0", group="name: g\n    query_offset: 20s"), DEFAULTS)

    async with running(runner, parts):
        await parts.hand.run_until(round_at(4))

    last = round_at(4) - 20_000
    assert parts.asked[-1][0] == last
    assert written(parts, labels_of(name="a"))[-1] == (last, 1.0)
    assert written(parts, labels_of(name="ALERTS", alertname="B", alertstate="firing"))[-1] == (last, 1.0)
    assert parts.sent[0][1].starts_ms % MINUTE == OFFSET


async def test_series_that_are_gone_end_with_a_stale_marker() -> None:
    parts = RunningRules(store_of("x 1 1 1 stale"))
    runner = parts.runner()
    runner.apply(rules("record: a, expr: x"), DEFAULTS)

    async with running(runner, parts):
        await parts.hand.run_until(round_at(4))

    assert [value for _, value in written(parts, labels_of(name="a"))][-2:] == [1.0, None]


async def test_a_rule_that_fails_is_shown_and_counted_and_the_next_one_runs() -> None:
    parts = RunningRules(failing={"x": "too many samples"})
    runner = parts.runner()
    runner.apply(rules("record: a, expr: x", "record: b, expr: '1'"), DEFAULTS)

    async with running(runner, parts):
        await parts.hand.run_until(round_at(1))
        bad, good = runner.groups()[0].rules
        rounds = parts.metric("prometheus_rule_group_iterations_total", rule_group="rules.yml;g")

    assert (bad.health, bad.error) == (Health.ERROR, "too many samples")
    assert (good.health, good.error) == (Health.OK, "")
    assert parts.metric("prometheus_rule_evaluation_failures_total", rule_group="rules.yml;g") == rounds
    assert parts.metric("prometheus_rule_evaluations_total", rule_group="rules.yml;g") == 2 * (rounds or 0)


async def test_a_rule_that_fails_keeps_its_series_alive() -> None:
    parts = RunningRules(store_of("x 1x99"))
    runner = parts.runner()
    runner.apply(rules("record: a, expr: x"), DEFAULTS)

    async with running(runner, parts):
        await parts.hand.run_until(round_at(2))
        parts.failing = {"x": "no"}
        await parts.hand.run_until(round_at(4))

    assert None not in [value for _, value in written(parts, labels_of(name="a"))]


async def test_a_rule_is_well_again_after_a_good_evaluation() -> None:
    parts = RunningRules(failing={"vector(1)": "no"})
    runner = parts.runner()
    runner.apply(rules("record: a, expr: vector(1)"), DEFAULTS)

    async with running(runner, parts):
        await parts.hand.run_until(round_at(1))
        parts.failing = {}
        await parts.hand.run_until(round_at(2))

    assert (runner.groups()[0].rules[0].health, runner.groups()[0].rules[0].error) == (Health.OK, "")


async def test_a_full_store_is_a_failure_and_alerts_are_sent_all_the_same() -> None:
    parts = RunningRules(restore=NO_RESTORE, full=True)
    runner = parts.runner()
    runner.apply(rules("record: a, expr: '1'", "alert: B, expr: '1'"), DEFAULTS)

    async with running(runner, parts):
        await parts.hand.run_until(round_at(3))

    assert {rule.error for rule in runner.groups()[0].rules} == {"the queue is full"}
    assert parts.sent


async def test_a_bug_in_one_evaluation_does_not_end_the_group(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = RunningRules()
    runner = parts.runner()
    runner.apply(rules("record: a, expr: '1'"), DEFAULTS)
    work = runner.groups()[0]
    monkeypatch.setattr(work.rules[0].machine, "step", lambda *_, **__: 1 / 0)

    async with running(runner, parts):
        await parts.hand.run_until(round_at(2))

    assert work.rules[0].error == "ZeroDivisionError: division by zero"
    assert len(parts.asked) >= 2


async def test_rounds_that_take_too_long_are_missed_and_counted() -> None:
    parts = RunningRules(takes_ms=150_000)
    runner = parts.runner()
    runner.apply(rules("record: a, expr: '1'"), DEFAULTS)

    async with running(runner, parts):
        await parts.hand.run_until(10 * MINUTE)
        missed = parts.metric("prometheus_rule_group_iterations_missed_total", rule_group="rules.yml;g")
        scheduled = parts.metric("prometheus_rule_group_iterations_total", rule_group="rules.yml;g")
        rounds = [at_ms for at_ms, _ in parts.asked]

    assert missed == sum(np.diff(rounds) // MINUTE - 1) > 0
    assert scheduled == len(rounds) + missed


async def test_the_metrics_of_a_group_are_there_from_the_start_and_go_with_it() -> None:
    parts = RunningRules()
    runner = parts.runner()
    runner.apply(rules("record: a, expr: '1'", group="name: g\n    interval: 30s"), DEFAULTS)
    before = parts.metric("prometheus_rule_group_interval_seconds", rule_group="rules.yml;g")
    evaluations = parts.metric("prometheus_rule_evaluations_total", rule_group="rules.yml;g")

    runner.apply((), DEFAULTS)

    assert (before, evaluations) == (30.0, 0.0)
    assert parts.metric("prometheus_rule_group_interval_seconds", rule_group="rules.yml;g") is None


async def test_groups_do_not_wait_for_each_other() -> None:
    parts = RunningRules()
    runner = parts.runner()
    stuck = asyncio.Event()
    instant = parts.instant

    async def slow(expr: Expr, at_ms: int) -> InstantResult:
        result = await instant(expr, at_ms)
        if parts.asked[-1][1] == "1":
            await stuck.wait()
        return result

    parts.instant = slow  # type: ignore[method-assign]
    text = "groups: [{name: g, rules: [{record: a, expr: '1'}]}, {name: h, rules: [{record: b, expr: '2'}]}]"
    runner.apply(groups_of(text), DEFAULTS)

    async with running(runner, parts):
        await parts.hand.run_until(5 * MINUTE)

    assert [query for _, query in parts.asked].count("1") == 1
    assert [query for _, query in parts.asked].count("2") >= 4


# Taking over new groups


async def test_an_unchanged_group_goes_on_undisturbed() -> None:
    parts = RunningRules()
    runner = parts.runner()
    runner.apply(rules("record: a, expr: '1'"), DEFAULTS)
    before = runner.groups()[0]

    async with running(runner, parts):
        await parts.hand.run_until(round_at(1))
        runner.apply(rules("record: a, expr: '1'"), DEFAULTS)

        assert runner.groups()[0] is before


@pytest.mark.parametrize(
    ("line", "since"),
    [
        pytest.param("alert: B, expr: 'x > 0', for: 20m", 2, id="another `for`"),
        pytest.param("alert: B, expr: 'x > 0', for: 1h, annotations: {a: b}", 2, id="other annotations"),
        pytest.param("alert: B, expr: 'x>0', for: 1h", 2, id="written differently"),
        pytest.param("alert: B, expr: 'x > 0.5', for: 1h", 5, id="another expression"),
        pytest.param("alert: B, expr: 'x > 0', for: 1h, labels: {a: b}", 5, id="other labels"),
    ],
)
async def test_pending_alerts_stay_pending_while_their_rule_is_the_same(line: str, since: int) -> None:
    parts = RunningRules(store_of("x _ _ 1x99"))
    runner = parts.runner()
    runner.apply(rules("alert: B, expr: 'x > 0', for: 1h"), DEFAULTS)

    async with running(runner, parts):
        await parts.hand.run_until(round_at(4))
        runner.apply(rules("record: new, expr: '1'", line), DEFAULTS)
        await parts.hand.run_until(round_at(6))
        (machine,) = runner.groups()[0].alerting()
        (alert,) = machine.active()

    assert alert.active_ms == round_at(since)


async def test_of_equal_rules_the_first_takes_over_from_the_first() -> None:
    parts = RunningRules(store_of("x 1x99"))
    runner = parts.runner()
    same = "alert: B, expr: 'x > 0', for: 1h"
    runner.apply(rules(same), DEFAULTS)

    async with running(runner, parts):
        await parts.hand.run_until(round_at(2))
        runner.apply(rules(same, same), DEFAULTS)
        await parts.hand.run_until(round_at(4))
        first, second = (machine.active()[0].active_ms for machine in runner.groups()[0].alerting())

    assert first < second


async def test_series_of_a_removed_rule_end_with_the_next_evaluation() -> None:
    parts = RunningRules(store_of("x 1x99"))
    runner = parts.runner()
    runner.apply(rules("record: a, expr: x", "record: b, expr: x"), DEFAULTS)

    async with running(runner, parts):
        await parts.hand.run_until(round_at(2))
        runner.apply(rules("record: a, expr: x"), DEFAULTS)
        await parts.hand.run_until(round_at(3))

    assert written(parts, labels_of(name="b"))[-1] == (round_at(3), None)
    assert written(parts, labels_of(name="a"))[-1] == (round_at(3), 1.0)


async def test_series_that_another_rule_of_the_group_writes_now_do_not_end() -> None:
    parts = RunningRules(store_of("x 1x99"))
    runner = parts.runner()
    runner.apply(rules("record: a, expr: x"), DEFAULTS)

    async with running(runner, parts):
        await parts.hand.run_until(round_at(2))
        runner.apply(rules("record: a, expr: x + 0"), DEFAULTS)
        await parts.hand.run_until(round_at(4))

    assert None not in [value for _, value in written(parts, labels_of(name="a"))]


async def test_series_of_a_removed_group_end_after_two_intervals_unless_they_live_on() -> None:
    parts = RunningRules(store_of("x 1x99"))
    runner = parts.runner()
    runner.apply(rules("record: a, expr: x", "record: b, expr: x"), DEFAULTS)

    async with running(runner, parts):
        await parts.hand.run_until(round_at(2) + 1)
        runner.apply(rules("record: b, expr: x", group="name: renamed"), DEFAULTS)
        await parts.hand.run_until(round_at(2) + 2 * MINUTE)
        before = written(parts, labels_of(name="a"))
        await parts.hand.run_until(round_at(6))

    assert None not in [value for _, value in before]
    assert written(parts, labels_of(name="a"))[-1][1] is None
    assert None not in [value for _, value in written(parts, labels_of(name="b"))]


async def test_a_changed_group_finishes_its_round_first() -> None:
    parts = RunningRules()
    runner = parts.runner()
    runner.apply(rules("record: a, expr: '1'", "record: b, expr: '2'"), DEFAULTS)
    go_on = asyncio.Event()
    instant = parts.instant

    async def slow(expr: Expr, at_ms: int) -> InstantResult:
        result = await instant(expr, at_ms)
        await go_on.wait()
        return result

    parts.instant = slow  # type: ignore[method-assign]
    async with running(runner, parts):
        await parts.hand.run_until(round_at(1))
        runner.apply(rules("record: c, expr: '3'"), DEFAULTS)
        await parts.hand.settle()
        during = [query for _, query in parts.asked]
        go_on.set()
        await parts.hand.run_until(round_at(3))

    queries = [query for _, query in parts.asked]
    assert during == ["1"]
    assert queries[:2] == ["1", "2"]
    assert set(queries[2:]) == {"3"}


async def test_groups_that_change_twice_before_they_run_lose_nothing() -> None:
    parts = RunningRules(store_of("x 1x99"))
    runner = parts.runner()
    runner.apply(rules("alert: B, expr: 'x > 0', for: 1h"), DEFAULTS)

    async with running(runner, parts):
        await parts.hand.run_until(round_at(2))
        since = next(runner.groups()[0].alerting()).active()[0].active_ms
        runner.apply(rules("alert: B, expr: 'x > 0', for: 2h"), DEFAULTS)
        runner.apply(rules("alert: B, expr: 'x > 0', for: 3h"), DEFAULTS)
        await parts.hand.run_until(round_at(4))
        (alert,) = next(runner.groups()[0].alerting()).active()

    assert alert.active_ms == since


async def test_other_surroundings_reach_the_alerts() -> None:
    parts = RunningRules(restore=NO_RESTORE)
    runner = parts.runner()
    runner.apply(rules("alert: B, expr: '1'"), DEFAULTS, Surroundings(external_url="http://old"))

    async with running(runner, parts):
        await parts.hand.run_until(round_at(2))
        runner.apply(rules("alert: B, expr: '1'"), DEFAULTS, Surroundings(external_url="http://new"))
        await parts.hand.run_until(round_at(6))

    assert parts.sent[0][1].generator_url.startswith("http://old/")
    assert parts.sent[-1][1].generator_url.startswith("http://new/")


# The past


async def test_after_a_start_the_clock_of_for_goes_on_where_it_was() -> None:
    """Down since 0, seen until 30 minutes, `for` an hour; started again at 40 minutes."""
    past = 'ALERTS_FOR_STATE{alertname="B"} 0x30'
    parts = RunningRules(store_of("x 1x200", past))
    parts.hand.now_ms = 40 * MINUTE
    runner = parts.runner()
    runner.apply(rules("alert: B, expr: 'x > 0', for: 1h"), DEFAULTS)

    async with running(runner, parts):
        await parts.hand.run_until(45 * MINUTE)
        (machine,) = runner.groups()[0].alerting()
        (alert,) = machine.active()

    # Between 41 and 43 minutes it was looked up; what nobody saw since 30 does not count.
    assert 11 * MINUTE <= alert.active_ms <= 13 * MINUTE


@pytest.mark.parametrize(
    ("started_at", "hold", "problem"),
    [
        pytest.param(100 * MINUTE, "1h", "", id="after too long an absence"),
        pytest.param(40 * MINUTE, "5m", "", id="with a short `for`"),
        pytest.param(40 * MINUTE, "1h", "no disk", id="where the past cannot be read"),
    ],
)
async def test_the_clock_of_for_begins_anew(started_at: int, hold: str, problem: str) -> None:
    parts = RunningRules(store_of("x 1x200", 'ALERTS_FOR_STATE{alertname="B"} 0x30'))
    if problem:
        parts.failing["B"] = problem
    parts.hand.now_ms = started_at
    runner = parts.runner()
    runner.apply(rules(f"alert: B, expr: 'x > 0', for: {hold}"), DEFAULTS)

    async with running(runner, parts):
        await parts.hand.run_until(started_at + 4 * MINUTE)
        (machine,) = runner.groups()[0].alerting()

    assert machine.active()[0].active_ms >= started_at
    assert machine.restored


@pytest.mark.parametrize(
    ("past", "more", "expected"),
    [
        pytest.param("1x8", "", [("ended", 10)], id="it was over while nobody looked"),
        pytest.param("1x5 stale", "", [("ended", 6)], id="it was over shortly before"),
        pytest.param("1x2 stale", "keep_firing_for: 1h", [("ended", 3)], id="whatever `keep_firing_for` says"),
        pytest.param("1x8", "keep_firing_for: 1h", [("firing", 11)], id="`keep_firing_for` goes on"),
        pytest.param("_x8", "", [], id="it never fired"),
    ],
)
async def test_after_a_start_those_are_told_who_do_not_know_that_an_alert_is_over(
    past: str, more: str, expected: list[tuple[str, int]]
) -> None:
    parts = RunningRules(store_of(f'ALERTS{{alertname="B",alertstate="firing",i="1"}} {past}'))
    parts.hand.now_ms = 9 * MINUTE
    runner = parts.runner()
    runner.apply(rules(f"alert: B, expr: 'x > 0', {more}"), DEFAULTS)

    async with running(runner, parts):
        await parts.hand.run_until(13 * MINUTE)

    told = [
        ("ended" if alert.ends_ms <= at_ms else "firing", min(alert.ends_ms, at_ms) // MINUTE, alert)
        for at_ms, alert in parts.sent
    ]
    assert [(what, minute) for what, minute, _ in told][:1] == expected
    assert all(alert.labels == labels_of(alertname="B", i="1") for _, _, alert in told)


async def test_an_alert_that_is_told_to_be_over_has_the_annotations_of_its_last_evaluation() -> None:
    parts = RunningRules(store_of("x{i='1'} 1 2 3 4 0x40", 'ALERTS{alertname="B",alertstate="firing",i="1"} 1x3'))
    parts.hand.now_ms = 9 * MINUTE
    runner = parts.runner()
    runner.apply(rules("alert: B, expr: 'x > 0', annotations: {text: '{{ $labels.i }}: {{ $value }}'}"), DEFAULTS)

    async with running(runner, parts):
        await parts.hand.run_until(13 * MINUTE)

    assert parts.sent[0][1].annotations == (("text", "1: 4"),)


async def test_an_alert_that_is_found_again_after_a_start_is_not_told_to_be_over() -> None:
    parts = RunningRules(store_of("x 1x60", 'ALERTS{alertname="B",alertstate="firing"} 1x8'))
    parts.hand.now_ms = 9 * MINUTE
    runner = parts.runner()
    runner.apply(rules("alert: B, expr: 'x > 0'"), DEFAULTS)

    async with running(runner, parts):
        await parts.hand.run_until(15 * MINUTE)

    assert parts.sent
    assert all(alert.ends_ms > at_ms for at_ms, alert in parts.sent)


async def test_an_alert_that_was_over_long_before_a_start_is_not_told_again() -> None:
    parts = RunningRules(store_of('ALERTS{alertname="B",alertstate="firing"} 1x8 stale'))
    parts.hand.now_ms = 30 * MINUTE
    runner = parts.runner()
    runner.apply(rules("alert: B, expr: 'x > 0'"), DEFAULTS)

    async with running(runner, parts):
        await parts.hand.run_until(35 * MINUTE)

    assert parts.sent == []


async def test_alerts_are_not_written_before_the_past_was_looked_up() -> None:
    parts = RunningRules(store_of("x 1x200"))
    runner = parts.runner()
    runner.apply(rules("alert: B, expr: 'x > 0'"), DEFAULTS)

    async with running(runner, parts):
        await parts.hand.run_until(5 * MINUTE)
    times = [time_ms for time_ms, _ in written(parts, labels_of(name="ALERTS", alertname="B", alertstate="firing"))]

    assert times == [at_ms for at_ms, _ in parts.asked][2:]


async def test_groups_that_come_later_have_no_past() -> None:
    parts = RunningRules(store_of("x 1x200", 'ALERTS_FOR_STATE{alertname="B"} 0x200'))
    runner = parts.runner()
    runner.apply((), DEFAULTS)
    parts.hand.now_ms = HOUR

    async with running(runner, parts):
        runner.apply(rules("alert: B, expr: 'x > 0', for: 2h"), DEFAULTS)
        await parts.hand.run_until(HOUR + 5 * MINUTE)
        (machine,) = runner.groups()[0].alerting()

    assert machine.active()[0].active_ms >= HOUR


async def test_alerts_are_sent_while_they_fire_and_when_they_end() -> None:
    parts = RunningRules(store_of("x 1 1 1 1 1 0x60"), restore=NO_RESTORE)
    runner = parts.runner()
    runner.apply(rules("alert: B, expr: 'x > 0'"), GroupDefaults(interval_ms=MINUTE, resend_delay_ms=90_000))

    async with running(runner, parts):
        await parts.hand.run_until(30 * MINUTE)

    firing = [alert for at_ms, alert in parts.sent if not alert.resolved_at(at_ms)]
    resolved = [(at_ms, alert) for at_ms, alert in parts.sent if alert.resolved_at(at_ms)]
    assert {alert.starts_ms for alert in firing} == {parts.asked[0][0]}
    assert {alert.ends_ms for _, alert in resolved} == {resolved[0][0]}
    # For a quarter of an hour, every other round: the resend delay is one and a half.
    assert [at_ms - resolved[0][0] for at_ms, _ in resolved] == [number * 2 * MINUTE for number in range(8)]


async def test_nothing_is_left_when_the_runner_is_cancelled() -> None:
    parts = RunningRules()
    runner = parts.runner()
    runner.apply(rules("record: a, expr: '1'"), DEFAULTS)

    async with running(runner, parts):
        await parts.hand.run_until(round_at(1))

    assert len(asyncio.all_tasks()) == 1


async def test_what_cannot_be_ended_yet_is_ended_later() -> None:
    parts = RunningRules(store_of("x 1x99"))
    runner = parts.runner()
    runner.apply(rules("record: a, expr: x", "record: b, expr: x"), DEFAULTS)

    async with running(runner, parts):
        await parts.hand.run_until(round_at(2))
        parts.full = True
        runner.apply(rules("record: a, expr: x"), DEFAULTS)
        await parts.hand.run_until(round_at(3))
        parts.full = False
        await parts.hand.run_until(round_at(4))

    assert written(parts, labels_of(name="b"))[-1] == (round_at(4), None)


def test_the_store_says_when_it_is_full() -> None:
    parts = RunningRules(full=True)

    with pytest.raises(OverloadedError):
        parts.write(np.zeros(0, np.int64), 0, np.zeros(0))


async def test_a_group_that_is_given_twice_runs_once() -> None:
    parts = RunningRules()
    runner = parts.runner()
    group = rules("record: a, expr: '1'")
    runner.apply([*group, *group], DEFAULTS)

    async with running(runner, parts):
        await parts.hand.run_until(round_at(1))

    assert [at_ms for at_ms, _ in parts.asked] == [round_at(0), round_at(1)]


async def test_a_group_that_only_moved_in_its_file_goes_on_and_tells_its_new_place() -> None:
    parts = RunningRules()
    runner = parts.runner()
    runner.apply(rules("record: a, expr: '1'"), DEFAULTS)
    work = runner.groups()[0]

    runner.apply(groups_of("# a comment\ngroups:\n  - name: g\n    rules:\n      - {record: a, expr: '1'}\n"), DEFAULTS)

    assert runner.groups()[0] is work
    assert work.rules[0].rule.at.line == 5


async def test_answers_of_many_series_are_dealt_with_in_a_thread() -> None:
    parts = RunningRules(store_of(*(f'x{{i="{number}"}} 1x9' for number in range(2500))), restore=NO_RESTORE)
    runner = parts.runner()
    runner.apply(rules("alert: A, expr: x > 0", "record: b, expr: x"), DEFAULTS)

    await runner.evaluate(runner.groups()[0], round_at(0))

    assert [rule.health for rule in runner.groups()[0].rules] == [Health.OK, Health.OK]
    assert len(parts.sent) == 2500
