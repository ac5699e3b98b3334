"""`rules`, `alerts`, `alertmanagers`: what is evaluated, what is pending or firing, and who is told.

Source: Prometheus 3, `web/api/v1/api.go`; the wording of errors follows it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from vedette.config import mask_url
from vedette.http.prometheus.answers import answer
from vedette.http.prometheus.parameters import BadParameterError, Parameters
from vedette.http.prometheus.targets import format_time
from vedette.lang.gotemplate.floats import format_float
from vedette.model.labels import LabelSet
from vedette.model.matchers import Matcher
from vedette.rules import ActiveAlert, Alerting, AlertState, GroupAtWork, RuleAtWork
from vedette.rules.notifier import Addresses

_NEVER: Final = "0001-01-01T00:00:00Z"
_TYPES: Final = {"": "", "alert": "alerting", "record": "recording"}
_TRUE: Final = ("1", "t", "true")
_FALSE: Final = ("0", "f", "false")


@dataclass(frozen=True, slots=True)
class RulesApi:
    """The handlers.

    Attributes:
        groups: all groups, in order of their files and names.
        alertmanagers: to whom alerts are sent.
    """

    groups: Callable[[], Sequence[GroupAtWork]]
    alertmanagers: Callable[[], Addresses]

    async def list_rules(self, request: Request) -> Response:
        """`/api/v1/rules`: all rules with their state, in groups."""
        wanted = _Wanted.of(await Parameters.of(request))
        # Annotations are expanded when they are shown, and there may be thousands.
        return await asyncio.to_thread(_page, wanted, self.groups())

    async def list_alerts(self, _request: Request) -> Response:
        """`/api/v1/alerts`: all alerts that are pending or firing."""
        machines = [machine for group in self.groups() for machine in group.alerting()]
        return await asyncio.to_thread(
            lambda: answer({"alerts": [_shown_alert(alert) for machine in machines for alert in machine.active()]})
        )

    async def list_alertmanagers(self, _request: Request) -> Response:
        """`/api/v1/alertmanagers`: to whom alerts are sent."""
        found = self.alertmanagers()
        return answer(
            {
                "activeAlertmanagers": [{"url": mask_url(url)} for url in found.urls],
                "droppedAlertmanagers": [{"url": mask_url(url)} for url in found.dropped],
            }
        )


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which rules are asked for.

    Attributes:
        type: as in the answer; empty for all.
        alerts: whether alerts are shown.
        limit: the most groups of an answer; 0 for any number.
        token: of the group that begins the page; empty for the first page.
    """

    type: str
    names: frozenset[str]
    groups: frozenset[str]
    files: frozenset[str]
    matchers: Sequence[Sequence[Matcher]]
    alerts: bool
    limit: int
    token: str

    @classmethod
    def of(cls, parameters: Parameters) -> _Wanted:
        kind = parameters.text("type").lower()
        if kind not in _TYPES:
            raise BadParameterError("type", f'not supported value "{kind}"')
        limit, token = _group_limit(parameters), parameters.text("group_next_token")
        if token and not limit:
            problem = "group_limit needs to be present in order to paginate over the groups"
            raise BadParameterError("group_next_token", problem)
        return cls(
            type=_TYPES[kind],
            names=frozenset(parameters.texts("rule_name[]")),
            groups=frozenset(parameters.texts("rule_group[]")),
            files=frozenset(parameters.texts("file[]")),
            matchers=parameters.selectors(),
            alerts=not _flag(parameters, "exclude_alerts"),
            limit=limit,
            token=token,
        )

    def of_page(self, groups: Sequence[GroupAtWork]) -> Iterator[GroupAtWork]:
        """The groups that are asked for, from the page's first one on."""
        begun = not self.token
        for work in groups:
            if self.groups and work.group.name not in self.groups:
                continue
            if self.files and work.group.file not in self.files:
                continue
            begun = begun or _token(work) == self.token
            if begun:
                yield work
        if not begun:
            problem = f"invalid group_next_token '{self.token}'. were rule groups changed?"
            raise BadParameterError("group_next_token", problem)

    def includes(self, work: RuleAtWork) -> bool:
        """Whether a rule is asked for."""
        if self.type and self.type != _type(work):
            return False
        if self.names and work.rule.name not in self.names:
            return False
        labels = dict(work.rule.labels)
        return not self.matchers or any(
            all(matcher.matches(labels.get(matcher.name, "")) for matcher in matchers) for matchers in self.matchers
        )


