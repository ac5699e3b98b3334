"""`/api/v2/alerts` and `/api/v2/alerts/groups`: alerts in, and how they stand.

Source: Alertmanager's `api/v2/api.go`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import orjson
from starlette.requests import Request
from starlette.responses import Response

from vedette.alerting import AlertError, AlertState, AlertStatus, Group, Held, alert_status, complete, sorted_groups
from vedette.alerting.matchers import LabelMatcher, all_match, passes_filter
from vedette.alerting.service import AlertingService
from vedette.http.alertmanager.answers import answer, invalid, read_time, refused, show_time, unreadable
from vedette.http.alertmanager.parameters import read_filters, read_flag, read_receiver
from vedette.model.alerts import Alert

_MOST_LABELS: Final = 256
_LONGEST_TEXT: Final = 65_536


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which alerts a request asks for."""

    filters: tuple[LabelMatcher, ...]
    active: bool
    silenced: bool
    inhibited: bool

    def passes(self, held: Held, status: AlertStatus) -> bool:
        """Whether an alert is one of them."""
        if status.state is not AlertState.SUPPRESSED and not self.active:
            return False
        if (status.silenced_by and not self.silenced) or (status.inhibited_by and not self.inhibited):
            return False
        return passes_filter(self.filters, held.labels)


class AlertsApi:
    """Alerts of one service."""

    def __init__(self, service: AlertingService) -> None:
        self._service = service

    async def list_alerts(self, request: Request) -> Response:
        """`GET /api/v2/alerts`."""
        wanted, receiver = _wanted(request), read_receiver(request)
        by_labels = read_filters(request, "receiver_matchers")
        pipeline, now_ms = self._service.pipeline, self._service.now_ms()
        labels: dict[str, Mapping[str, str]] = {name: one.labels for name, one in pipeline.plan.receivers.items()}
        shown: list[dict[str, Any]] = []
        for name, held in sorted(pipeline.holdings.alerts.items()):
            if held.alert.ends_ms < now_ms:
                continue
            names = [route.receiver for route, _ in held.routes]
            if not any(receiver(one) and all_match(by_labels, labels[one]) for one in names):
                continue
            status = alert_status(pipeline, held, now_ms)
            if wanted.passes(held, status):
                shown.append(_shown(name, held, status, sorted(set(names))))
        return answer(shown)

    async def list_groups(self, request: Request) -> Response:
        """`GET /api/v2/alerts/groups`."""
        wanted, receiver = _wanted(request), read_receiver(request)
        by_labels = read_filters(request, "receiver_matchers")
        muted = read_flag(request, "muted")
        pipeline, now_ms = self._service.pipeline, self._service.now_ms()
        receivers = pipeline.plan.receivers
        shown: list[dict[str, Any]] = []
        for group in sorted_groups(pipeline):
            name = group.route.receiver
            labels = receivers[name].labels
            if not receiver(name) or not all_match(by_labels, labels):
                continue
            found = [
                (held, status)
                for held in group.sorted()
                if held.alert.ends_ms >= now_ms and wanted.passes(held, status := alert_status(pipeline, held, now_ms))
            ]
            if found and (muted or any(status.state is not AlertState.SUPPRESSED for _, status in found)):
                shown.append(_shown_group(group, found))
        return answer(shown)

    async def post_alerts(self, request: Request) -> Response:
        """`POST /api/v2/alerts`, and of version 1."""
        reports = _read_reports(await request.body())
        service = self._service
        now_ms, timeout_ms = service.now_ms(), service.pipeline.plan.resolve_timeout_ms
        taken: list[Alert] = []
        refusals: list[str] = []
        for index, report in enumerate(reports):
            try:
                taken.append(_read_alert(report, index, now_ms, timeout_ms))
            except AlertError as exc:
                refusals.append(str(exc))
        if taken:
            await service.post(taken)
        if refusals:
            # The others are taken, as by Alertmanager.
            raise refused("; ".join(dict.fromkeys(refusals)))
        return Response()

    async def post_alerts_v1(self, request: Request) -> Response:
        """`POST /api/v1/alerts`, which old senders use; the answer has an envelope."""
        await self.post_alerts(request)
        return answer({"status": "success"})


