"""Browser sessions and the one-time links that begin one without a password.

The cookie holds a random id, the link a random secret; both are stored as SHA-256 only, so that a copy
of the database logs nobody in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, insert, select, update

from vedette.store.state.database import StateDatabase
from vedette.store.state.schema import ONCE_LINKS, SESSIONS, USERS
from vedette.store.state.users import Role, UserId

MAX_SESSIONS_PER_USER = 50


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is logged in.

    Attributes:
        setup_only: begun by a one-time link; good for nothing but setting a password.
        last_seen_ms: to within a minute.
        expires_ms: when it ends however busy it is.
        address: where it was begun from.
    """

    id_hash: str
    user_id: UserId
    setup_only: bool
    created_ms: int
    last_seen_ms: int
    expires_ms: int
    address: str


@dataclass(frozen=True, slots=True)
class SessionOwner:
    """What is needed to judge a request that shows a session's cookie."""

    session: Session
    user_name: str
    role: Role
    disabled: bool


class Sessions:
    """The sessions and one-time links in the state database."""

    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    async def create(self, session: Session) -> None:
        """Store a new session; the person's oldest make room for it."""
        async with self._database.write() as connection:
            await connection.execute(
                insert(SESSIONS).values(
                    id_hash=session.id_hash,
                    user_id=session.user_id,
                    setup_only=int(session.setup_only),
                    created_ms=session.created_ms,
                    last_seen_ms=session.last_seen_ms,
                    expires_ms=session.expires_ms,
                    address=session.address,
                )
            )
            kept = (
                select(SESSIONS.c.id_hash)
                .where(SESSIONS.c.user_id == session.user_id)
                .order_by(SESSIONS.c.created_ms.desc(), SESSIONS.c.last_seen_ms.desc())
                .limit(MAX_SESSIONS_PER_USER)
            )
            await connection.execute(
                delete(SESSIONS).where(SESSIONS.c.user_id == session.user_id, SESSIONS.c.id_hash.not_in(kept))
            )

    async def find(self, id_hash: str) -> SessionOwner | None:
        """A session and its owner, if there is one with this hash; it may have expired."""
        query = (
            select(SESSIONS, USERS.c.name.label("user_name"), USERS.c.role, USERS.c.disabled)
            .join(USERS, USERS.c.id == SESSIONS.c.user_id)
            .where(SESSIONS.c.id_hash == id_hash)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            return None
        return SessionOwner(
            session=Session(
                id_hash=row.id_hash,
                user_id=row.user_id,
                setup_only=bool(row.setup_only),
                created_ms=row.created_ms,
                last_seen_ms=row.last_seen_ms,
                expires_ms=row.expires_ms,
                address=row.address,
            ),
            user_name=row.user_name,
            role=Role(row.role),
            disabled=bool(row.disabled),
        )

    async def end(self, id_hash: str) -> None:
        """Forget a session, if there is one."""
        async with self._database.write() as connection:
            await connection.execute(delete(SESSIONS).where(SESSIONS.c.id_hash == id_hash))

    async def note_seen(self, seen_ms: Mapping[str, int]) -> None:
        """Remember when sessions were last used."""
        if not seen_ms:
            return
        statement = (
            update(SESSIONS).where(SESSIONS.c.id_hash == bindparam("session")).values(last_seen_ms=bindparam("seen"))
        )
        async with self._database.write() as connection:
            await connection.execute(
                statement, [{"session": id_hash, "seen": when_ms} for id_hash, when_ms in seen_ms.items()]
            )

    async def purge(self, *, now_ms: int, idle_ms: int) -> None:
        """Forget sessions and links that have expired."""
        async with self._database.write() as connection:
            await connection.execute(
                delete(SESSIONS).where(
                    (SESSIONS.c.expires_ms <= now_ms) | (SESSIONS.c.last_seen_ms <= now_ms - idle_ms)
                )
            )
            await connection.execute(delete(ONCE_LINKS).where(ONCE_LINKS.c.expires_ms <= now_ms))

    async def add_link(self, secret_hash: str, user_id: UserId, *, now_ms: int, expires_ms: int) -> None:
        """Store a one-time link; earlier ones for the same person stop working."""
        async with self._database.write() as connection:
            await connection.execute(delete(ONCE_LINKS).where(ONCE_LINKS.c.user_id == user_id))
            await connection.execute(
                insert(ONCE_LINKS).values(
                    secret_hash=secret_hash, user_id=user_id, created_ms=now_ms, expires_ms=expires_ms
                )
            )

    async def drop_links(self) -> None:
        """Forget all one-time links: they do not outlive the process that printed them."""
        async with self._database.write() as connection:
            await connection.execute(delete(ONCE_LINKS))

    async def use_link(self, secret_hash: str, *, now_ms: int) -> UserId | None:
        """Whose link this is, once: it is gone afterwards, whether it had expired or not."""
        used = (
            delete(ONCE_LINKS)
            .where(ONCE_LINKS.c.secret_hash == secret_hash)
            .returning(ONCE_LINKS.c.user_id, ONCE_LINKS.c.expires_ms)
        )
        async with self._database.write() as connection:
            row = (await connection.execute(used)).first()
        if row is None or row.expires_ms <= now_ms:
            return None
        return row.user_id
