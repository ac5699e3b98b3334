"""What keeps other sites' pages out: headers on every answer, and the check on where a request began.

A browser sends this site's cookies, and reaches services on loopback, on behalf of pages that it got
elsewhere. `request_origin` tells those requests apart by headers that a page cannot forge: `Sec-Fetch-Site`
where the browser sends it, else `Origin`. Nothing here is read from the request's body, so there are no form
tokens to carry around. Source: https://words.filippo.io/csrf/ and the Fetch Metadata specification.
"""

from __future__ import annotations

import enum
from urllib.parse import urlsplit

from vedette.http.head import RequestHead

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

# `same-origin` and not `no-referrer`: the latter makes browsers send `Origin: null` with a form's POST.
_COMMON: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (b"content-security-policy", b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
_HSTS = (b"strict-transport-security", b"max-age=31536000")


class Origin(enum.Enum):
    """Where a request began.

    SAME: on a page of this site, or typed by the person. FOREIGN: on another site's page. UNKNOWN: neither
    header is there, so it is no browser of the last years, or a browser's plain GET.
    """

    SAME = "same"
    FOREIGN = "foreign"
    UNKNOWN = "unknown"


def security_headers(*, secure: bool) -> tuple[tuple[bytes, bytes], ...]:
    """Headers that every answer gets unless it brings its own of that name."""
    return (*_COMMON, _HSTS) if secure else _COMMON


def request_origin(head: RequestHead, external_url: str = "") -> Origin:
    """Where the request began, as far as its headers tell."""
    origin = head.fields.get(b"origin")
    site = head.fields.get(b"sec-fetch-site")
    if site is not None:
        # `same-site` is another port or a sibling domain: somebody else's page.
        return Origin.SAME if site in (b"same-origin", b"none") else Origin.FOREIGN
    if origin is None:
        return Origin.UNKNOWN
    return Origin.SAME if _is_ours(origin.decode("latin-1").lower(), head, external_url) else Origin.FOREIGN


def _is_ours(origin: str, head: RequestHead, external_url: str) -> bool:
    try:
        parts = urlsplit(origin)
        external = urlsplit(external_url.lower())
    except ValueError:
        return False
    if parts.scheme not in ("http", "https"):  # `null` is what a sandboxed or redirected page sends
        return False
    if external.netloc and (parts.scheme, parts.netloc) == (external.scheme, external.netloc):
        return True
    # The scheme is left out: a proxy in front may speak https where we speak http.
    return bool(head.authority) and parts.netloc == head.authority