def _wanted(request: Request) -> _Wanted:
    # Alertmanager looks at an alert before it answers, so that none is unprocessed then; amtool counts on it.
    read_flag(request, "unprocessed")
    return _Wanted(
        filters=read_filters(request),
        active=read_flag(request, "active"),
        silenced=read_flag(request, "silenced"),
        inhibited=read_flag(request, "inhibited"),
    )


def _shown(name: str, held: Held, status: AlertStatus, receivers: Sequence[str]) -> dict[str, Any]:
    alert = held.alert
    return {
        "annotations": dict(alert.annotations),
        "endsAt": show_time(alert.ends_ms),
        "fingerprint": name,
        "receivers": [{"name": one} for one in receivers],
        "startsAt": show_time(alert.starts_ms),
        "status": {
            "inhibitedBy": list(status.inhibited_by),
            "mutedBy": list(status.muted_by),
            "silencedBy": list(status.silenced_by),
            "state": (AlertState.SUPPRESSED if status.state is AlertState.SUPPRESSED else AlertState.ACTIVE).value,
        },
        "updatedAt": show_time(alert.updated_ms),
        "generatorURL": alert.generator_url,
        "labels": held.labels,
    }


def _shown_group(group: Group, alerts: Sequence[tuple[Held, AlertStatus]]) -> dict[str, Any]:
    name = group.route.receiver
    ordered = sorted(alerts, key=lambda one: one[0].fingerprint)
    return {
        "alerts": [_shown(held.fingerprint, held, status, [name]) for held, status in ordered],
        "labels": dict(group.id.labels),
        "receiver": {"name": name},
        "routeLabels": dict(group.route.labels),
    }


def _read_reports(body: bytes) -> list[Any]:
    try:
        found = orjson.loads(body)
    except ValueError as exc:
        raise unreadable(f'parsing alerts body from "" failed, because {exc}') from exc
    if not isinstance(found, list):
        raise unreadable('parsing alerts body from "" failed, because it is no list of alerts')
    return cast("list[Any]", found)


def _read_alert(report: Any, index: int, now_ms: int, resolve_timeout_ms: int) -> Alert:
    if not isinstance(report, dict):
        raise unreadable(f'parsing alerts body from "" failed, because entry {index} is no object')
    fields = cast("dict[str, Any]", report)
    if fields.get("labels") is None:
        raise invalid(602, f"{index}.labels in body is required")
    url = fields.get("generatorURL") or ""
    if not isinstance(url, str):
        raise invalid(601, f"{index}.generatorURL in body must be of type string")
    return complete(
        _read_pairs(fields["labels"], f"{index}.labels"),
        _read_pairs(fields.get("annotations") or {}, f"{index}.annotations"),
        now_ms=now_ms,
        resolve_timeout_ms=resolve_timeout_ms,
        starts_ms=_read_time(fields, "startsAt", index),
        ends_ms=_read_time(fields, "endsAt", index),
        generator_url=url[:_LONGEST_TEXT],
    )


def _read_pairs(found: Any, place: str) -> Mapping[str, str]:
    if not isinstance(found, dict):
        raise invalid(601, f"{place} in body must be of type object")
    pairs = cast("dict[str, Any]", found)
    if len(pairs) > _MOST_LABELS:
        raise AlertError(f"{place}: at most {_MOST_LABELS} names, found {len(pairs)}")
    for name, value in pairs.items():
        if not isinstance(value, str):
            raise invalid(601, f"{place}.{name[:80]} in body must be of type string")
        if len(value) > _LONGEST_TEXT or len(name) > _LONGEST_TEXT:
            raise AlertError(f"{place}: a text is longer than {_LONGEST_TEXT} characters")
    return pairs


def _read_time(fields: Mapping[str, Any], name: str, index: int) -> int | None:
    text = fields.get(name)
    if text is None or text == "":
        return None
    try:
        return read_time(text)
    except (TypeError, ValueError, OverflowError) as exc:
        raise invalid(601, f"{index}.{name} in body must be of type date-time: {str(text)[:80]!r}") from exc
