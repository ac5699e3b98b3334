"""/api/vedette/v1/{session,users,tokens,audit}: accounts for programs and, later, for the web interface.

Answers hold secrets only where one is made: a new token, a new one-time link. All say `no-store`, which also
keeps them from being compressed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import orjson
from pydantic import ConfigDict, Field, TypeAdapter
from starlette.requests import Request
from starlette.responses import Response

from vedette.http.application import head_of
from vedette.http.auth.accounts import Accounts
from vedette.http.auth.logins import Login
from vedette.http.auth.principals import Proof, principal_of
from vedette.http.inputs import query_number, read_json
from vedette.http.routing import Access, Handler, Route, Router
from vedette.store.state import AuditRecord, Role, Scope, Token, User

_BASE = "/api/vedette/v1"
_MAX_BODY_BYTES = 16 * 1024
_MAX_PAGE = 1000
_MAX_ID = 2**53

Name = Annotated[str, Field(min_length=1, max_length=128)]
Password = Annotated[str, Field(max_length=4096)]


@dataclass(frozen=True, slots=True)
class _Input:
    __pydantic_config__ = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Credentials(_Input):
    """What a person logs in with."""

    name: Name
    password: Password = field(repr=False)


@dataclass(frozen=True, slots=True)
class PasswordChange(_Input):
    """`current` may be left out by who has followed a one-time link."""

    new: Password = field(repr=False)
    current: Password = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class NewUser(_Input):
    """An account to be made; its person sets the password."""

    name: Name
    role: Role


@dataclass(frozen=True, slots=True)
class UserChange(_Input):
    """What is to change; what is left out stays."""

    role: Role | None = None
    disabled: bool | None = None


@dataclass(frozen=True, slots=True)
class TokenRequest(_Input):
    """A token to be made.

    Attributes:
        user: whose it is; the caller's unless said otherwise.
        expires_ms: milliseconds since the epoch; None for one that is good until revoked.
    """

    name: Name
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1, max_length=len(Scope))]
    user: Name | None = None
    expires_ms: Annotated[int, Field(ge=0, le=_MAX_ID)] | None = None


_CREDENTIALS = TypeAdapter(Credentials)
_PASSWORD_CHANGE = TypeAdapter(PasswordChange)
_NEW_USER = TypeAdapter(NewUser)
_USER_CHANGE = TypeAdapter(UserChange)
_TOKEN_REQUEST = TypeAdapter(TokenRequest)


def accounts_router(accounts: Accounts) -> Router:
    """The routes."""
    api = _Api(accounts)

    def route(path: str, method: str, handler: Handler, access: Access) -> Route:
        return Route(_BASE + path, (method,), handler, access, max_body_bytes=_MAX_BODY_BYTES)

    return Router(
        "accounts",
        (
            route("/session", "GET", api.show_session, Access.PUBLIC),
            route("/session", "POST", api.log_in, Access.PUBLIC),
            route("/session", "DELETE", api.log_out, Access.PASSWORD),
            route("/session/password", "POST", api.set_password, Access.PASSWORD),
            route("/users", "GET", api.list_users, Access.ADMIN),
            route("/users", "POST", api.create_user, Access.ADMIN),
            route("/users/{name}", "PATCH", api.change_user, Access.ADMIN),
            route("/users/{name}", "DELETE", api.delete_user, Access.ADMIN),
            route("/users/{name}/once-link", "POST", api.issue_link, Access.ADMIN),
            route("/tokens", "GET", api.list_tokens, Access.ACCOUNT),
            route("/tokens", "POST", api.create_token, Access.ACCOUNT),
            route("/tokens/{id}", "DELETE", api.revoke_token, Access.ACCOUNT),
            route("/audit", "GET", api.list_audit, Access.ADMIN),
        ),
    )


class _Api:
    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._administration = accounts.administration

    async def show_session(self, request: Request) -> Response:
        caller = principal_of(request)
        return _json(
            {
                "authenticated": caller.proof is not Proof.NONE,
                "name": caller.name,
                "proof": caller.proof.value,
                "scopes": sorted(scope.value for scope in caller.scopes),
                "password_needed": caller.setup_only,
            }
        )

    async def log_in(self, request: Request) -> Response:
        credentials = await read_json(request, _CREDENTIALS)
        login = await self._accounts.logins.log_in(
            credentials.name,
            credentials.password,
            address=head_of(request).address,
            replaces=principal_of(request),
        )
        return self._begun(login, request)

    async def log_out(self, request: Request) -> Response:
        head = head_of(request)
        await self._accounts.logins.log_out(principal_of(request), address=head.address)
        return _empty({"Set-Cookie": self._accounts.cookie.clear(secure=head.secure)})

    async def set_password(self, request: Request) -> Response:
        change = await read_json(request, _PASSWORD_CHANGE)
        login = await self._accounts.logins.set_password(
            principal_of(request), current=change.current, new=change.new, address=head_of(request).address
        )
        return self._begun(login, request)

    async def list_users(self, _request: Request) -> Response:
        return _json({"users": [_user(user) for user in await self._administration.users()]})

    async def create_user(self, request: Request) -> Response:
        wanted = await read_json(request, _NEW_USER)
        user, secret = await self._administration.create_user(
            wanted.name, wanted.role, caller=principal_of(request), address=head_of(request).address
        )
        return _json({**_user(user), "once_link": _link(secret)}, status=201)

    async def change_user(self, request: Request) -> Response:
        change = await read_json(request, _USER_CHANGE)
        user = await self._administration.change_user(
            request.path_params["name"],
            role=change.role,
            disabled=change.disabled,
            caller=principal_of(request),
            address=head_of(request).address,
        )
        return _json(_user(user))

    async def delete_user(self, request: Request) -> Response:
        await self._administration.delete_user(
            request.path_params["name"], caller=principal_of(request), address=head_of(request).address
        )
        return _empty()

    async def issue_link(self, request: Request) -> Response:
        secret = await self._administration.issue_link(
            request.path_params["name"], caller=principal_of(request), address=head_of(request).address
        )
        return _json({"once_link": _link(secret)}, status=201)

    async def list_tokens(self, request: Request) -> Response:
        tokens = await self._administration.tokens(principal_of(request))
        return _json({"tokens": [_token(token, owner) for token, owner in tokens]})

    async def create_token(self, request: Request) -> Response:
        wanted = await read_json(request, _TOKEN_REQUEST)
        made = await self._administration.create_token(
            wanted.name,
            frozenset(wanted.scopes),
            expires_ms=wanted.expires_ms,
            owner=wanted.user,
            caller=principal_of(request),
            address=head_of(request).address,
        )
        return _json({**_token(made.token, made.owner), "token": made.text}, status=201)

    async def revoke_token(self, request: Request) -> Response:
        await self._administration.revoke_token(
            request.path_params["id"], caller=principal_of(request), address=head_of(request).address
        )
        return _empty()

    async def list_audit(self, request: Request) -> Response:
        limit = query_number(request, "limit", default=100, low=1, high=_MAX_PAGE)
        before = query_number(request, "before", default=_MAX_ID, low=1, high=_MAX_ID)
        records = await self._accounts.audit.list(limit=limit, before_id=before)
        return _json({"records": [_record(record) for record in records]})

    def _begun(self, login: Login, request: Request) -> Response:
        cookie = self._accounts.cookie.set(login.session_id, secure=head_of(request).secure)
        return _json({"name": login.user_name}, headers={"Set-Cookie": cookie})


def _json(value: object, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(
        orjson.dumps(value),
        status_code=status,
        headers={"Cache-Control": "no-store", **(headers or {})},
        media_type="application/json",
    )


def _empty(headers: dict[str, str] | None = None) -> Response:
    return Response(status_code=204, headers=headers)


def _link(secret: str) -> str:
    return f"/login?once={secret}"


def _user(user: User) -> dict[str, object]:
    return {
        "name": user.name,
        "role": user.role.value,
        "disabled": user.disabled,
        "has_password": user.password_hash is not None,
        "created_ms": user.created_ms,
    }


def _token(token: Token, owner: str) -> dict[str, object]:
    return {
        "id": token.id,
        "name": token.name,
        "user": owner,
        "scopes": sorted(scope.value for scope in token.scopes),
        "created_ms": token.created_ms,
        "expires_ms": token.expires_ms,
        "last_used_ms": token.last_used_ms,
    }


def _record(record: AuditRecord) -> dict[str, object]:
    return {
        "id": record.id,
        "at_ms": record.at_ms,
        "actor": record.actor,
        "action": record.action,
        "target": record.target,
        "address": record.address,
        "outcome": record.outcome.value,
        "detail": dict(record.detail),
    }
