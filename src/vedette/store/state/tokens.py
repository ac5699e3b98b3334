"""API tokens: what agents, scripts and dashboards log in with.

Only the SHA-256 of a token's secret is stored. That is enough here, and a slow hash would add nothing:
the secret is random and long, so it cannot be guessed from its hash.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NewType

from sqlalchemy import Row, bindparam, delete, func, insert, select, update

from vedette.store.state.database import StateDatabase
from vedette.store.state.errors import ConflictError, RecordNotFoundError
from vedette.store.state.schema import TOKENS, USERS
from vedette.store.state.users import Role, UserId

TokenId = NewType("TokenId", str)

MAX_TOKENS_PER_USER = 200


class Scope(enum.StrEnum):
    """What a token may be used for. Later signals add theirs (`write:logs`, `write:traces`)."""

    READ = "read"
    WRITE_METRICS = "write:metrics"
    WRITE_ALERTS = "write:alerts"
    EDIT = "edit"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret.

    Attributes:
        name: what its owner calls it.
        expires_ms: None for one that is good until it is revoked.
        last_used_ms: to within some minutes; None if never.
    """

    id: TokenId
    user_id: UserId
    name: str
    scopes: frozenset[Scope]
    created_ms: int
    expires_ms: int | None
    last_used_ms: int | None


@dataclass(frozen=True, slots=True)
class TokenOwner:
    """What is needed to judge a request that shows a token."""

    token: Token
    secret_hash: str
    user_name: str
    role: Role
    disabled: bool


class Tokens:
    """The tokens in the state database."""

    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    async def create(self, token: Token, *, secret_hash: str) -> None:
        """Store a new token.

        Raises:
            ConflictError: its owner has too many.
        """
        async with self._database.write() as connection:
            owned = select(func.count()).select_from(TOKENS).where(TOKENS.c.user_id == token.user_id)
            if (await connection.scalar(owned) or 0) >= MAX_TOKENS_PER_USER:
                raise ConflictError(f"this user has {MAX_TOKENS_PER_USER} tokens, the most there may be; revoke some")
            await connection.execute(
                insert(TOKENS).values(
                    id=token.id,
                    user_id=token.user_id,
                    name=token.name,
                    secret_hash=secret_hash,
                    scopes=_scopes_text(token.scopes),
                    created_ms=token.created_ms,
                    expires_ms=token.expires_ms,
                    last_used_ms=token.last_used_ms,
                )
            )

    async def list(self, user_id: UserId | None = None) -> Sequence[tuple[Token, str]]:
        """Tokens with their owners' names, newest first; of one user or of all."""
        query = select(TOKENS, USERS.c.name.label("user_name")).join(USERS, USERS.c.id == TOKENS.c.user_id)
        if user_id is not None:
            query = query.where(TOKENS.c.user_id == user_id)
        async with self._database.read() as connection:
            rows = await connection.execute(query.order_by(TOKENS.c.created_ms.desc(), TOKENS.c.id))
            return [(_token(row), row.user_name) for row in rows]

    async def find(self, token_id: str) -> TokenOwner | None:
        """A token and its owner, if there is one with this id."""
        query = (
            select(TOKENS, USERS.c.name.label("user_name"), USERS.c.role, USERS.c.disabled)
            .join(USERS, USERS.c.id == TOKENS.c.user_id)
            .where(TOKENS.c.id == token_id)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            return None
        return TokenOwner(
            token=_token(row),
            secret_hash=row.secret_hash,
            user_name=row.user_name,
            role=Role(row.role),
            disabled=bool(row.disabled),
        )

    async def revoke(self, token_id: TokenId) -> None:
        """Remove a token for good.

        Raises:
            RecordNotFoundError: there is no such token.
        """
        async with self._database.write() as connection:
            gone = await connection.execute(delete(TOKENS).where(TOKENS.c.id == token_id))
            if gone.rowcount == 0:
                raise RecordNotFoundError("token", token_id)

    async def note_use(self, used_ms: Mapping[TokenId, int]) -> None:
        """Remember when tokens were last used."""
        if not used_ms:
            return
        statement = update(TOKENS).where(TOKENS.c.id == bindparam("token")).values(last_used_ms=bindparam("used"))
        async with self._database.write() as connection:
            await connection.execute(
                statement, [{"token": token_id, "used": when_ms} for token_id, when_ms in used_ms.items()]
            )


def _scopes_text(scopes: Iterable[Scope]) -> str:
    return " ".join(sorted(scope.value for scope in scopes))


def _token(row: Row[Any]) -> Token:
    known = {scope.value for scope in Scope}
    return Token(
        id=row.id,
        user_id=row.user_id,
        name=row.name,
        # A scope that this version does not know (after a downgrade) grants nothing.
        scopes=frozenset(Scope(word) for word in row.scopes.split() if word in known),
        created_ms=row.created_ms,
        expires_ms=row.expires_ms,
        last_used_ms=row.last_used_ms,
    )
