"""Try an alerting rule on stored history: when it would have fired, and what other thresholds and times would change.

The time is evaluated piece by piece, so that a month of a thousand series never stands in memory as a whole, and other
queries have their turns in between. If the expression compares with a number, what is compared is evaluated once and
serves all thresholds.

The clock of `for` begins with the time that is tried: alerts that were pending before it begin anew. Label templates
are not expanded, and `keep_firing_for` counts as it does in the running rule.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from vedette.lang.promql.ast import Expr
from vedette.model.errors import LimitExceededError
from vedette.query.promql import Matrix, RangeResult
from vedette.rules.backtest import Episodes, Findings, Summary, find_threshold, summarise
from vedette.rules.definitions import AlertingRule

_PIECE_STEPS: Final = 1440
_AT_ONCE: Final = 2
"""Pieces that are evaluated side by side: while one is read, another one is worked out."""
_FACTORS: Final = (0.8, 0.9, 1.1, 1.25)
"""Of its threshold: the others that are tried where none are named."""
_HOLDS_MS: Final = (60_000, 300_000, 900_000)
"""The times that are tried for a rule without `for`."""


class Ranges(Protocol):
    """Evaluates expressions over a time (`vedette.query.service`)."""

    async def range(self, expr: Expr, *, start_ms: int, end_ms: int, step_ms: int) -> RangeResult:
        """Evaluate at start, start + step and so on up to end; raises `VedetteError`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialOptions:
    """What is tried.

    Attributes:
        start_ms: the first evaluation.
        end_ms: the last one, or shortly after it.
        step_ms: the time between two of them.
        thresholds: other ones than the rule's; None for some near it.
        holds_ms: other values of `for`; None for some near it.
        max_runs: how often series may come and go, all together; other thresholds with more are left out.
        buckets: so many parts the timeline has, at most.
    """

    start_ms: int
    end_ms: int
    step_ms: int
    thresholds: tuple[float, ...] | None = None
    holds_ms: tuple[int, ...] | None = None
    buckets: int = 120
    max_runs: int = 1_000_000

    @property
    def steps(self) -> int:
        """How many evaluations there are."""
        return (self.end_ms - self.start_ms) // self.step_ms + 1


@dataclass(frozen=True, slots=True)
class Alternative:
    """What another threshold, or another `for`, would have come to.

    Attributes:
        threshold: None where the expression has none.
    """

    threshold: float | None
    hold_ms: int
    summary: Summary


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """How many alerts fired, over time.

    Attributes:
        start_ms: of the first part.
        step_ms: the length of each part.
        firing: int64[parts], the alerts that fired at any moment of each.
    """

    start_ms: int
    step_ms: int
    firing: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """What became of a rule.

    Attributes:
        threshold: of its expression; None where that has none.
        alternatives: other thresholds with the rule's own `for`, then other values of `for` with its own threshold.
    """

    rule: AlertingRule
    threshold: float | None
    summary: Summary
    episodes: Episodes
    alternatives: tuple[Alternative, ...]
    timeline: Timeline


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a trial is: `done` of `total` evaluations."""

    done: int
    total: int


async def try_rule(rule: AlertingRule, ranges: Ranges, options: TrialOptions) -> AsyncIterator[Progress | Trial]:
    """Try a rule; its trial comes last.

    Raises:
        VedetteError: the expression cannot be evaluated.
        LimitExceededError: what it finds comes and goes too often.
    """
    compared = find_threshold(rule.expr)
    own = None if compared is None else compared.limit
    limits = (own, *_thresholds(own, options))
    expr = rule.expr if compared is None else compared.expr
    findings = [Findings(start_ms=options.start_ms, step_ms=options.step_ms) for _ in limits]

    def note(matrices: Sequence[Matrix]) -> None:
        for matrix in matrices:
            for limit, found in zip(limits, findings, strict=True):
                if found.count <= options.max_runs:
                    found.add(matrix, None if compared is None or limit is None else compared.found(matrix, limit))
        if findings[0].count > options.max_runs:
            what = "times at which a series begins to be found"
            raise LimitExceededError(
                limit="rules.backtest_runs", allowed=options.max_runs, found=findings[0].count, what=what
            )

    def conclude() -> Trial:
        episodes = _replay(findings[0], rule, rule.hold_ms)
        others = [
            Alternative(limit, rule.hold_ms, summarise(_replay(found, rule, rule.hold_ms)))
            for limit, found in zip(limits[1:], findings[1:], strict=True)
            if found.count <= options.max_runs
        ]
        others += [
            Alternative(own, hold_ms, summarise(_replay(findings[0], rule, hold_ms)))
            for hold_ms in _holds(rule, options)
        ]
        return Trial(rule, own, summarise(episodes), episodes, tuple(others), timeline_of(episodes, options))

    for first in range(0, options.steps, _PIECE_STEPS * _AT_ONCE):
        yield Progress(first, options.steps)
        matrices = await _evaluate(expr, ranges, options, first)
        await asyncio.to_thread(note, matrices)
    yield Progress(options.steps, options.steps)
    yield await asyncio.to_thread(conclude)


async def _evaluate(expr: Expr, ranges: Ranges, options: TrialOptions, first: int) -> Sequence[Matrix]:
    """The next pieces, from a step on."""
    beyond = min(first + _PIECE_STEPS * _AT_ONCE, options.steps)

    async def piece(begin: int) -> Matrix:
        last = min(begin + _PIECE_STEPS, beyond) - 1
        result = await ranges.range(
            expr,
            start_ms=options.start_ms + begin * options.step_ms,
            end_ms=options.start_ms + last * options.step_ms,
            step_ms=options.step_ms,
        )
        return result.matrix

    try:
        async with asyncio.TaskGroup() as tasks:
            pieces = [tasks.create_task(piece(begin)) for begin in range(first, beyond, _PIECE_STEPS)]
    except ExceptionGroup as group:
        # Either piece fails for the same reason.
        raise group.exceptions[0] from None
    return [piece.result() for piece in pieces]


def timeline_of(episodes: Episodes, options: TrialOptions) -> Timeline:
    """How many alerts fired in each part of the time."""
    whole_ms = options.steps * options.step_ms
    # Parts of whole steps, so that none lies between two evaluations.
    step_ms = -(-options.steps // options.buckets) * options.step_ms
    parts = -(-whole_ms // step_ms)
    fired = episodes.fired
    begins = (episodes.fired_ms[fired] - options.start_ms) // step_ms
    ends = (episodes.end_ms[fired] - options.start_ms - 1) // step_ms
    changes = np.zeros(parts + 1, np.int64)
    np.add.at(changes, begins, 1)
    np.add.at(changes, ends + 1, -1)
    return Timeline(options.start_ms, step_ms, np.cumsum(changes[:-1]))


def _replay(findings: Findings, rule: AlertingRule, hold_ms: int) -> Episodes:
    return findings.replay(hold_ms=hold_ms, keep_firing_ms=rule.keep_firing_ms)


def _thresholds(own: float | None, options: TrialOptions) -> Sequence[float]:
    if own is None:
        return ()
    if options.thresholds is not None:
        return options.thresholds
    return [float(f"{own * factor:.6g}") for factor in _FACTORS] if own else ()


def _holds(rule: AlertingRule, options: TrialOptions) -> Sequence[int]:
    if options.holds_ms is not None:
        return options.holds_ms
    own = rule.hold_ms
    return (0, own // 2, own * 2) if own else _HOLDS_MS
