"""Queries of dashboards and alerts: warm, first after a restart, and with memory too small for the window."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import geometric_mean
from typing import Final

from benchmarks.expressions import INSTANT, RANGE, Expression
from benchmarks.fleet import Fleet
from benchmarks.loading import load
from benchmarks.measuring import Question, Timing, answers, compare, difference
from benchmarks.report import Table, milliseconds, ratio
from benchmarks.servers import PROMETHEUS, VEDETTE, VICTORIA, Server, ServerError, running
from benchmarks.session import Session, recent_fleet

_COLUMNS: Final = ("expression", "Vedette ms", "VM ms", "Prometheus ms", "VM / Vedette", "Prom. / Vedette", "answer kB")
_SECONDS_EACH: Final = 12.0


def run(session: Session) -> Iterable[Table]:
    """All tables."""
    servers, fleet = session.loaded()
    yield check_answers(session, servers, fleet)
    start_ms, end_ms = window(fleet)
    yield _table(session, servers, "range queries, step 60 s", ranges(RANGE, start_ms, end_ms, 60))
    yield _table(session, servers, "range queries, step 15 s", ranges(RANGE, start_ms, end_ms, 15))
    last_hour = ranges(RANGE[:8], max(start_ms, end_ms - 3_600_000), end_ms, 15)
    yield _table(session, servers, "the last hour, step 15 s", last_hour)
    yield _table(session, servers, "instant queries", [Question(e.text, 0, end_ms) for e in INSTANT])


def run_after_restart(session: Session) -> Iterable[Table]:
    """The first query after a restart, and the next ones."""
    servers, fleet = session.loaded()
    for server in servers:
        server.restart()
    start_ms, end_ms = window(fleet)
    table = Table(
        "restart", "after a restart: the first time, and warm", (*_COLUMNS[:4], "VM / Vedette", "first / warm")
    )
    for question in ranges(RANGE[:10], start_ms, end_ms, 60):
        timings = compare(servers, question, rounds=session.rounds, seconds=_SECONDS_EACH)
        ours, victoria, prometheus = (timings[name] for name in (VEDETTE, VICTORIA, PROMETHEUS))
        firsts = [milliseconds(t.first_s) + " / " + milliseconds(t.median_s) for t in (ours, victoria, prometheus)]
        quotient = ratio(victoria.median_s, ours.median_s)
        table.rows.append((question.query, *firsts, quotient, ratio(ours.first_s, ours.median_s)))
        table.data.append(_record(question, timings))
    yield table


def run_from_engine(session: Session) -> Iterable[Table]:
    """With so little memory for recent samples that everything is read from the disk."""
    fleet = recent_fleet(1_000, 1) if session.quick else recent_fleet(10_000, 6)
    names = (VEDETTE, VICTORIA, PROMETHEUS)
    small = "storage: {head_memory: 1MiB}\n"
    with running(names, {VEDETTE: small}) as servers:
        load(servers, fleet, progress=session.say)
        start_ms, end_ms = window(fleet)
        for title, begin_ms in (
            ("from the engine, the whole time", start_ms),
            ("from the engine, the first hour", start_ms),
        ):
            until_ms = end_ms if "whole" in title else start_ms + 3_600_000
            yield _table(session, servers, f"{title}, step 60 s", ranges(RANGE[:16], begin_ms, until_ms, 60))


def window(fleet: Fleet) -> tuple[int, int]:
    """What is asked for: all of the fleet's time, in whole minutes."""
    end_ms = (fleet.end_ms - 15_000) // 60_000 * 60_000
    return max(fleet.start_ms, end_ms - (fleet.steps - 1) * 15_000) // 60_000 * 60_000 + 60_000, end_ms


def ranges(expressions: Sequence[Expression], start_ms: int, end_ms: int, step_s: int) -> list[Question]:
    """The same range for each."""
    return [Question(e.text, start_ms, end_ms, step_s) for e in expressions]


def check_answers(session: Session, servers: Sequence[Server], fleet: Fleet) -> Table:
    """Whether all servers answer alike.

    Raises:
        ServerError: Prometheus' answer differs from ours.
    """
    start_ms, end_ms = window(fleet)
    begin_ms = max(start_ms, end_ms - 3_600_000) + 600_000
    table = Table(
        "agreement",
        "do the answers agree? (differences from Vedette's, relative)",
        ("expression", "Prometheus, worst", "VM, median", "VM, worst", "VM differs in"),
    )
    wrong: list[str] = []
    cases = [(e, Question(e.text, begin_ms, end_ms, 60)) for e in RANGE]
    cases += [(e, Question(e.text, 0, end_ms)) for e in INSTANT]
    for expression, question in cases:
        found = answers(servers, question)
        remark, _, worst = difference(found[VEDETTE], found[PROMETHEUS])
        if expression.exact is not None and (remark or worst > expression.exact):
            wrong.append(f"{question.query} (step {question.step_s} s): {remark or worst}")
        vm_remark, vm_median, vm_worst = difference(found[VEDETTE], found[VICTORIA])
        allowed = expression.tolerance
        if allowed is not None and (vm_median > allowed or vm_remark):
            wrong.append(f"VictoriaMetrics: {question.query} (step {question.step_s}): {vm_remark} {vm_median:.2g}")
        table.rows.append(
            (question.query, f"{worst:.1g}", f"{vm_median:.1g}", f"{vm_worst:.1g}", vm_remark or expression.remark)
        )
        table.data.append({"query": question.query, "prometheus_worst": worst, "victoria_median": vm_median})
    table.notes += [f"DIFFERS: {text}" for text in wrong]
    session.say(f"{len(cases)} answers compared, {len(wrong)} differ by more than allowed")
    return table


def _table(session: Session, servers: Sequence[Server], title: str, questions: Sequence[Question]) -> Table:
    table = Table("queries", f"{title} (medians)", _COLUMNS)
    by_victoria: list[float] = []
    by_prometheus: list[float] = []
    for question in questions:
        try:
            timings = compare(servers, question, rounds=session.rounds, seconds=_SECONDS_EACH)
        except ServerError as exc:
            table.notes.append(str(exc))
            continue
        ours, victoria, prometheus = (timings[name] for name in (VEDETTE, VICTORIA, PROMETHEUS))
        by_victoria.append(victoria.median_s / ours.median_s)
        by_prometheus.append(prometheus.median_s / ours.median_s)
        table.rows.append(
            (
                question.query,
                *(milliseconds(timing.median_s) for timing in (ours, victoria, prometheus)),
                ratio(victoria.median_s, ours.median_s),
                ratio(prometheus.median_s, ours.median_s),
                f"{ours.answer_bytes / 1000:,.0f}",
            )
        )
        table.data.append(_record(question, timings))
    if by_victoria:
        slower = sum(1 for quotient in by_victoria if quotient < 1)
        table.notes.append(
            f"geometric means: VictoriaMetrics takes {geometric_mean(by_victoria):.2f} times as long, Prometheus"
            f" {geometric_mean(by_prometheus):.1f} times; Vedette is slower than VictoriaMetrics on {slower} of"
            f" {len(by_victoria)}"
        )
    session.say(f"{title}: done")
    return table


def _record(question: Question, timings: dict[str, Timing]) -> dict[str, object]:
    return {
        "query": question.query,
        "step_s": question.step_s,
        "hours": (question.end_ms - question.start_ms) / 3_600_000 if question.step_s else 0,
        "servers": {
            name: {"first_s": t.first_s, "times_s": t.times_s, "answer_bytes": t.answer_bytes}
            for name, t in timings.items()
        },
    }
