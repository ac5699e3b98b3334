"""Vedette's own endpoints for those who run it: metrics, reload, books, backup, import and export."""

from vedette.http.admin.router import AdminApi, admin_router

__all__ = ["AdminApi", "admin_router"]
