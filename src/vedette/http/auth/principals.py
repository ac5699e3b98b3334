"""Who is asking, and what they may: the one place where access is decided."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from starlette.requests import Request

from vedette.http.routing import Access
from vedette.store.state import Role, Scope, UserId

_PRINCIPAL = "vedette.principal"

ROLE_SCOPES: dict[Role, frozenset[Scope]] = {
    Role.VIEWER: frozenset({Scope.READ}),
    Role.EDITOR: frozenset({Scope.READ, Scope.WRITE_METRICS, Scope.WRITE_ALERTS, Scope.EDIT}),
    Role.ADMIN: frozenset(Scope),
}


class Proof(enum.Enum):
    """How we know who is asking.

    NONE: we do not. LOOPBACK: a program of our own user on this machine, without credentials. LOCAL_TOKEN:
    the private token in the data directory. TOKEN: an API token. SESSION: a browser that is logged in.
    """

    NONE = "none"
    LOOPBACK = "loopback"
    LOCAL_TOKEN = "local token"  # noqa: S105 - a kind of proof
    TOKEN = "token"  # noqa: S105 - a kind of proof
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of one request.

    Attributes:
        name: for logs and the audit trail.
        scopes: what the caller may do.
        user_id: None where there is no account behind it.
        credential: the token's id or the session's hash; empty otherwise.
        setup_only: has followed a one-time link and may only set a password.
        hint: why a caller without credentials was not trusted as local; empty where nothing is to be said.
    """

    proof: Proof
    name: str
    scopes: frozenset[Scope] = frozenset()
    user_id: UserId | None = None
    credential: str = ""
    setup_only: bool = False
    hint: str = ""


NOBODY = Principal(Proof.NONE, "anonymous")
LOOPBACK_PEER = Principal(Proof.LOOPBACK, "anonymous", frozenset({Scope.READ, Scope.WRITE_METRICS, Scope.WRITE_ALERTS}))


_NEEDED: dict[Access, Scope] = {
    Access.READ: Scope.READ,
    Access.WRITE_METRICS: Scope.WRITE_METRICS,
    Access.WRITE_ALERTS: Scope.WRITE_ALERTS,
    Access.EDIT: Scope.EDIT,
    Access.ADMIN: Scope.ADMIN,
}


def permits(access: Access, principal: Principal) -> bool:
    """Whether the caller may use a route with this access."""
    if access is Access.PUBLIC or access is Access.HEALTH:
        return True
    if access is Access.PASSWORD:
        return principal.proof is Proof.SESSION
    if access is Access.ACCOUNT:
        return Scope.ADMIN in principal.scopes or (principal.proof is Proof.SESSION and not principal.setup_only)
    return _NEEDED[access] in principal.scopes


def effective_scopes(granted: frozenset[Scope], role: Role) -> frozenset[Scope]:
    """A token's scopes: `admin` and `edit` include the lesser ones, and none exceeds its owner's role."""
    if Scope.ADMIN in granted:
        granted = frozenset(Scope)
    elif Scope.EDIT in granted:
        granted |= {Scope.READ}
    return granted & ROLE_SCOPES[role]


def principal_of(request: Request) -> Principal:
    """The caller, for a handler."""
    return request.scope.get(_PRINCIPAL, NOBODY)


def attach_principal(request: Request, principal: Principal) -> None:
    """Hand the caller to the handler."""
    request.scope[_PRINCIPAL] = principal
