"""`/api/vedette/v1/backtest`: rules tried on stored history, with the progress as it goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import orjson
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from vedette.http.errors import ProblemError
from vedette.model.durations import parse_duration
from vedette.model.errors import ConfigErrors, VedetteError
from vedette.rules import AlertingRule, Episodes, RuleGroup, Summary, parse_rules
from vedette.rules.trial import Progress, Ranges, Trial, TrialOptions, try_rule

_SHOWN_EPISODES: Final = 1000
_ALTERNATIVES: Final = 20


@dataclass(frozen=True, slots=True)
class _Asked:
    """The body of a request.

    Attributes:
        rules: the content of a rule file.
        start: seconds since the epoch.
        end: likewise.
        file: how the file is called, for messages.
        rule: only the alert of this name.
        step: a duration; else the group's interval.
        thresholds: to be tried besides the rule's; None for some near it.
        holds: values of `for` to be tried, as durations; None for some near the rule's.
    """

    rules: str
    start: float
    end: float
    file: str = "rules.yml"
    rule: str = ""
    step: str = ""
    thresholds: tuple[float, ...] | None = None
    holds: tuple[str, ...] | None = None


_ASKED = TypeAdapter(_Asked)


@dataclass(frozen=True, slots=True)
class BacktestLimits:
    """What a backtest may use.

    Attributes:
        interval_ms: how often rules are evaluated whose group does not say it.
        steps: the most evaluations of all its rules together.
        runs: how often series of one rule may come and go.
    """

    interval_ms: int
    steps: int
    runs: int


@dataclass(frozen=True, slots=True)
class Backtest:
    """Answers requests. `limits` are asked for again with each."""

    ranges: Ranges
    limits: Callable[[], BacktestLimits]

    async def answer(self, request: Request) -> Response:
        """JSON lines: `progress`, one `result` for each rule, and at most one `error`, which is the last line."""
        try:
            asked = _ASKED.validate_json(await request.body())
        except ValidationError as exc:
            where = ".".join(str(step) for step in exc.errors()[0]["loc"])
            problem = f"expected an object with rules, start and end; {where or 'it'}: {exc.errors()[0]['msg']}"
            raise ProblemError(400, problem, kind="bad-data") from exc
        limits = self.limits()
        try:
            file = await asyncio.to_thread(parse_rules, asked.rules, asked.file)
        except ConfigErrors as exc:
            raise ProblemError(400, str(exc), kind="bad-data") from exc
        wanted = [
            (group, rule, _options(asked, group, limits))
            for group in file.groups
            for rule in group.rules
            if isinstance(rule, AlertingRule) and asked.rule in ("", rule.name)
        ]
        steps = sum(options.steps for _, _, options in wanted)
        if steps > limits.steps:
            problem = (
                f"{steps:,} evaluations are asked for, and {limits.steps:,} are allowed; choose a shorter time, a"
                " larger step or one rule, or raise `rules.backtest_evaluations`"
            )
            raise ProblemError(400, problem, kind="limit-exceeded")
        return StreamingResponse(self._lines(wanted, steps), media_type="application/jsonl")

    async def _lines(
        self, wanted: list[tuple[RuleGroup, AlertingRule, TrialOptions]], steps: int
    ) -> AsyncIterator[bytes]:
        before = 0
        try:
            for group, rule, options in wanted:
                async for told in try_rule(rule, self.ranges, options):
                    match told:
                        case Progress():
                            yield _line({"progress": {"rule": rule.name, "done": before + told.done, "total": steps}})
                        case Trial():
                            yield _line({"result": _shown(group, told, options)})
                before += options.steps
        except VedetteError as exc:
            yield _line({"error": str(exc)})


def _options(asked: _Asked, group: RuleGroup, limits: BacktestLimits) -> TrialOptions:
    try:
        step_ms = parse_duration(asked.step) if asked.step else group.interval_ms or limits.interval_ms
        holds = None if asked.holds is None else tuple(parse_duration(text) for text in asked.holds)
    except ValueError as exc:
        raise ProblemError(400, str(exc), kind="bad-data") from exc
    if len(asked.thresholds or ()) > _ALTERNATIVES or len(holds or ()) > _ALTERNATIVES:
        raise ProblemError(400, f"at most {_ALTERNATIVES} thresholds and {_ALTERNATIVES} holds", kind="bad-data")
    start_ms, end_ms = (_time_ms(name, seconds) for name, seconds in (("start", asked.start), ("end", asked.end)))
    if step_ms <= 0:
        raise ProblemError(400, "step must be more than 0", kind="bad-data")
    if end_ms < start_ms:
        raise ProblemError(400, "end must not be before start", kind="bad-data")
    # As the running rule would: at multiples of its interval.
    start_ms -= start_ms % step_ms
    return TrialOptions(
        start_ms=start_ms,
        end_ms=end_ms,
        step_ms=step_ms,
        thresholds=asked.thresholds,
        holds_ms=holds,
        max_runs=limits.runs,
    )


def _time_ms(name: str, seconds: float) -> int:
    if not abs(seconds) < 1e12:
        raise ProblemError(400, f"{name} is no time", kind="bad-data")
    return round(seconds * 1000)


def _line(content: dict[str, Any]) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY) + b"\n"


def _shown(group: RuleGroup, trial: Trial, options: TrialOptions) -> dict[str, Any]:
    rule, timeline = trial.rule, trial.timeline
    return {
        "rule": rule.name,
        "group": group.name,
        "query": rule.query,
        "for": rule.hold_ms / 1000,
        "keepFiringFor": rule.keep_firing_ms / 1000,
        "threshold": trial.threshold,
        "start": options.start_ms / 1000,
        "end": options.end_ms / 1000,
        "step": options.step_ms / 1000,
        "summary": _summary(trial.summary),
        "alternatives": [
            {"threshold": other.threshold, "for": other.hold_ms / 1000, "summary": _summary(other.summary)}
            for other in trial.alternatives
        ],
        "timeline": {"start": timeline.start_ms / 1000, "step": timeline.step_ms / 1000, "firing": timeline.firing},
        "episodes": list(_episodes(trial.episodes)),
        "episodesTotal": len(trial.episodes.rows),
    }


def _summary(summary: Summary) -> dict[str, float]:
    return {
        "alerts": summary.alerts,
        "nearMisses": summary.near_misses,
        "series": summary.series,
        "firing": summary.firing_ms / 1000,
        "anyFiring": summary.any_firing_ms / 1000,
        "longest": summary.longest_ms / 1000,
    }


def _episodes(episodes: Episodes) -> Iterator[dict[str, Any]]:
    """Those that fired, the longest first, and then those that were pending only."""
    length = episodes.end_ms - episodes.start_ms
    order = np.lexsort((-length, ~episodes.fired))[:_SHOWN_EPISODES]
    fired = episodes.fired
    for at in order.tolist():
        yield {
            "labels": dict(episodes.labels.label_set(int(episodes.rows[at]))),
            "start": int(episodes.start_ms[at]) / 1000,
            "fired": int(episodes.fired_ms[at]) / 1000 if fired[at] else None,
            "end": int(episodes.end_ms[at]) / 1000,
            "open": bool(episodes.open[at]),
            "peak": float(episodes.peak[at]),
        }
