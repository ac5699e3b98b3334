"""The headers that say who asks: Authorization, and what the user adds under `http_headers`."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable

from multidict import CIMultiDict

from vedette.collect.http_client.watched_file import WatchedSecret
from vedette.config.http_client import Authorization, BasicAuth, HttpClient
from vedette.config.secrets import Secret

TokenSource = Callable[[], Awaitable[str]]
"""Gives the value of an Authorization header; may have to fetch it first."""


class Credentials:
    """Headers from credentials that may change while Vedette runs."""

    def __init__(self, settings: HttpClient, token: TokenSource | None) -> None:
        self._token = token
        self._authorize = _authorizer(settings)
        self._extra = [
            (name, WatchedSecret(secret, file, option=f"http_headers {name}"))
            for name, values in settings.http_headers
            for secret, file in (
                *((Secret(value), "") for value in values.values),
                *((secret, "") for secret in values.secrets),
                *((Secret(), file) for file in values.files),
            )
        ]

    async def add_to(self, headers: CIMultiDict[str]) -> None:
        """Add the headers, as the credentials are now.

        Raises:
            FetchError: a file cannot be read, or a token cannot be had.
        """
        if self._authorize is not None:
            headers["Authorization"] = self._authorize()
        elif self._token is not None:
            headers["Authorization"] = await self._token()
        for name, value in self._extra:
            headers.add(name, value.text())


def _authorizer(settings: HttpClient) -> Callable[[], str] | None:
    authorization = settings.credentials()
    if settings.basic_auth is not None:
        return _basic(settings.basic_auth)
    if authorization is not None:
        return _typed(authorization)
    return None


def _basic(auth: BasicAuth) -> Callable[[], str]:
    username = WatchedSecret(Secret(auth.username), auth.username_file, option="basic_auth username_file")
    password = WatchedSecret(auth.password, auth.password_file, option="basic_auth password_file")
    return lambda: basic_header(username.text(), password.text())


def basic_header(username: str, password: str) -> str:
    """The Authorization header of basic authentication."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def _typed(authorization: Authorization) -> Callable[[], str]:
    kind = authorization.type.strip()
    option = "authorization credentials_file"
    credentials = WatchedSecret(authorization.credentials, authorization.credentials_file, option=option)

    def header() -> str:
        return f"{kind} {credentials.text()}".strip()

    return header
