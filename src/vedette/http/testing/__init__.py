"""For tests of this and later routers; nothing here runs in production."""

from vedette.http.testing.site import HandClock, Site, open_site
from vedette.http.testing.verdicts import CALLERS, verdicts

__all__ = ["CALLERS", "HandClock", "Site", "open_site", "verdicts"]
