"""Alertmanager's HTTP API, version 2: for other servers that send alerts, for amtool, for dashboards."""

from vedette.http.alertmanager.router import AlertmanagerApi, alertmanager_router

__all__ = ["AlertmanagerApi", "alertmanager_router"]
