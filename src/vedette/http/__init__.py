"""The HTTP surface: the ground that every router stands on.

`build_application` makes an ASGI application of routers; `serve_http` serves it; `auth` says who is asking;
`run_files` lets commands on the same machine find it. Each dialect's router lives in its own folder.
"""

from vedette.http.access_log import Exchange
from vedette.http.application import Application, build_application, head_of
from vedette.http.clock import Clock
from vedette.http.errors import Problem, ProblemError
from vedette.http.health import Readiness, health_router
from vedette.http.request_metrics import RequestMetrics
from vedette.http.routing import Access, Route, Router
from vedette.http.server import RunningServer, serve_http
from vedette.http.settings import AuthMode, AuthSettings, HttpSettings, ListenAddress, ThrottleSettings, TlsSettings

__all__ = [
    "Access",
    "Application",
    "AuthMode",
    "AuthSettings",
    "Clock",
    "Exchange",
    "HttpSettings",
    "ListenAddress",
    "Problem",
    "ProblemError",
    "Readiness",
    "RequestMetrics",
    "Route",
    "Router",
    "RunningServer",
    "ThrottleSettings",
    "TlsSettings",
    "build_application",
    "head_of",
    "health_router",
    "serve_http",
]