def _page(wanted: _Wanted, groups: Sequence[GroupAtWork]) -> Response:
    found: list[dict[str, object]] = []
    for group in wanted.of_page(groups):
        rules = [_shown_rule(rule, alerts=wanted.alerts) for rule in group.rules if wanted.includes(rule)]
        if not rules:
            continue
        if wanted.limit and len(found) == wanted.limit:
            return answer({"groups": found, "groupNextToken": _token(group)})
        found.append(_shown_group(group, rules))
    return answer({"groups": found})


def _group_limit(parameters: Parameters) -> int:
    text = parameters.text("group_limit")
    if not text:
        return 0
    try:
        limit = int(text)
    except ValueError:
        raise BadParameterError("group_limit", f'group_limit needs to be a valid number: "{text[:40]}"') from None
    if limit <= 0:
        raise BadParameterError("group_limit", "group_limit needs to be greater than 0")
    return limit


def _flag(parameters: Parameters, name: str) -> bool:
    text = parameters.text(name).lower()
    if text and text not in _TRUE and text not in _FALSE:
        raise BadParameterError(name, f'error converting {name}: strconv.ParseBool: parsing "{text}": invalid syntax')
    return text in _TRUE


def _token(work: GroupAtWork) -> str:
    return hashlib.sha1(work.group.key.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def _type(work: RuleAtWork) -> str:
    return "alerting" if isinstance(work.machine, Alerting) else "recording"


def _shown_group(work: GroupAtWork, rules: list[dict[str, object]]) -> dict[str, object]:
    return {
        "name": work.group.name,
        "file": work.group.file,
        "rules": rules,
        "interval": _seconds(work.interval_ms),
        "limit": work.group.limit,
        "evaluationTime": work.duration_s,
        "lastEvaluation": _time(work.evaluated_ms),
    }


def _shown_rule(work: RuleAtWork, *, alerts: bool) -> dict[str, object]:
    rule, machine = work.rule, work.machine
    common = {
        "name": rule.name,
        "query": rule.query,
        "health": work.health.value,
        "evaluationTime": work.duration_s,
        "lastEvaluation": _time(work.evaluated_ms),
        "type": _type(work),
        **({"lastError": work.error} if work.error else {}),
    }
    if not isinstance(machine, Alerting):
        return {**common, **({"labels": dict(rule.labels)} if rule.labels else {})}
    state = work.state
    return {
        **common,
        "state": "unknown" if state is None else _state(state),
        "duration": _seconds(machine.rule.hold_ms),
        "keepFiringFor": _seconds(machine.rule.keep_firing_ms),
        "labels": dict(rule.labels),
        "annotations": dict(machine.rule.annotations),
        "alerts": [_shown_alert(alert) for alert in machine.active()] if alerts else [],
    }


def _shown_alert(alert: ActiveAlert) -> dict[str, Any]:
    kept = {} if alert.kept_ms is None else {"keepFiringSince": _time(alert.kept_ms)}
    labels: LabelSet = alert.labels
    return {
        "labels": dict(labels),
        "annotations": dict(alert.annotations),
        "state": _state(alert.state),
        "activeAt": _time(alert.active_ms),
        **kept,
        "value": format_float(alert.value, "e", -1),
    }


def _state(state: AlertState) -> str:
    return state.name.lower()


def _seconds(duration_ms: int) -> float:
    return duration_ms // 1000 if duration_ms % 1000 == 0 else duration_ms / 1000


def _time(time_ms: int | None) -> str:
    return _NEVER if time_ms is None else format_time(time_ms)
