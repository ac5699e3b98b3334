"""Let web pages of named origins call the API from their scripts.

Off unless origins are configured. Cookies are never shared with such a page: it needs a token of its own, and a
page is not trusted as a local program either (`auth.local_access`). Source: the Fetch standard, "CORS protocol".
"""

from __future__ import annotations

from starlette.responses import Response

from vedette.http.head import RequestHead

_PREFLIGHT_S = 600
_VARY = (b"vary", b"Origin")

Headers = tuple[tuple[bytes, bytes], ...]


class CrossOrigin:
    """The origins that may call."""

    def __init__(self, origins: tuple[str, ...]) -> None:
        self._any = "*" in origins
        self._origins = frozenset(origin.lower().rstrip("/").encode() for origin in origins)

    def headers(self, head: RequestHead) -> Headers:
        """What an answer to this request carries; nothing where its origin is not one of them."""
        if not self._origins:
            return ()
        if not self._allows(head):
            return (_VARY,)
        return ((b"access-control-allow-origin", b"*" if self._any else head.fields[b"origin"]), _VARY)

    def preflight(self, head: RequestHead, method: str) -> Response | None:
        """The answer to a browser that asks whether a page may call; None where this is no such question."""
        if method != "OPTIONS" or b"access-control-request-method" not in head.fields or not self._allows(head):
            return None
        return Response(
            status_code=204,
            headers={
                "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
                "Access-Control-Allow-Headers": "Authorization, Content-Type, Content-Encoding",
                "Access-Control-Max-Age": str(_PREFLIGHT_S),
            },
        )

    def _allows(self, head: RequestHead) -> bool:
        origin = head.fields.get(b"origin")
        return origin is not None and (self._any or origin.lower() in self._origins)
