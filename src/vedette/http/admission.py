"""What stands between a caller who is known and a handler, whichever way the request takes to it."""

from __future__ import annotations

from vedette.http.auth.principals import Principal, Proof, permits
from vedette.http.errors import ProblemError
from vedette.http.head import RequestHead
from vedette.http.routing import Access
from vedette.http.security import SAFE_METHODS, Origin, request_origin

_SCOPES = frozenset({Access.READ, Access.WRITE_METRICS, Access.EDIT, Access.ADMIN})
"""Kinds of access that are a token's scopes too."""


def require_access(access: Access, principal: Principal, head: RequestHead, method: str, external_url: str) -> None:
    """Let the caller pass.

    Raises:
        ProblemError: 401 or 403; the request came from another site's page, or the caller has no such access.
    """
    _require_own_page(head, principal, method, external_url)
    if not permits(access, principal):
        raise _refusal(access, principal)


def _require_own_page(head: RequestHead, principal: Principal, method: str, external_url: str) -> None:
    """Refuse to change anything for another site's page that uses this browser's credentials."""
    if method in SAFE_METHODS or head.fields.get(b"authorization", b"")[:7].lower() == b"bearer ":
        return  # no page can make a browser send a Bearer token that it does not have
    origin = request_origin(head, external_url)
    if origin is Origin.FOREIGN:
        raise ProblemError(403, "the request began on another site's page", kind="cross-site")
    if origin is Origin.UNKNOWN and principal.proof is Proof.SESSION:
        raise ProblemError(
            403, "with a session's cookie, an Origin or Sec-Fetch-Site header is needed", kind="cross-site"
        )


def _refusal(access: Access, principal: Principal) -> ProblemError:
    if principal.proof in (Proof.NONE, Proof.LOOPBACK):
        because = f" ({principal.hint})" if principal.hint else ""
        return ProblemError(
            401,
            f"this needs a token{because}: send `Authorization: Bearer …`, or Basic with the token as password"
            + _where_from(access),
            kind="unauthorized",
            headers={"WWW-Authenticate": 'Bearer realm="vedette"'},
        )
    if principal.setup_only:
        return ProblemError(403, "set a password first", kind="password-needed")
    return ProblemError(
        403, f"this needs `{access.value}` access, which you do not have{_where_from(access)}", kind="forbidden"
    )


def _where_from(access: Access) -> str:
    """How to get a token that opens such a route; empty where none does."""
    if access not in _SCOPES:
        return ""
    return f"; `vedette token create NAME --scope {access.value}` makes one, `local-token` in the data directory is one"
