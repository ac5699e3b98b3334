"""Tokens of OAuth 2.0's client credentials grant, fetched when needed and kept until they expire.

Source: RFC 6749, 4.4; golang.org/x/oauth2 for what it leaves open (credentials go into the Authorization
header first and into the body where the server will not have them there).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import quote_plus, urlencode

import orjson

from vedette.collect.http_client.credentials import basic_header
from vedette.collect.http_client.errors import FetchError
from vedette.collect.http_client.watched_file import WatchedSecret
from vedette.config.http_client import GrantType, OAuth2

if TYPE_CHECKING:
    from vedette.collect.http_client.client import Fetcher

_EXPIRY_MARGIN_S: Final = 10
"""A token is not used any more when it has less than this to live."""

_BODY_LIMIT: Final = 1 << 20
_TIMEOUT_S: Final = 30
_OK: Final = 200
_REFUSED: Final = range(400, 500)


class ClientCredentials:
    """Fetches tokens for one `oauth2` section."""

    def __init__(self, settings: OAuth2, fetcher: Fetcher, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        """Prepare; nothing is fetched before the first request."""
        self._settings = settings
        self._fetcher = fetcher
        self._clock_s = clock_s
        self._secret = WatchedSecret(
            settings.client_secret, settings.client_secret_file, option="oauth2 client_secret_file"
        )
        self._lock = asyncio.Lock()
        self._header = ""
        self._expires_s: float | None = None
        self._used_secret = ""
        self._in_body = False

    async def header(self) -> str:
        """The Authorization header's value.

        Raises:
            FetchError: the server gives no token.
        """
        secret = self._secret.text()
        if self._is_fresh(secret):
            return self._header
        async with self._lock:
            if not self._is_fresh(secret):
                await self._fetch(secret)
            return self._header

    async def close(self) -> None:
        """Close the connections to the token's server."""
        await self._fetcher.close()

    def _is_fresh(self, secret: str) -> bool:
        if not self._header or secret != self._used_secret:
            return False
        return self._expires_s is None or self._clock_s() < self._expires_s

    async def _fetch(self, secret: str) -> None:
        status, answer = await self._ask(secret, in_body=self._in_body)
        if status in _REFUSED:
            # RFC 6749 prefers the header but servers differ; the way that works is remembered.
            other_status, other = await self._ask(secret, in_body=not self._in_body)
            if other_status == _OK:
                self._in_body = not self._in_body
                status, answer = other_status, other
        if status != _OK:
            reason = _error_text(answer)
            raise FetchError(f"oauth2: {self._settings.token_url} answered {status}{reason}")
        self._keep(answer, secret)

    async def _ask(self, secret: str, *, in_body: bool) -> tuple[int, bytes]:
        settings = self._settings
        form: list[tuple[str, str]] = [("grant_type", "client_credentials")]
        if settings.scopes:
            form.append(("scope", " ".join(settings.scopes)))
        form += [(name, value.value) for name, value in settings.endpoint_params]
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        if in_body:
            form += [("client_id", settings.client_id), ("client_secret", secret)]
        else:
            # RFC 6749, 2.3.1: both are form-encoded before they are put together.
            headers["Authorization"] = basic_header(quote_plus(settings.client_id), quote_plus(secret))
        response = await self._fetcher.fetch(
            settings.token_url,
            method="POST",
            headers=headers,
            body=urlencode(form).encode(),
            timeout_s=_TIMEOUT_S,
            body_bytes_limit=_BODY_LIMIT,
        )
        return response.status, response.content(limit_bytes=_BODY_LIMIT)

    def _keep(self, answer: bytes, secret: str) -> None:
        fields = _object(answer)
        token = fields.get("access_token")
        if not isinstance(token, str) or not token:
            raise FetchError(f"oauth2: the answer of {self._settings.token_url} holds no access_token")
        kind = str(fields.get("token_type") or "Bearer")
        self._header = f"{'Bearer' if kind.lower() == 'bearer' else kind} {token}"
        self._used_secret = secret
        lifetime_s = _seconds(fields.get("expires_in"))
        self._expires_s = None if lifetime_s is None else self._clock_s() + lifetime_s - _EXPIRY_MARGIN_S


def check_grant(settings: OAuth2) -> None:
    """Refuse what this module cannot do.

    Raises:
        ValueError: the grant type is not supported.
    """
    if settings.grant_type is not GrantType.CLIENT_CREDENTIALS:
        raise ValueError(f"oauth2: grant_type {settings.grant_type} is not supported; use client_credentials")


def _object(answer: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _seconds(found: object) -> float | None:
    """`expires_in`, which some servers send as text; 0 and nonsense mean that it is not known."""
    if isinstance(found, int | float | str):
        try:
            return float(found) or None
        except ValueError:
            return None
    return None


def _error_text(answer: bytes) -> str:
    """The server's own reason (RFC 6749, 5.2), which holds no secrets."""
    fields = _object(answer)
    reason = " ".join(str(fields[name]) for name in ("error", "error_description") if fields.get(name))
    return f": {reason[:200]}" if reason else ""
