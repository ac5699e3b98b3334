"""All routes of a server, without what answers them: for walking who may use them, and for attacking them."""

from __future__ import annotations

from typing import Any, cast

from vedette.http import Readiness, Router, health_router
from vedette.http.admin import AdminApi, admin_router
from vedette.http.alerting import AlertingApi, alerting_router
from vedette.http.alertmanager import AlertmanagerApi, alertmanager_router
from vedette.http.auth.api import accounts_router
from vedette.http.pages import login_router, runbooks_router
from vedette.http.prometheus import prometheus_router
from vedette.http.prometheus.federate import federate_router
from vedette.http.prometheus.queries import QueryApi
from vedette.http.prometheus.read import read_router
from vedette.http.prometheus.rules import RulesApi
from vedette.http.prometheus.series import SeriesApi
from vedette.http.prometheus.status import StatusApi
from vedette.http.prometheus.targets import TargetsApi
from vedette.http.prometheus.write import write_router
from vedette.http.ui import WebFile, ui_router

_NOTHING = cast("Any", None)


class _Anything:
    """Has every attribute; none is used."""

    def __getattr__(self, name: str) -> Any:
        return _Anything()

    def __call__(self, *_arguments: Any, **_named: Any) -> Any:
        return _Anything()


def all_routers() -> list[Router]:
    """Every router of `vedette.app.door`. Their handlers do not work."""
    anything = cast("Any", _Anything())
    routers = [
        prometheus_router(
            queries=QueryApi(_NOTHING, _NOTHING),
            series=SeriesApi(_NOTHING, _NOTHING, _NOTHING),
            targets=TargetsApi(_NOTHING, ""),
            rules=RulesApi(_NOTHING, _NOTHING),
            status=StatusApi(_NOTHING, _NOTHING, _NOTHING),
        ),
        write_router(anything),
        read_router(anything, anything, folder=anything),
        federate_router(anything, anything, now_ms=anything, lookback_ms=anything),
        admin_router(AdminApi(_NOTHING, _NOTHING, _NOTHING, _NOTHING, _NOTHING, _NOTHING, _NOTHING)),
        alertmanager_router(AlertmanagerApi(_NOTHING, _NOTHING, 0)),
        alerting_router(AlertingApi(_NOTHING, _NOTHING, _NOTHING, _NOTHING, _NOTHING, _NOTHING)),
        accounts_router(anything),
        login_router(anything),
        runbooks_router({}),
        health_router(Readiness()),
    ]
    files = {name: WebFile("text/plain", "", {}, immutable=False) for name in ("index.html", "theme.js")}
    return [ui_router(files), *routers]
