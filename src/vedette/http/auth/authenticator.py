"""Find out who is asking: by token, by session cookie, or by being a local program of our own user.

What was looked up is believed for some seconds, so that an agent that writes every second costs no database
query each time. Revoking a token, ending a session or changing an account takes effect at once in this
process, also for look-ups that are under way while it happens.

A wrong credential is never ignored: a caller who shows one is not let in as if it had shown none.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections import OrderedDict
from dataclasses import dataclass

from starlette.types import Scope as AsgiScope

from vedette.http.auth.cookies import SessionCookie
from vedette.http.auth.local_access import LocalAccess
from vedette.http.auth.principals import LOOPBACK_PEER, NOBODY, ROLE_SCOPES, Principal, Proof, effective_scopes
from vedette.http.auth.secrets import LOCAL_ID, hash_secret, parse_token, same_secret
from vedette.http.clock import Clock
from vedette.http.errors import ProblemError
from vedette.http.head import RequestHead
from vedette.http.settings import AuthSettings
from vedette.store.state import Scope, Sessions, TokenId, Tokens

_MAX_VERIFIED = 4096
_MAX_AUTHORIZATION_BYTES = 1024


@dataclass(slots=True)
class _Verified:
    """A credential that was looked up.

    Attributes:
        until_s: look it up again after this (monotonic).
        expires_ms: no longer good from then on; None for never.
        last_seen_ms: of a session, for its idle time.
    """

    principal: Principal
    until_s: float
    expires_ms: int | None
    last_seen_ms: int


class Authenticator:
    """Judges credentials. One for the process."""

    def __init__(
        self,
        *,
        tokens: Tokens,
        sessions: Sessions,
        local_access: LocalAccess,
        local_token_hash: str,
        settings: AuthSettings,
        clock: Clock,
    ) -> None:
        self._tokens = tokens
        self._sessions = sessions
        self._local_access = local_access
        self._local_token_hash = local_token_hash
        self._settings = settings
        self._cookie = SessionCookie(settings.session_cookie)
        self._clock = clock
        self._verified: OrderedDict[bytes, _Verified] = OrderedDict()
        self._changes = 0
        self._tokens_used_ms: dict[TokenId, int] = {}
        self._sessions_seen_ms: dict[str, int] = {}

    async def identify(self, head: RequestHead, scope: AsgiScope) -> Principal:
        """The caller of a request.

        Raises:
            ProblemError: 401, for a credential that is not good.
            StorageError: the state database cannot be asked.
        """
        known = self.recall(head, scope)
        if known is not None:
            return known
        authorization = head.fields.get(b"authorization")
        if authorization is not None:
            return await self._by_token(authorization, head)
        session_id = self._session_id(head)
        if session_id:
            principal = await self._by_session(session_id)
            if principal is not None:
                return principal
        return self._without_credentials(head, scope)

    def recall(self, head: RequestHead, scope: AsgiScope) -> Principal | None:
        """As `identify`, of a caller for whom nothing has to be looked up; None for all others."""
        authorization = head.fields.get(b"authorization")
        if authorization is not None:
            return self._recall_token(authorization)
        session_id = self._session_id(head)
        if session_id:
            return self._recall_session(hash_secret(session_id))
        return self._without_credentials(head, scope)

    def forget(self) -> None:
        """Look everything up again: an account, token or session has changed."""
        self._changes += 1
        self._verified.clear()

    async def note_uses(self) -> None:
        """Write down when tokens and sessions were last used."""
        tokens, self._tokens_used_ms = self._tokens_used_ms, {}
        sessions, self._sessions_seen_ms = self._sessions_seen_ms, {}
        await self._tokens.note_use(tokens)
        await self._sessions.note_seen(sessions)

    def _session_id(self, head: RequestHead) -> str:
        cookie = head.fields.get(b"cookie")
        return "" if cookie is None else self._cookie.read(cookie, secure=head.secure)

    def _without_credentials(self, head: RequestHead, scope: AsgiScope) -> Principal:
        refusal = self._local_access.refusal(head, scope)
        if not refusal:
            return LOOPBACK_PEER
        return Principal(Proof.NONE, NOBODY.name, hint=refusal) if self._local_access.enabled else NOBODY

    def _recall_token(self, authorization: bytes) -> Principal | None:
        known = self._recall(_token_digest(authorization))
        now_ms = self._clock.now_ms()
        if known is None or (known.expires_ms is not None and now_ms >= known.expires_ms):
            return None
        self._tokens_used_ms[TokenId(known.principal.credential)] = now_ms
        return known.principal

    async def _by_token(self, authorization: bytes, head: RequestHead) -> Principal:
        token = parse_token(_token_text(authorization))
        if token is None:
            raise _unauthorized("the token is malformed")
        secret_hash = hash_secret(token.secret)
        if token.id == LOCAL_ID:
            return self._by_local_token(secret_hash, head)
        now_ms = self._clock.now_ms()
        changes = self._changes
        owner = await self._tokens.find(token.id)
        # Compared in any case, so that an unknown id takes no other way than a wrong secret.
        matches = same_secret(owner.secret_hash if owner else hash_secret(""), secret_hash)
        if owner is None or not matches or owner.disabled:
            raise _unauthorized("the token is not known; it may have been revoked")
        if owner.token.expires_ms is not None and now_ms >= owner.token.expires_ms:
            raise _unauthorized("the token has expired")
        principal = Principal(
            Proof.TOKEN,
            owner.user_name,
            effective_scopes(owner.token.scopes, owner.role),
            owner.token.user_id,
            owner.token.id,
        )
        self._remember(_token_digest(authorization), principal, owner.token.expires_ms, now_ms, changes)
        self._tokens_used_ms[owner.token.id] = now_ms
        return principal

    def _by_local_token(self, secret_hash: str, head: RequestHead) -> Principal:
        local = head.peer is not None and head.peer.is_loopback and not head.forwarded
        if not same_secret(self._local_token_hash, secret_hash) or not local:
            raise _unauthorized("the local token is good only on this machine, and until the server is restarted")
        return Principal(Proof.LOCAL_TOKEN, "local", frozenset(Scope))

    def _recall_session(self, id_hash: str) -> Principal | None:
        known = self._recall(_session_digest(id_hash))
        return None if known is None else self._still_in(known, id_hash)

    async def _by_session(self, session_id: str) -> Principal | None:
        id_hash = hash_secret(session_id)
        known = self._recall(_session_digest(id_hash))
        if known is None:
            changes = self._changes
            owner = await self._sessions.find(id_hash)
            if owner is None or owner.disabled:
                return None
            session = owner.session
            scopes: frozenset[Scope] = frozenset() if session.setup_only else ROLE_SCOPES[owner.role]
            principal = Principal(
                Proof.SESSION, owner.user_name, scopes, session.user_id, id_hash, setup_only=session.setup_only
            )
            last_seen_ms = max(session.last_seen_ms, self._sessions_seen_ms.get(id_hash, 0))
            known = self._remember(_session_digest(id_hash), principal, session.expires_ms, last_seen_ms, changes)
        return self._still_in(known, id_hash)

    def _still_in(self, known: _Verified, id_hash: str) -> Principal | None:
        now_ms = self._clock.now_ms()
        if now_ms >= (known.expires_ms or 0) or now_ms - known.last_seen_ms >= self._settings.session_idle_s * 1000:
            return None
        known.last_seen_ms = now_ms
        self._sessions_seen_ms[id_hash] = now_ms
        return known.principal

    def _recall(self, digest: bytes) -> _Verified | None:
        known = self._verified.get(digest)
        if known is None or self._clock.monotonic_s() >= known.until_s:
            return None
        return known

    def _remember(
        self, digest: bytes, principal: Principal, expires_ms: int | None, seen_ms: int, changes: int
    ) -> _Verified:
        verified = _Verified(principal, self._clock.monotonic_s() + self._settings.verified_for_s, expires_ms, seen_ms)
        # Not kept if anything was revoked while it was being looked up: that may have been this one.
        if changes == self._changes:
            self._verified[digest] = verified
            self._verified.move_to_end(digest)
            if len(self._verified) > _MAX_VERIFIED:
                self._verified.popitem(last=False)
        return verified


def _token_digest(authorization: bytes) -> bytes:
    return hashlib.sha256(b"authorization\0" + authorization).digest()


def _session_digest(id_hash: str) -> bytes:
    return b"session\0" + id_hash.encode()


def _token_text(authorization: bytes) -> str:
    if len(authorization) > _MAX_AUTHORIZATION_BYTES:
        raise _unauthorized("the Authorization header is too long for a token")
    scheme, _, value = authorization.decode("latin-1").strip().partition(" ")
    value = value.strip()
    match scheme.lower():
        case "bearer":
            return value
        case "basic":
            try:
                user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError) as exc:
                raise _unauthorized("the Basic credentials are not base64 of `user:token`") from exc
            # The user's name is for the client's logs; some clients can only send the token in its place.
            return password or user
        case _:
            raise _unauthorized("the Authorization scheme must be Bearer, or Basic with the token as password")


def _unauthorized(detail: str) -> ProblemError:
    return ProblemError(
        401, detail, kind="unauthorized", headers={"WWW-Authenticate": 'Bearer realm="vedette", error="invalid_token"'}
    )
