"""People with an account.

A name is one person whatever its case: it is stored in lower case. There is always at least one enabled
administrator, so that nobody locks everybody out.
"""

from __future__ import annotations

import enum
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NewType

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from vedette.store.state.database import StateDatabase
from vedette.store.state.errors import ConflictError, RecordNotFoundError
from vedette.store.state.schema import SESSIONS, USERS

UserId = NewType("UserId", str)

MAX_USERS = 1000
_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")


class Role(enum.StrEnum):
    """What a person may do: look; also change what is shown and write metrics; everything."""

    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class User:
    """An account.

    Attributes:
        password_hash: as argon2 writes it; None until the person has set a password, and nobody can log in.
        password_changed_ms: None as long as there is none.
    """

    id: UserId
    name: str
    role: Role
    disabled: bool
    created_ms: int
    password_hash: str | None
    password_changed_ms: int | None


def canonical_name(name: str) -> str:
    """The form in which a name is stored and compared.

    Raises:
        ConflictError: it is no name for an account.
    """
    canonical = name.strip().lower()
    if not _NAME.fullmatch(canonical):
        raise ConflictError(
            f"{name[:80]!r} cannot be a user's name: expected 1 to 64 of a-z, 0-9, `.`, `_`, `@`, `+`, `-`, "
            "beginning with a letter or digit"
        )
    return canonical


class Users:
    """The accounts in the state database."""

    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    async def create(self, name: str, role: Role, *, now_ms: int, password_hash: str | None = None) -> User:
        """Add an account.

        Raises:
            ConflictError: the name is taken or unfit, or there are too many users.
        """
        user = User(
            id=UserId(secrets.token_hex(8)),
            name=canonical_name(name),
            role=role,
            disabled=False,
            created_ms=now_ms,
            password_hash=password_hash,
            password_changed_ms=None if password_hash is None else now_ms,
        )
        async with self._database.write() as connection:
            if await connection.scalar(select(USERS.c.id).where(USERS.c.name == user.name)):
                raise ConflictError(f"a user named {user.name!r} exists already")
            if (await connection.scalar(select(func.count()).select_from(USERS)) or 0) >= MAX_USERS:
                raise ConflictError(f"there are {MAX_USERS} users already, the most there may be")
            await connection.execute(insert(USERS).values(_columns(user)))
        return user

    async def list(self) -> Sequence[User]:
        """All accounts, by name."""
        async with self._database.read() as connection:
            return [_user(row) for row in await connection.execute(select(USERS).order_by(USERS.c.name))]

    async def find(self, name: str) -> User | None:
        """The account of that name, if there is one."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(USERS).where(USERS.c.name == name.strip().lower()))).first()
        return None if row is None else _user(row)

    async def get(self, user_id: UserId) -> User:
        """The account with that id.

        Raises:
            RecordNotFoundError: there is none.
        """
        async with self._database.read() as connection:
            return await _get(connection, user_id)

    async def set_password(self, user_id: UserId, password_hash: str, *, now_ms: int) -> None:
        """Store a new password's hash and end all sessions of the person.

        Raises:
            RecordNotFoundError: there is no such account.
        """
        async with self._database.write() as connection:
            await _get(connection, user_id)
            await connection.execute(
                update(USERS)
                .where(USERS.c.id == user_id)
                .values(password_hash=password_hash, password_changed_ms=now_ms)
            )
            await connection.execute(delete(SESSIONS).where(SESSIONS.c.user_id == user_id))

    async def refresh_hash(self, user_id: UserId, *, old: str, new: str) -> None:
        """Replace the hash of an unchanged password by one with newer parameters."""
        async with self._database.write() as connection:
            await connection.execute(
                update(USERS).where(USERS.c.id == user_id, USERS.c.password_hash == old).values(password_hash=new)
            )

    async def change(self, user_id: UserId, *, role: Role | None = None, disabled: bool | None = None) -> User:
        """Change what a person may do; a disabled one loses all sessions.

        Raises:
            RecordNotFoundError: there is no such account.
            ConflictError: no enabled administrator would be left.
        """
        async with self._database.write() as connection:
            await _get(connection, user_id)
            values = {
                **({} if role is None else {"role": role.value}),
                **({} if disabled is None else {"disabled": int(disabled)}),
            }
            if values:
                await connection.execute(update(USERS).where(USERS.c.id == user_id).values(values))
            if disabled:
                await connection.execute(delete(SESSIONS).where(SESSIONS.c.user_id == user_id))
            await _require_an_admin(connection)
            return await _get(connection, user_id)

    async def delete(self, user_id: UserId) -> None:
        """Remove an account with its tokens, sessions and links.

        Raises:
            RecordNotFoundError: there is no such account.
            ConflictError: no enabled administrator would be left.
        """
        async with self._database.write() as connection:
            await _get(connection, user_id)
            await connection.execute(delete(USERS).where(USERS.c.id == user_id))
            await _require_an_admin(connection)


async def _get(connection: AsyncConnection, user_id: UserId) -> User:
    row = (await connection.execute(select(USERS).where(USERS.c.id == user_id))).first()
    if row is None:
        raise RecordNotFoundError("user", user_id)
    return _user(row)


async def _require_an_admin(connection: AsyncConnection) -> None:
    admins = select(func.count()).select_from(USERS).where(USERS.c.role == Role.ADMIN.value, USERS.c.disabled == 0)
    if not await connection.scalar(admins):
        raise ConflictError("no enabled administrator would be left; make another user an administrator first")


def _user(row: Row[Any]) -> User:
    return User(
        id=row.id,
        name=row.name,
        role=Role(row.role),
        disabled=bool(row.disabled),
        created_ms=row.created_ms,
        password_hash=row.password_hash,
        password_changed_ms=row.password_changed_ms,
    )


def _columns(user: User) -> dict[str, object]:
    return {
        "id": user.id,
        "name": user.name,
        "role": user.role.value,
        "disabled": int(user.disabled),
        "created_ms": user.created_ms,
        "password_hash": user.password_hash,
        "password_changed_ms": user.password_changed_ms,
    }
