"""Vedette's own endpoints about alerts: why, whom, through which routes; test messages."""

from vedette.http.alerting.router import AlertingApi, alerting_router

__all__ = ["AlertingApi", "alerting_router"]
