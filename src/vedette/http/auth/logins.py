"""Logging in and out: passwords, one-time links, sessions; each step leaves a line in the audit trail.

The first start makes the account `admin` without a password, and a one-time link for it that the command
line prints. Until the password is set every start makes a new link, and the old one stops working.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from vedette.http.auth.authenticator import Authenticator
from vedette.http.auth.passwords import Passwords
from vedette.http.auth.principals import Principal
from vedette.http.auth.secrets import hash_secret, new_secret
from vedette.http.auth.throttle import LoginThrottle
from vedette.http.clock import Clock
from vedette.http.errors import ProblemError, retry_after
from vedette.http.settings import AuthSettings
from vedette.store.state import AuditRecord, AuditTrail, Outcome, Role, Session, Sessions, User, UserId, Users

FIRST_ADMIN = "admin"

log = structlog.get_logger()
_MAX_NAME = 128


@dataclass(frozen=True, slots=True)
class Login:
    """A session that has just begun.

    Attributes:
        session_id: for the cookie; it is not stored anywhere in this form.
    """

    session_id: str
    user_name: str


class Logins:
    """Begins and ends sessions."""

    def __init__(
        self,
        *,
        users: Users,
        sessions: Sessions,
        audit: AuditTrail,
        authenticator: Authenticator,
        passwords: Passwords,
        settings: AuthSettings,
        clock: Clock,
    ) -> None:
        self._users = users
        self._sessions = sessions
        self._audit = audit
        self._authenticator = authenticator
        self._passwords = passwords
        self._throttle = LoginThrottle(settings.throttle)
        self._settings = settings
        self._clock = clock

    async def first_link(self) -> str | None:
        """At start: the secret of a one-time link, as long as the first administrator has no password."""
        await self._sessions.drop_links()
        users = await self._users.list()
        if not users:
            admin = await self._users.create(FIRST_ADMIN, Role.ADMIN, now_ms=self._clock.now_ms())
            await self.record("vedette", "user.create", admin.name, "", detail={"role": admin.role.value})
            users = [admin]
        admins = [user for user in users if user.role is Role.ADMIN and not user.disabled]
        if any(admin.password_hash is not None for admin in admins):
            return None
        admin = admins[0]
        return await self.issue_link(admin, actor="vedette", address="")

    async def issue_link(self, user: User, *, actor: str, address: str) -> str:
        """The secret of a new one-time link with which this person can set a password."""
        secret = new_secret()
        now_ms = self._clock.now_ms()
        await self._sessions.add_link(
            hash_secret(secret), user.id, now_ms=now_ms, expires_ms=now_ms + int(self._settings.once_link_s * 1000)
        )
        await self.record(actor, "once_link.create", user.name, address)
        return secret

    async def log_in(self, name: str, password: str, *, address: str, replaces: Principal) -> Login:
        """Check a password and begin a session.

        Args:
            name: as it was typed.
            password: as it was typed.
            address: the client's.
            replaces: the caller before; its session ends.

        Raises:
            ProblemError: 401, for a wrong name or password alike; 429, after too many attempts.
            OverloadedError: too many logins at the same time.
        """
        account = name.strip().lower()[:_MAX_NAME]
        wait_s = self._throttle.admit(account, address, now_s=self._clock.monotonic_s())
        if wait_s > 0:
            raise ProblemError(
                429,
                f"too many failed logins; try again in {retry_after(wait_s)} s",
                kind="throttled",
                headers={"Retry-After": retry_after(wait_s)},
            )
        user = await self._users.find(account)
        usable = user is not None and not user.disabled
        verdict = await self._passwords.check(password, user.password_hash if user is not None and usable else None)
        if user is None or not usable or not verdict.correct:
            # A name that does not exist may be a password in the wrong field.
            actor = user.name if user is not None else "unknown user"
            await self.record(actor, "login", "", address, Outcome.FAILURE)
            raise ProblemError(401, "the name or the password is wrong", kind="unauthorized")
        self._throttle.succeeded(account, address)
        if verdict.newer_hash is not None and user.password_hash is not None:
            await self._users.refresh_hash(user.id, old=user.password_hash, new=verdict.newer_hash)
        login = await self._begin(user, address, replaces=replaces)
        await self.record(user.name, "login", "", address)
        return login

    async def redeem_link(self, secret: str, *, address: str, replaces: Principal) -> Login | None:
        """Begin a session that may only set a password; None if the link is not good (any more)."""
        user_id = await self._sessions.use_link(hash_secret(secret), now_ms=self._clock.now_ms())
        if user_id is None:
            # Not in the audit trail, which anybody could fill in this way: such a secret cannot be guessed.
            log.warning("one-time link refused", address=address)
            return None
        user = await self._users.get(user_id)
        login = await self._begin(user, address, replaces=replaces, setup_only=True)
        await self.record(user.name, "once_link.use", "", address)
        return login

    async def set_password(self, caller: Principal, *, current: str, new: str, address: str) -> Login:
        """Set the caller's own password, end all of its sessions, and begin a new one.

        Raises:
            ProblemError: 403, the current password is wrong; 422, the new one is unfit; 429.
        """
        user = await self._users.get(_account_of(caller))
        if not caller.setup_only:
            await self._require_current(user, current, address)
        self._passwords.require_fit(new, user_name=user.name)
        password_hash = await self._passwords.hash(new)
        await self._users.set_password(user.id, password_hash, now_ms=self._clock.now_ms())
        self._throttle.forget_account(user.name)
        self._throttle.succeeded(user.name, address)
        login = await self._begin(user, address, replaces=caller)
        await self.record(user.name, "password.change", "", address)
        return login

    async def log_out(self, caller: Principal, *, address: str) -> None:
        """End the caller's session."""
        if caller.credential:
            await self._sessions.end(caller.credential)
            self._authenticator.forget()
            await self.record(caller.name, "logout", "", address)

    async def purge(self) -> None:
        """Forget sessions that have ended and audit records that are too old."""
        now_ms = self._clock.now_ms()
        await self._sessions.purge(now_ms=now_ms, idle_ms=int(self._settings.session_idle_s * 1000))
        await self._audit.purge(now_ms=now_ms)

    async def record(
        self,
        actor: str,
        action: str,
        target: str,
        address: str,
        outcome: Outcome = Outcome.SUCCESS,
        *,
        detail: Mapping[str, str] | None = None,
    ) -> None:
        """Add to the audit trail."""
        await self._audit.add(AuditRecord(self._clock.now_ms(), actor, action, target, address, outcome, detail or {}))

    async def _require_current(self, user: User, current: str, address: str) -> None:
        wait_s = self._throttle.admit(user.name, address, now_s=self._clock.monotonic_s())
        if wait_s > 0:
            raise ProblemError(
                429,
                f"too many failed attempts; try again in {retry_after(wait_s)} s",
                kind="throttled",
                headers={"Retry-After": retry_after(wait_s)},
            )
        if not (await self._passwords.check(current, user.password_hash)).correct:
            await self.record(user.name, "password.change", "", address, Outcome.FAILURE)
            raise ProblemError(403, "the current password is wrong", kind="wrong-password")

    async def _begin(self, user: User, address: str, *, replaces: Principal, setup_only: bool = False) -> Login:
        # A new id at every step up; what the browser brought is ended, so that a planted one is worth nothing.
        session_id = new_secret()
        now_ms = self._clock.now_ms()
        await self._sessions.create(
            Session(
                id_hash=hash_secret(session_id),
                user_id=user.id,
                setup_only=setup_only,
                created_ms=now_ms,
                last_seen_ms=now_ms,
                expires_ms=now_ms + int(self._settings.session_max_s * 1000),
                address=address,
            )
        )
        if replaces.credential:
            await self._sessions.end(replaces.credential)
        self._authenticator.forget()
        return Login(session_id, user.name)


def _account_of(caller: Principal) -> UserId:
    if caller.user_id is None:
        raise ProblemError(403, "this needs a person who is logged in", kind="forbidden")
    return caller.user_id
