"""A mail server on a loopback port: keeps what it is sent, and can refuse, stall and insist on credentials."""

from __future__ import annotations

import asyncio
import email
import email.policy
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from functools import cached_property
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass(frozen=True)
class Mail:
    """A mail that came in.

    Attributes:
        encrypted: whether it came over TLS.
    """

    sender: str
    recipients: list[str]
    content: bytes
    encrypted: bool

    @cached_property
    def parsed(self) -> EmailMessage:
        return email.message_from_bytes(self.content, policy=email.policy.default)


@dataclass(slots=True)
class MailServer:
    """See `serve_mail`.

    Attributes:
        refuse: the answer to a recipient or a message instead of `250`, by `rcpt:ADDRESS` or `data`.
        logins: mechanisms, users and passwords that were used.
    """

    address: str = ""
    messages: list[Mail] = field(default_factory=list[Mail])
    refuse: dict[str, str] = field(default_factory=dict[str, str])
    logins: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    hello: str = ""

    async def handle_EHLO(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        del server, envelope
        session.host_name = self.hello = hostname
        return responses

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, session, options
        refusal = self.refuse.get(f"rcpt:{address}")
        if refusal is not None:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - likewise
        del session
        refusal = self.refuse.get("data")
        if refusal is not None:
            return refusal
        content = envelope.original_content or b""
        encrypted = server.transport is not None and server.transport.get_extra_info("sslcontext") is not None
        self.messages.append(Mail(envelope.mail_from or "", list(envelope.rcpt_tos), content, encrypted))
        return "250 OK"

    def authenticate(self, _server: SMTP, _session: Session, _envelope: Envelope, mechanism: str, data: Any) -> Any:
        if isinstance(data, LoginPassword):
            self.logins.append((mechanism, data.login.decode(), data.password.decode()))
            return AuthResult(success=data.password == b"letmein", handled=False)
        return AuthResult(success=False, handled=False)


@asynccontextmanager
async def serve_mail(
    *, tls: ssl.SSLContext | None = None, implicit_tls: bool = False, auth: bool = False, **options: Any
) -> AsyncGenerator[MailServer]:
    """A `MailServer` for as long as the block lasts.

    Args:
        tls: offers STARTTLS with it.
        implicit_tls: TLS from the first byte instead.
        auth: offers logins; the password is `letmein`.
        options: of aiosmtpd.
    """
    mail = MailServer()
    if auth:
        options |= {"authenticator": mail.authenticate, "auth_require_tls": False}

    def session() -> SMTP:
        started = None if implicit_tls else tls
        return SMTP(mail, tls_context=started, loop=asyncio.get_running_loop(), ident="mail.example.org", **options)

    make: Callable[[], SMTP] = session
    loop = asyncio.get_running_loop()
    server = await loop.create_server(make, "127.0.0.1", 0, ssl=tls if implicit_tls else None)
    mail.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield mail
    finally:
        server.close()
        await server.wait_closed()
