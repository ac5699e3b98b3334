"""Logins at mail servers: the first mechanism that a server offers and for which there is a secret.

Source: Alertmanager's `notify/email` and Go's `net/smtp`: passwords do not travel in the clear, but to this host.
"""

from __future__ import annotations

import base64
from typing import Final

import aiosmtplib

from vedette.alerting.delivery.faults import refused
from vedette.alerting.receivers.email import EmailSettings

_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_GOOD: Final = 235


async def log_in(client: aiosmtplib.SMTP, settings: EmailSettings, *, password: str, secret: str, host: str) -> None:
    """Log in, if there is a user and the server wants logins.

    Raises:
        DeliveryError: there is no mechanism for which there is a secret.
        SMTPException: the server refuses, or fails.
    """
    if not settings.auth_username:
        return
    if client.is_ehlo_or_helo_needed:
        await client.ehlo()
    offered = client.supported_auth_methods
    if not client.supports_extension("auth"):
        return
    clear = client.get_transport_info("sslcontext") is None and host not in _HERE
    problems: list[str] = []
    for mechanism in (name.upper() for name in offered):
        match mechanism:
            case "CRAM-MD5" if secret:
                await client.auth_crammd5(settings.auth_username, secret)
                return
            case "CRAM-MD5":
                problems.append("missing secret for CRAM-MD5 auth mechanism")
            case "PLAIN" | "LOGIN" if not password:
                problems.append(f"missing password for {mechanism} auth mechanism")
            case "PLAIN" | "LOGIN" if clear:
                problems.append(f"{mechanism} needs an encrypted connection")
            case "PLAIN":
                await _plain(client, settings, password)
                return
            case "LOGIN":
                await client.auth_login(settings.auth_username, password)
                return
            case _:
                pass
    raise refused("; ".join(dict.fromkeys(problems)) or f"unknown auth mechanism: {' '.join(offered)}")


async def _plain(client: aiosmtplib.SMTP, settings: EmailSettings, password: str) -> None:
    """PLAIN with an identity, which the library does not know."""
    proof = f"{settings.auth_identity}\0{settings.auth_username}\0{password}".encode()
    response = await client.execute_command(b"AUTH", b"PLAIN", base64.b64encode(proof))
    if response.code != _GOOD:
        raise aiosmtplib.SMTPAuthenticationError(response.code, response.message)
