"""Everything about accounts, put together: what the application needs to know who is asking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from vedette.http.auth.administration import Administration
from vedette.http.auth.authenticator import Authenticator
from vedette.http.auth.cookies import SessionCookie
from vedette.http.auth.local_access import LocalAccess
from vedette.http.auth.logins import Logins
from vedette.http.auth.passwords import Passwords
from vedette.http.clock import Clock
from vedette.http.settings import AuthSettings
from vedette.model.errors import StorageError
from vedette.store.state import AuditTrail, Sessions, StateDatabase, Tokens, Users

_NOTE_EVERY_S = 60.0
_PURGE_EVERY_ROUNDS = 60
_CLOSE_TIMEOUT_S = 5.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Accounts:
    """The services around accounts.

    Attributes:
        first_link: the secret of a one-time link, as long as nobody has a password; to be printed as
            `<url>/login?once=<secret>` and kept nowhere.
    """

    authenticator: Authenticator
    logins: Logins
    administration: Administration
    audit: AuditTrail
    cookie: SessionCookie
    first_link: str | None


@asynccontextmanager
async def open_accounts(
    database: StateDatabase,
    settings: AuthSettings,
    *,
    local_access: LocalAccess,
    local_token_hash: str,
    clock: Clock | None = None,
) -> AsyncGenerator[Accounts]:
    """Build the services, make the first account if there is none, and keep the house clean meanwhile.

    Raises:
        StorageError: the state database cannot be used.
    """
    clock = clock or Clock()
    users, tokens, sessions = Users(database), Tokens(database), Sessions(database)
    audit = AuditTrail(database, keep_ms=int(settings.audit_keep_s * 1000), keep_records=settings.audit_keep_records)
    authenticator = Authenticator(
        tokens=tokens,
        sessions=sessions,
        local_access=local_access,
        local_token_hash=local_token_hash,
        settings=settings,
        clock=clock,
    )
    passwords = Passwords(settings.passwords)
    logins = Logins(
        users=users,
        sessions=sessions,
        audit=audit,
        authenticator=authenticator,
        passwords=passwords,
        settings=settings,
        clock=clock,
    )
    administration = Administration(users=users, tokens=tokens, logins=logins, authenticator=authenticator, clock=clock)
    try:
        first_link = await logins.first_link()
        accounts = Accounts(
            authenticator, logins, administration, audit, SessionCookie(settings.session_cookie), first_link
        )
        failure: Exception | None = None
        async with asyncio.TaskGroup() as group:
            keeping = group.create_task(_keep_house(authenticator, logins))
            try:
                yield accounts
            except Exception as exc:  # noqa: BLE001 - raised below: the task group would wrap it
                failure = exc
            finally:
                keeping.cancel()
        if failure is not None:
            raise failure
        async with asyncio.timeout(_CLOSE_TIMEOUT_S):
            await authenticator.note_uses()
    finally:
        passwords.close()


async def _keep_house(authenticator: Authenticator, logins: Logins) -> None:
    rounds = 0
    while True:
        try:
            await authenticator.note_uses()
            if rounds % _PURGE_EVERY_ROUNDS == 0:
                await logins.purge()
        except StorageError as exc:
            # Only times of last use and outdated rows are concerned; the next round does it.
            log.warning("accounts cannot be tidied up", error=str(exc), retry_in_s=_NOTE_EVERY_S)
        rounds += 1
        await asyncio.sleep(_NOTE_EVERY_S)
