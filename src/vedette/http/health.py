"""Is it alive, and does it serve: two answers for load balancers, containers and people.

`/-/healthy` says that the process answers; `/-/ready` that its parts are up, or which one is not.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from vedette.http.routing import Access, Route, Router

_METHODS = ("GET",)


class Readiness:
    """Why Vedette does not serve yet, or not any more. The parts that start and stop set it."""

    def __init__(self, reason: str = "starting") -> None:
        self.reason = reason

    @property
    def ready(self) -> bool:
        """Whether it serves."""
        return not self.reason

    def now_ready(self) -> None:
        """Everything is up."""
        self.reason = ""

    def not_ready(self, reason: str) -> None:
        """Something is missing: a few words for the person who looks."""
        self.reason = reason


def health_router(readiness: Readiness) -> Router:
    """The health endpoints, in the words of Prometheus's."""

    async def healthy(_request: Request) -> Response:
        return PlainTextResponse("Vedette is healthy.\n")

    async def ready(_request: Request) -> Response:
        if readiness.ready:
            return PlainTextResponse("Vedette is ready.\n")
        return PlainTextResponse(
            f"Vedette is not ready: {readiness.reason}.\n", status_code=503, headers={"Retry-After": "1"}
        )

    return Router(
        "health",
        (
            Route("/-/healthy", _METHODS, healthy, Access.HEALTH, max_body_bytes=0),
            Route("/-/ready", _METHODS, ready, Access.HEALTH, max_body_bytes=0),
        ),
    )
