"""Accounts and tokens: who makes, changes and revokes what. Every change is in the audit trail.

A token never exceeds its maker: not in its scopes, and not in its owner.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vedette.http.auth.authenticator import Authenticator
from vedette.http.auth.logins import Logins
from vedette.http.auth.principals import ROLE_SCOPES, Principal, effective_scopes
from vedette.http.auth.secrets import hash_secret, new_token
from vedette.http.clock import Clock
from vedette.http.errors import ProblemError
from vedette.store.state import RecordNotFoundError, Role, Scope, Token, TokenId, Tokens, User, Users


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token with its text, which is shown this once."""

    token: Token
    owner: str
    text: str

    def __repr__(self) -> str:
        return f"NewToken(id={self.token.id!r}, owner={self.owner!r})"


class Administration:
    """Changes accounts and tokens on behalf of a caller."""

    def __init__(
        self, *, users: Users, tokens: Tokens, logins: Logins, authenticator: Authenticator, clock: Clock
    ) -> None:
        self._users = users
        self._tokens = tokens
        self._logins = logins
        self._authenticator = authenticator
        self._clock = clock

    async def create_user(self, name: str, role: Role, *, caller: Principal, address: str) -> tuple[User, str]:
        """Add an account; with the secret of a one-time link with which its person sets a password.

        Raises:
            ConflictError: the name is taken or unfit.
        """
        user = await self._users.create(name, role, now_ms=self._clock.now_ms())
        await self._logins.record(caller.name, "user.create", user.name, address, detail={"role": role.value})
        return user, await self._logins.issue_link(user, actor=caller.name, address=address)

    async def change_user(
        self, name: str, *, role: Role | None, disabled: bool | None, caller: Principal, address: str
    ) -> User:
        """Change an account's role, or disable or enable it.

        Raises:
            RecordNotFoundError: there is no such account.
            ConflictError: no administrator would be left.
        """
        user = await self._users.change((await self.user(name)).id, role=role, disabled=disabled)
        self._authenticator.forget()
        detail = {
            **({} if role is None else {"role": role.value}),
            **({} if disabled is None else {"disabled": str(disabled).lower()}),
        }
        await self._logins.record(caller.name, "user.change", user.name, address, detail=detail)
        return user

    async def delete_user(self, name: str, *, caller: Principal, address: str) -> None:
        """Remove an account with its sessions and tokens.

        Raises:
            RecordNotFoundError: there is no such account.
            ConflictError: no administrator would be left.
        """
        user = await self.user(name)
        await self._users.delete(user.id)
        self._authenticator.forget()
        await self._logins.record(caller.name, "user.delete", user.name, address)

    async def issue_link(self, name: str, *, caller: Principal, address: str) -> str:
        """The secret of a one-time link for somebody who has forgotten the password.

        Raises:
            RecordNotFoundError: there is no such account.
        """
        return await self._logins.issue_link(await self.user(name), actor=caller.name, address=address)

    async def create_token(
        self,
        name: str,
        scopes: frozenset[Scope],
        *,
        expires_ms: int | None,
        owner: str | None,
        caller: Principal,
        address: str,
    ) -> NewToken:
        """Make a token for the caller or, if it is an administrator, for somebody else.

        Raises:
            ProblemError: 403, the caller may not; 422, the owner's role does not cover the scopes.
            RecordNotFoundError: there is no such owner.
            ConflictError: the owner has too many tokens.
        """
        user = await self._owner(owner, caller)
        beyond = effective_scopes(scopes, Role.ADMIN) - caller.scopes
        if beyond:
            raise ProblemError(403, f"you do not have the scopes {_words(beyond)} yourself", kind="forbidden")
        beyond = effective_scopes(scopes, Role.ADMIN) - ROLE_SCOPES[user.role]
        if beyond:
            raise ProblemError(
                422, f"{user.name} is {user.role.value}, which does not cover {_words(beyond)}", kind="unfit-scopes"
            )
        now_ms = self._clock.now_ms()
        if expires_ms is not None and expires_ms <= now_ms:
            raise ProblemError(422, "the token would have expired already", kind="unfit-expiry")
        text = new_token()
        token = Token(
            id=TokenId(text.id),
            user_id=user.id,
            name=name,
            scopes=scopes,
            created_ms=now_ms,
            expires_ms=expires_ms,
            last_used_ms=None,
        )
        await self._tokens.create(token, secret_hash=hash_secret(text.secret))
        detail = {"id": token.id, "owner": user.name, "scopes": _words(scopes)}
        await self._logins.record(caller.name, "token.create", name, address, detail=detail)
        return NewToken(token, user.name, text.full)

    async def revoke_token(self, token_id: str, *, caller: Principal, address: str) -> None:
        """Revoke a token of the caller, or anybody's if it is an administrator.

        Raises:
            RecordNotFoundError: there is no such token that is the caller's to revoke.
        """
        found = await self._tokens.find(token_id)
        if found is None or (Scope.ADMIN not in caller.scopes and found.token.user_id != caller.user_id):
            raise RecordNotFoundError("token", token_id[:32])
        await self._tokens.revoke(found.token.id)
        self._authenticator.forget()
        detail = {"id": found.token.id, "owner": found.user_name}
        await self._logins.record(caller.name, "token.revoke", found.token.name, address, detail=detail)

    async def tokens(self, caller: Principal) -> Sequence[tuple[Token, str]]:
        """The caller's tokens with their owners' names; everybody's for an administrator."""
        return await self._tokens.list(None if Scope.ADMIN in caller.scopes else caller.user_id)

    async def users(self) -> Sequence[User]:
        """All accounts."""
        return await self._users.list()

    async def user(self, name: str) -> User:
        """An account by name.

        Raises:
            RecordNotFoundError: there is none.
        """
        user = await self._users.find(name)
        if user is None:
            raise RecordNotFoundError("user", name[:80])
        return user

    async def _owner(self, owner: str | None, caller: Principal) -> User:
        if owner is None:
            if caller.user_id is None:
                raise ProblemError(422, "say whose token it is: `user` is missing", kind="unfit-owner")
            return await self._users.get(caller.user_id)
        user = await self.user(owner) if Scope.ADMIN in caller.scopes else await self._users.find(owner)
        if user is None or (user.id != caller.user_id and Scope.ADMIN not in caller.scopes):
            raise ProblemError(403, "only an administrator makes tokens for others", kind="forbidden")
        return user


def _words(scopes: frozenset[Scope]) -> str:
    return ", ".join(sorted(scope.value for scope in scopes))
