"""All paths of Alertmanager's API, who may use each, and what it says of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from vedette.__about__ import __version__
from vedette.alerting import AlertingConfig, alertmanager_yaml
from vedette.alerting.matchers import all_match
from vedette.alerting.service import AlertingService
from vedette.http.alertmanager.alerts import AlertsApi
from vedette.http.alertmanager.answers import answer, render_error, show_time
from vedette.http.alertmanager.parameters import read_filters
from vedette.http.alertmanager.silences import SilencesApi
from vedette.http.auth.principals import principal_of
from vedette.http.routing import Access, Route, Router
from vedette.store.state import Scope

_HIDDEN: Final = "# The configuration is shown to administrators.\n"


@dataclass(frozen=True, slots=True)
class AlertmanagerApi:
    """What the endpoints act on.

    Attributes:
        service: the alerting.
        config: the configuration in force.
        started_ms: when the process was ready, milliseconds since the epoch.
    """

    service: AlertingService
    config: Callable[[], AlertingConfig]
    started_ms: int

    async def status(self, request: Request) -> Response:
        """`/api/v2/status`. Secrets are not shown; the configuration is shown to administrators."""
        whole = Scope.ADMIN in principal_of(request).scopes
        version = {
            "branch": "",
            "buildDate": "",
            "buildUser": "",
            "goVersion": "",
            "revision": "vedette",
            "version": __version__,
        }
        return answer(
            {
                "cluster": {"peers": [], "status": "disabled"},
                "config": {"original": alertmanager_yaml(self.config().file) if whole else _HIDDEN},
                "uptime": show_time(self.started_ms),
                "versionInfo": version,
            }
        )

    async def receivers(self, request: Request) -> Response:
        """`/api/v2/receivers`."""
        wanted = read_filters(request, "receiver_matchers")
        return answer(
            [
                {"name": one.name, "labels": dict(one.labels)}
                for one in self.config().receivers
                if all_match(wanted, dict(one.labels))
            ]
        )


def alertmanager_router(api: AlertmanagerApi) -> Router:
    """The router. To send alerts and to silence them are two things: a sender needs no more than the first."""
    alerts, silences = AlertsApi(api.service), SilencesApi(api.service)
    read, send, edit = Access.READ, Access.WRITE_ALERTS, Access.EDIT
    return Router(
        "alertmanager",
        (
            Route("/api/v2/status", ("GET",), api.status, read),
            Route("/api/v2/receivers", ("GET",), api.receivers, read),
            Route("/api/v2/alerts", ("GET",), alerts.list_alerts, read),
            Route("/api/v2/alerts", ("POST",), alerts.post_alerts, send),
            Route("/api/v1/alerts", ("POST",), alerts.post_alerts_v1, send),
            Route("/api/v2/alerts/groups", ("GET",), alerts.list_groups, read),
            Route("/api/v2/silences", ("GET",), silences.list_silences, read),
            Route("/api/v2/silences", ("POST",), silences.post_silence, edit),
            Route("/api/v2/silence/{silence_id}", ("GET",), silences.get_silence, read),
            Route("/api/v2/silence/{silence_id}", ("DELETE",), silences.delete_silence, edit),
        ),
        render_error,
    )
