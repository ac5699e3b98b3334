"""All paths of Prometheus' HTTP API, and who may use each."""

from __future__ import annotations

from vedette.http.prometheus.answers import render_error
from vedette.http.prometheus.queries import QueryApi
from vedette.http.prometheus.rules import RulesApi
from vedette.http.prometheus.series import SeriesApi
from vedette.http.prometheus.status import StatusApi
from vedette.http.prometheus.targets import TargetsApi
from vedette.http.routing import Access, Route, Router

_GET = ("GET",)
_GET_POST = ("GET", "POST")


def prometheus_router(
    *, queries: QueryApi, series: SeriesApi, targets: TargetsApi, rules: RulesApi, status: StatusApi
) -> Router:
    """The router of `/api/v1`, but for what is written (remote-write, remote-read)."""
    read = Access.READ
    return Router(
        "prometheus",
        (
            Route("/api/v1/query", _GET_POST, queries.query, read, at_once=queries.query_at_once),
            Route("/api/v1/query_range", _GET_POST, queries.query_range, read, at_once=queries.query_range_at_once),
            Route("/api/v1/format_query", _GET_POST, queries.format_query, read),
            Route("/api/v1/parse_query", _GET_POST, queries.parse_query, read),
            Route("/api/v1/query_exemplars", _GET_POST, series.query_exemplars, read),
            Route("/api/v1/series", _GET_POST, series.series, read),
            Route("/api/v1/labels", _GET_POST, series.label_names, read),
            Route("/api/v1/label/{name}/values", _GET, series.label_values, read),
            Route("/api/v1/metadata", _GET, series.family_metadata, read),
            Route("/api/v1/targets", _GET, targets.list_targets, read),
            Route("/api/v1/targets/metadata", _GET, targets.target_metadata, read),
            Route("/api/v1/scrape_pools", _GET, targets.scrape_pools, read),
            Route("/api/v1/rules", _GET, rules.list_rules, read),
            Route("/api/v1/alerts", _GET, rules.list_alerts, read),
            Route("/api/v1/alertmanagers", _GET, rules.list_alertmanagers, read),
            Route("/api/v1/status/config", _GET, status.config, Access.ADMIN),
            Route("/api/v1/status/flags", _GET, status.flags, read),
            Route("/api/v1/status/runtimeinfo", _GET, status.runtime_info, read),
            Route("/api/v1/status/buildinfo", _GET, status.build_info, read),
            Route("/api/v1/status/tsdb", _GET, status.tsdb, read),
        ),
        render_error,
    )
