"""The web interface, as files that were built from `ui/`."""

from vedette.http.ui.files import BUILT, WebFile, load_files
from vedette.http.ui.router import page_renderer, ui_router

__all__ = ["BUILT", "WebFile", "load_files", "page_renderer", "ui_router"]
