"""E-mail by SMTP: text and HTML, over TLS, as a thread for each group where that is wanted.

Source: Alertmanager's `notify/email`. Unlike there, what a server refuses for good (5xx) is not tried again, and a
recipient that is refused does not keep the others from their mail.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Final

import aiosmtplib

from vedette.alerting.delivery.attempts import Exchange
from vedette.alerting.delivery.faults import DeliveryError, Reason, refused, shown
from vedette.alerting.delivery.mail import compose_mail
from vedette.alerting.delivery.message import Message
from vedette.alerting.delivery.sender import Send, Tools
from vedette.alerting.delivery.smtp_login import log_in
from vedette.alerting.receivers.email import EmailSettings
from vedette.collect.http_client import FetchError, TlsContext
from vedette.config.http_client import TlsConfig

_IMPLICIT_TLS_PORT: Final = 465
_QUIT_S: Final = 2.0


class EmailSender:
    """Sends mails by one mail server, each over a connection of its own."""

    def __init__(self, settings: EmailSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools
        host, _, port = settings.smarthost.rpartition(":")
        self._host, self._port = host.strip("[]"), int(port)
        implicit = settings.force_implicit_tls
        self._implicit_tls = self._port == _IMPLICIT_TLS_PORT if implicit is None else implicit
        self._tls = TlsContext(settings.tls_config or TlsConfig())

    def compose(self, message: Message) -> Send:
        """One mail."""
        settings = self._settings
        mail = compose_mail(settings, message)
        password, secret = self._tools.secrets.read("auth_password"), self._tools.secrets.read("auth_secret")
        context = self._context()

        async def send(exchange: Exchange) -> None:
            exchange.sends(mail.content)
            client = aiosmtplib.SMTP(
                hostname=self._host,
                port=self._port,
                local_hostname=settings.hello or None,
                use_tls=self._implicit_tls,
                start_tls=False,
                tls_context=context,
                timeout=None,
            )
            try:
                await client.connect()
                if settings.require_tls and not self._implicit_tls:
                    await self._start_tls(client, context)
                await log_in(client, settings, password=password, secret=secret, host=self._host)
                rejected, _ = await client.sendmail(mail.sender, list(mail.recipients), mail.content)
                exchange.status = 250
                if rejected:
                    names = ", ".join(f"{name} ({shown(str(why[1]))})" for name, why in rejected.items())
                    exchange.note = f"refused by the mail server: {names}"
            except aiosmtplib.SMTPRecipientsRefused as exc:
                exchange.status = max(one.code for one in exc.recipients)
                temporary = any(one.code < 500 for one in exc.recipients)
                names = ", ".join(f"{one.recipient} ({one.code} {shown(one.message)})" for one in exc.recipients)
                raise _error(f"no recipient is taken: {names}", permanent=not temporary) from exc
            except aiosmtplib.SMTPResponseException as exc:
                exchange.status = exc.code
                said = f"the mail server answered {exc.code}: {shown(exc.message)}"
                raise _error(said, permanent=exc.code >= 500) from exc
            except (aiosmtplib.SMTPException, OSError, ValueError) as exc:
                raise DeliveryError(f"the mail server at {settings.smarthost} failed: {shown(str(exc))}") from exc
            finally:
                await _quit(client)

        return send

    async def _start_tls(self, client: aiosmtplib.SMTP, context: ssl.SSLContext) -> None:
        await client.ehlo()
        if not client.supports_extension("starttls"):
            said = (
                f"require_tls: true (default), but {self._settings.smarthost} does not advertise the STARTTLS extension"
            )
            raise refused(said)
        await client.starttls(server_hostname=self._tls.server_name or self._host, tls_context=context)

    def _context(self) -> ssl.SSLContext:
        try:
            return self._tls.current() or self._tls.build()
        except FetchError as exc:
            raise DeliveryError(str(exc)) from exc


def _error(problem: str, *, permanent: bool) -> DeliveryError:
    reason = Reason.CLIENT_ERROR if permanent else Reason.SERVER_ERROR
    return DeliveryError(problem, permanent=permanent, reason=reason)


async def _quit(client: aiosmtplib.SMTP) -> None:
    """End the connection politely, if the server takes part in that."""
    try:
        async with asyncio.timeout(_QUIT_S):
            if client.is_connected:
                await client.quit()
    except (aiosmtplib.SMTPException, OSError, TimeoutError):
        pass
    finally:
        client.close()
