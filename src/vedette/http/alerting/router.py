"""The paths below `/api/vedette/v1` that are about alerts, and who may use each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from vedette.alerting import AlertError
from vedette.alerting.delivery import Outbox, UnknownReceiverError
from vedette.alerting.service import AlertingService
from vedette.alerting.stories import Stories
from vedette.alerting.webhooks import WebhookError, read_webhook
from vedette.config import AlertWebhook
from vedette.http.alerting.explaining import ExplainingApi, shown_attempt
from vedette.http.errors import ProblemError
from vedette.http.prometheus.answers import answer, render_error
from vedette.http.routing import Access, Route, Router

_MAX_WEBHOOK_BYTES: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class AlertingApi:
    """What the endpoints act on.

    Attributes:
        service: the alerting.
        stories: its past.
        outbox: sends test messages.
        now_ms: the time.
        webhooks: other programs that post alerts.
        beat: takes note of a heartbeat's call, or raises KeyError.
    """

    service: AlertingService
    stories: Stories
    outbox: Outbox
    now_ms: Callable[[], int]
    webhooks: Callable[[], Sequence[AlertWebhook]]
    beat: Callable[[str], Awaitable[None]]

    async def take_webhook(self, request: Request) -> Response:
        """`POST /api/vedette/v1/alerts/webhook/NAME`: alerts in the form of another program."""
        name = str(request.path_params["name"])
        webhook = next((one for one in self.webhooks() if one.name == name), None)
        if webhook is None:
            raise ProblemError(404, f"there is no webhook {name[:80]!r} under `alerts.webhooks`", kind="not-found")
        try:
            alerts = read_webhook(webhook, await request.body(), self.service.now_ms())
        except (WebhookError, AlertError) as exc:
            raise ProblemError(400, f"{webhook.format.value}: {exc}", kind="bad-data") from exc
        if alerts:
            await self.service.post(alerts)
        return answer({"alerts": len(alerts)})

    async def take_heartbeat(self, request: Request) -> Response:
        """`POST /api/vedette/v1/heartbeats/NAME`: the job of that name is alive."""
        name = str(request.path_params["name"])
        try:
            await self.beat(name)
        except KeyError as exc:
            raise ProblemError(
                404, f"there is no heartbeat {name[:80]!r} under `alerts.heartbeats`", kind="not-found"
            ) from exc
        return answer({"heartbeat": name})

    async def test_receiver(self, request: Request) -> Response:
        """`POST /api/vedette/v1/receivers/NAME/test`: send a real message that says that it is a test."""
        try:
            attempts = await self.outbox.send_test(str(request.path_params["receiver"]))
        except UnknownReceiverError as exc:
            raise ProblemError(404, str(exc), kind="not-found") from exc
        return answer([shown_attempt(one) for one in attempts])


def alerting_router(api: AlertingApi) -> Router:
    """The router."""
    explaining = ExplainingApi(api.service, api.stories, api.now_ms)
    get, read = ("GET",), Access.READ
    return Router(
        "alerting",
        (
            Route("/api/vedette/v1/alerts/explain", get, explaining.explain, read),
            Route("/api/vedette/v1/alerts/history", get, explaining.history, read),
            Route("/api/vedette/v1/alerts/quality", get, explaining.quality, read),
            Route("/api/vedette/v1/notifications", get, explaining.notifications, read),
            Route("/api/vedette/v1/notifications/{message}", get, explaining.notification, read),
            Route("/api/vedette/v1/routes", get, explaining.routes, read),
            Route("/api/vedette/v1/routes/test", get, explaining.routes_test, read),
            Route(
                "/api/vedette/v1/alerts/webhook/{name}",
                ("POST",),
                api.take_webhook,
                Access.WRITE_ALERTS,
                max_body_bytes=_MAX_WEBHOOK_BYTES,
            ),
            Route("/api/vedette/v1/heartbeats/{name}", ("POST", "PUT"), api.take_heartbeat, Access.WRITE_ALERTS),
            Route("/api/vedette/v1/receivers/{receiver}/test", ("POST",), api.test_receiver, Access.EDIT),
        ),
        render_error,
    )
