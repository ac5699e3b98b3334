"""Mails as bytes: headers from templates, a plain text and one of HTML.

Source: Alertmanager's `notify/email`; RFC 5322, RFC 2046.
"""

from __future__ import annotations

import email.charset
import email.policy
import email.utils
from dataclasses import dataclass
from datetime import UTC, datetime
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from typing import Final

from vedette.alerting.delivery.faults import DeliveryError, refused
from vedette.alerting.delivery.message import Message
from vedette.alerting.receivers.email import EmailSettings, ThreadBy

_DEFAULT_SUBJECT: Final = '{{ template "email.default.subject" . }}'
_MOST_RECIPIENTS: Final = 1000


@dataclass(frozen=True, slots=True)
class ComposedMail:
    """A mail that is ready.

    Attributes:
        sender: the address from which it comes.
        recipients: those to which it goes.
        content: headers and body.
    """

    sender: str
    recipients: tuple[str, ...]
    content: bytes


def compose_mail(settings: EmailSettings, message: Message) -> ComposedMail:
    """A mail that tells a message.

    Raises:
        DeliveryError: a template fails, or gives something else than addresses.
    """
    senders = _addresses(message.text(settings.from_), "from")
    if len(senders) != 1:
        raise refused("must be exactly one from address")
    recipients = _addresses(message.text(settings.to), "to")
    if len(recipients) > _MOST_RECIPIENTS:
        raise refused(f"more than {_MOST_RECIPIENTS} recipients")
    mail = MIMEMultipart("alternative", policy=email.policy.SMTP)
    for name, value in _headers(settings, message).items():
        mail[name] = _flat(value)
    for kind, text in (("plain", _plain(settings, message)), ("html", message.html(settings.html))):
        if text:
            mail.attach(_part(kind, text))
    return ComposedMail(senders[0], recipients, mail.as_bytes())


def _plain(settings: EmailSettings, message: Message) -> str:
    return message.text(settings.text) if settings.text else ""


def _headers(settings: EmailSettings, message: Message) -> dict[str, str]:
    """By name: those that are configured, and the usual ones of the rest."""
    host = settings.hello or "localhost"
    templates = {"Subject": _DEFAULT_SUBJECT, "To": settings.to, "From": settings.from_}
    templates |= {name.title(): template for name, template in settings.headers}
    headers = {name: message.text(template) for name, template in templates.items()}
    headers.setdefault("Message-Id", f"<{message.notify.id or message.now_ms}.{message.key[:16]}@{host}>")
    if settings.threading.enabled:
        day = f"{datetime.fromtimestamp(message.now_ms / 1000, UTC):%Y-%m-%d}"
        by_day = settings.threading.thread_by_date is not ThreadBy.NONE
        # A mail that there is not: readers put all that refer to it in one thread.
        root = f"<alert-{message.key[:16]}-{day if by_day else ''}@alertmanager>"
        headers["References"] = headers["In-Reply-To"] = root
    headers["Date"] = email.utils.format_datetime(datetime.fromtimestamp(message.now_ms // 1000, UTC))
    return headers


def _flat(value: str) -> str:
    """A header's value. What templates give must not begin another header."""
    flat = " ".join(value.splitlines()).strip()
    return "".join(char for char in flat if char >= " " or char == "\t")


def _part(kind: str, text: str) -> MIMENonMultipart:
    charset = email.charset.Charset("utf-8")
    charset.body_encoding = email.charset.QP
    part = MIMENonMultipart("text", kind, charset="UTF-8")
    part.set_payload(text.encode("utf-8", "replace").decode(), charset=charset)
    return part


def _addresses(text: str, what: str) -> tuple[str, ...]:
    """The addresses in a list of them.

    Raises:
        DeliveryError: there is none, or something that is none.
    """
    found = [address for _, address in email.utils.getaddresses([text])]
    bad = [one for one in found if "@" not in one or any(char.isspace() or char in '<>"' for char in one)]
    if not found or bad:
        raise DeliveryError(f"parsing {what} addresses: {text.strip()[:200]!r} is no list of addresses", permanent=True)
    return tuple(found)
