"""Small pages that work without the web interface: log in, set a password, see what there is."""

from vedette.http.pages.errors import render_page_error
from vedette.http.pages.landing import landing_router
from vedette.http.pages.login import login_router
from vedette.http.pages.runbooks import runbooks_router

__all__ = ["landing_router", "login_router", "render_page_error", "runbooks_router"]
