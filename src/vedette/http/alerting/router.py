"""The paths below `/api/vedette/v1` that are about alerts, and who may use each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from vedette.alerting.delivery import Outbox, UnknownReceiverError
from vedette.alerting.service import AlertingService
from vedette.alerting.stories import Stories
from vedette.http.alerting.explaining import ExplainingApi, shown_attempt
from vedette.http.errors import ProblemError
from vedette.http.prometheus.answers import answer, render_error
from vedette.http.routing import Access, Route, Router


@dataclass(frozen=True, slots=True)
class AlertingApi:
    """What the endpoints act on.

    Attributes:
        service: the alerting.
        stories: its past.
        outbox: sends test messages.
        now_ms: the time.
    """

    service: AlertingService
    stories: Stories
    outbox: Outbox
    now_ms: Callable[[], int]

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
            Route("/api/vedette/v1/notifications", get, explaining.notifications, read),
            Route("/api/vedette/v1/notifications/{message}", get, explaining.notification, read),
            Route("/api/vedette/v1/routes", get, explaining.routes, read),
            Route("/api/vedette/v1/routes/test", get, explaining.routes_test, read),
            Route("/api/vedette/v1/receivers/{receiver}/test", ("POST",), api.test_receiver, Access.EDIT),
        ),
        render_error,
    )
