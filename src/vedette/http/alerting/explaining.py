"""Why somebody was told of an alert, and why nobody was: answers from the stored history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starlette.requests import Request
from starlette.responses import Response

from vedette.alerting import Record, Step, explain, record_fields, sentence
from vedette.alerting.delivery import Attempt
from vedette.alerting.quality import quality_fields
from vedette.alerting.route_forms import step_fields, tree_fields
from vedette.alerting.service import AlertingService
from vedette.alerting.stories import KnownAlert, Standing, Stories
from vedette.http.alertmanager.parameters import read_filters
from vedette.http.errors import ProblemError
from vedette.http.inputs import query_number
from vedette.http.prometheus.answers import answer
from vedette.http.prometheus.parameters import parse_time

_MOST: Final = 1000
_MONTH_MS: Final = 30 * 86_400_000
_LATEST_MS: Final = 1 << 53


class ExplainingApi:
    """Questions about the past and the routes of one service."""

    def __init__(self, service: AlertingService, stories: Stories, now_ms: Callable[[], int]) -> None:
        self._service = service
        self._stories = stories
        self._now_ms = now_ms

    async def explain(self, request: Request) -> Response:
        """`/api/vedette/v1/alerts/explain?filter=...&time=...&receiver=...`: how alerts stood, and why."""
        at_ms = self._time(request, "time")
        receiver = request.query_params.get("receiver", "")
        limit = query_number(request, "limit", default=20, low=1, high=_MOST)
        found: list[dict[str, Any]] = []
        for alert in await self._alerts(request, limit):
            standing = await self._stories.standing(alert, at_ms, receiver=receiver)
            steps = explain(self._service.pipeline.plan.root, alert.labels)
            found.append(_shown_standing(standing, steps, receiver))
        return answer(found)

    async def history(self, request: Request) -> Response:
        """`/api/vedette/v1/alerts/history?filter=...&start=...&end=...`: everything that was decided."""
        limit = query_number(request, "limit", default=_MOST, low=1, high=20 * _MOST)
        alerts = await self._alerts(request, _MOST)
        start_ms = parse_time("start", text) if (text := request.query_params.get("start")) else 0
        records = await self._stories.history(
            [one.fingerprint for one in alerts], since_ms=start_ms, until_ms=self._time(request, "end"), limit=limit
        )
        names = {one.fingerprint: one for one in alerts}
        return answer([{**_shown(one), "labels": dict(names[one.fingerprint].labels)} for one in records])

    async def quality(self, request: Request) -> Response:
        """`/api/vedette/v1/alerts/quality?start=...&zone=...`: what became of the alerts of each name."""
        text = request.query_params.get("start")
        start_ms = parse_time("start", text) if text else self._now_ms() - _MONTH_MS
        name = request.query_params.get("zone", "UTC")
        try:
            zone = ZoneInfo(name)
        except (ValueError, OSError, ZoneInfoNotFoundError) as exc:
            raise ProblemError(400, f"there is no time zone {name[:80]!r}", kind="bad-data") from exc
        return answer([quality_fields(one) for one in await self._stories.quality(since_ms=start_ms, zone=zone)])

    async def notifications(self, request: Request) -> Response:
        """`/api/vedette/v1/notifications?receiver=...`: attempts to deliver, the newest first."""
        limit = query_number(request, "limit", default=100, low=1, high=_MOST)
        receiver = request.query_params.get("receiver")
        found = await self._stories.attempts(receiver=receiver, until_ms=self._time(request, "time"), limit=limit)
        return answer([shown_attempt(one) for one in found])

    async def notification(self, request: Request) -> Response:
        """`/api/vedette/v1/notifications/ID`: what led to a message, and how it went."""
        text = str(request.path_params["message"])
        if not (text.isascii() and text.isdigit() and len(text) <= 18):
            raise ProblemError(400, "a message's id is a whole number", kind="bad-data")
        chain = await self._stories.why_sent(int(text))
        if not chain:
            raise ProblemError(404, f"there is no message {text}", kind="not-found")
        attempts = await self._stories.attempts(message=int(text), limit=_MOST)
        return answer(
            {"decisions": [_shown(one) for one in chain], "attempts": [shown_attempt(one) for one in attempts]}
        )

    async def routes(self, _request: Request) -> Response:
        """`/api/vedette/v1/routes`: the routing tree, each node with its depth."""
        return answer(tree_fields(self._service.pipeline.plan.root))

    async def routes_test(self, request: Request) -> Response:
        """`/api/vedette/v1/routes/test?label=name%3Dvalue`: the nodes that an alert comes by."""
        labels: dict[str, str] = {}
        for text in request.query_params.getlist("label"):
            name, sign, value = text.partition("=")
            if not sign or not name:
                raise ProblemError(400, f"`label` must be name=value, found {text[:80]!r}", kind="bad-data")
            labels[name] = value
        return answer([step_fields(one) for one in explain(self._service.pipeline.plan.root, labels)])

    async def _alerts(self, request: Request, limit: int) -> Sequence[KnownAlert]:
        fingerprint = request.query_params.get("fingerprint", "")
        if fingerprint:
            alert = await self._stories.get(fingerprint)
            if alert is None:
                raise ProblemError(404, f"no alert {fingerprint[:32]!r} is in the history", kind="not-found")
            return [alert]
        return await self._stories.find(read_filters(request), limit=limit)

    def _time(self, request: Request, name: str) -> int:
        text = request.query_params.get(name)
        return min(parse_time(name, text), _LATEST_MS) if text else self._now_ms()


def shown_attempt(attempt: Attempt) -> dict[str, Any]:
    """An attempt as JSON has it."""
    return {
        "message": attempt.message,
        "receiver": attempt.address.receiver,
        "integration": f"{attempt.address.kind}[{attempt.address.number}]",
        "groupKey": attempt.group_key,
        "reason": attempt.reason,
        "attempt": attempt.number,
        "time": attempt.at_ms / 1000,
        "latencySeconds": attempt.latency_ms / 1000,
        "ok": attempt.ok,
        "status": attempt.status,
        "error": attempt.error,
        "final": attempt.permanent,
        "note": attempt.note,
        "bodyBytes": attempt.body_bytes,
        "body": attempt.body,
    }


def _shown_standing(standing: Standing, steps: Sequence[Step], receiver: str) -> dict[str, Any]:
    alert, told = standing.alert, standing.told
    if standing.life is None:
        said = "it was not known by then"
    elif told:
        said = f"{'firing' if standing.firing else 'ended'}; told to " + ", ".join(
            dict.fromkeys(str(one.address or one.receiver) for one in told)
        )
    elif receiver and not standing.decisions:
        said = f"no route of it led to {receiver}"
    else:
        said = f"{'firing' if standing.firing else 'ended'}; nobody was told"
    return {
        "fingerprint": alert.fingerprint,
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "time": standing.at_ms / 1000,
        "firing": standing.firing,
        "told": bool(told),
        "answer": said,
        "life": None if standing.life is None else _shown(standing.life),
        "decisions": [_shown(one) for one in standing.decisions],
        "routes": [step_fields(one) for one in steps],
    }


def _shown(record: Record) -> dict[str, Any]:
    return {**record_fields(record), "sentence": sentence(record)}
