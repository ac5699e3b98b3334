"""Who may speak to Vedette, and where: `http` and `auth`."""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator

from vedette.config.fields import Count, FileName, HttpUrl, Interval, Positive, PositiveSize, choice
from vedette.config.http_client import TlsVersion
from vedette.config.settings import Problem, Settings, wrong
from vedette.model.durations import Duration, Size

_MAX_PORT: Final = 65535


class LoginRequired(StrEnum):
    """When a login or a token is needed."""

    BEYOND_LOOPBACK = "beyond_loopback"
    """When Vedette listens on more than the loopback interface."""
    ALWAYS = "always"


def split_address(address: str) -> tuple[str, int]:
    """Host and port of `host:port`; an IPv6 address stands in brackets, an empty host means all interfaces.

    Raises:
        ValueError: it is not an address.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > _MAX_PORT:
        raise ValueError("expected host:port")
    if host.startswith("[") and host.endswith("]"):
        host = str(ipaddress.IPv6Address(host[1:-1]))
    elif ":" in host:
        raise ValueError("an IPv6 address stands in brackets: [::1]:7300")
    return host, int(port)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a host address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _address(found: str) -> str:
    try:
        split_address(found)
    except ValueError as exc:
        raise wrong(f'"{found}" is not an address to listen on: {exc}', "Write it like 127.0.0.1:7300.") from exc
    return found


def _network(found: str) -> str:
    try:
        ipaddress.ip_network(found, strict=False)
    except ValueError as exc:
        raise wrong(f'"{found}" is not a network: {exc}', "Write it like 10.0.0.0/8.") from exc
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTls(Settings):
    """TLS for who speaks to Vedette."""

    cert_file: FileName = ""
    """File with the certificate and those between it and the authority. Required."""
    key_file: FileName = ""
    """File with its key. Required."""
    client_ca_file: FileName = ""
    """File with the authorities whose client certificates are required; empty: none is required."""
    min_version: Annotated[TlsVersion, choice(TlsVersion)] = TlsVersion.TLS12
    """Lowest version of TLS to accept."""

    def problems(self) -> Iterable[Problem]:
        """A certificate and its key."""
        for name in ("cert_file", "key_file"):
            if not getattr(self, name):
                yield Problem((), f"TLS needs a {name}", f"Add `{name}`.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Http(Settings):
    """Where Vedette listens."""

    listen: Annotated[str, AfterValidator(_address)] = "127.0.0.1:7300"
    """Address and port. Beyond loopback a login is required."""
    external_url: HttpUrl = ""
    """URL under which people reach Vedette, e.g. behind a proxy; for links in messages and for cookies."""
    tls: ServerTls | None = None
    """TLS; without it, plain HTTP."""
    trusted_proxies: tuple[Annotated[str, AfterValidator(_network)], ...] = ()
    """Networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."""
    cors_origins: tuple[str, ...] = ()
    """Origins of web pages that may call the API: https://dash.example.com."""
    max_body: PositiveSize = Size(32 << 20)
    """Largest request, as sent; a larger one is refused with 413."""
    max_decompressed_body: PositiveSize = Size(128 << 20)
    """Largest request after decompression; a larger one is refused with 413."""
    max_connections: Positive = 1024
    """Most connections at a time; further ones wait."""
    idle_timeout: Interval = Duration(75_000)
    """How long a connection without requests is kept."""
    shutdown_timeout: Interval = Duration(10_000)
    """How long requests may take to end when Vedette stops."""

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach Vedette."""
        return is_loopback(split_address(self.listen)[0])

    def problems(self) -> Iterable[Problem]:
        """Limits in order."""
        if self.max_decompressed_body < self.max_body:
            text = f"max_decompressed_body ({self.max_decompressed_body}) is less than max_body ({self.max_body})"
            yield Problem(("max_decompressed_body",), text)
        for index, origin in enumerate(self.cors_origins):
            if origin != "*" and not origin.startswith(("http://", "https://")):
                yield Problem(("cors_origins", index), f'"{origin}" is not an origin', "Write https://host.")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginThrottle(Settings):
    """How failed logins slow down further ones: each beyond the free ones doubles the delay.

    An account's failures count wherever they come from, but not against addresses from which it has logged in before;
    an address's failures count for whatever accounts they are.
    """

    first_delay: Interval = Duration(1_000)
    """The delay after the first failure that is not free."""
    account_free_failures: Count = 5
    """Failures for one account that cost nothing."""
    account_max_delay: Interval = Duration(60_000)
    """The longest delay for an account."""
    address_free_failures: Count = 20
    """Failures from one address (of IPv6: one /64) that cost nothing."""
    address_max_delay: Interval = Duration(900_000)
    """The longest delay for an address."""
    forget_after: Interval = Duration(3_600_000)
    """How long after the last failure all of them are forgotten."""

    def problems(self) -> Iterable[Problem]:
        """Delays in order."""
        for name in ("account_max_delay", "address_max_delay"):
            longest = getattr(self, name)
            if longest < self.first_delay:
                yield Problem((name,), f"{name} ({longest}) is less than first_delay ({self.first_delay})")
            if longest > self.forget_after:
                text = f"{name} ({longest}) is more than forget_after ({self.forget_after})"
                yield Problem((name,), text, "What is forgotten delays nothing: lengthen `forget_after`.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth(Settings):
    """Who has to log in. The health endpoints are always open."""

    required: Annotated[LoginRequired, choice(LoginRequired)] = LoginRequired.BEYOND_LOOPBACK
    """When a login or a token is needed."""
    session_lifetime: Interval = Duration(7 * 86_400_000)
    """How long a login lasts."""
    login_link_lifetime: Interval = Duration(86_400_000)
    """How long the one-time link of the first start can be used."""
    login_throttle: LoginThrottle = LoginThrottle()
    """What guessing passwords costs."""
