"""Prometheus' HTTP API, as Prometheus 3 serves it."""

from vedette.http.prometheus.router import prometheus_router

__all__ = ["prometheus_router"]
