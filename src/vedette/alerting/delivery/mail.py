"""Mails as bytes: headers from templates, a plain text and one of HTML.

Source: Alertmanager's `notify/email`; RFC 5322, RFC 2046.
"""

from __future__ import annotations

import email.charset
import email.policy
import email.utils
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import Header
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from typing import Final

from vedette.alerting.delivery.faults import DeliveryError, refused
from vedette.alerting.delivery.message import Message
from vedette.alerting.receivers.email import EmailSettings, ThreadBy

_DEFAULT_SUBJECT: Final = '{{ template "email.default.subject" . }}'
_MOST_RECIPIENTS: Final = 1000
_ADDRESSES_CHARS: Final = 100_000
_HEADER_CHARS: Final = 100_000
_LONGEST_WORD: Final = 900
"""A line of a mail has at most 998 characters."""

_LINE_END: Final = "\r\n"
_POLICY: Final = email.policy.compat32.clone(linesep=_LINE_END)
_NAME: Final = re.compile(r"[!-9;-~]{1,76}")
_OF_ADDRESSES: Final = frozenset({"To", "From", "Cc", "Bcc", "Reply-To", "Sender"})


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
    mail = MIMEMultipart("alternative")
    for kind, text in (("plain", _plain(settings, message)), ("html", message.html(settings.html))):
        if text:
            mail.attach(_part(kind, text))
    headers = "".join(_line(name, value) for name, value in _headers(settings, message).items())
    return ComposedMail(senders[0], recipients, headers.encode() + mail.as_bytes(policy=_POLICY))


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


def _line(name: str, value: str) -> str:
    """A header, folded. What templates give must not begin another one.

    Written out here: the library's own way refuses, or fails at, much of what people put into addresses.

    Raises:
        DeliveryError: the name is none of a header.
    """
    if not _NAME.fullmatch(name):
        raise refused(f"{name[:100]!r} is not the name of a header")
    flat = " ".join(value.split())
    flat = "".join(char for char in flat if char.isprintable())[:_HEADER_CHARS]
    if not flat.isascii() and name in _OF_ADDRESSES:
        found = email.utils.getaddresses([flat])
        flat = ", ".join(email.utils.formataddr(one) for one in found if one[1].isascii()) or flat
    plain = flat.isascii() and all(len(word) < _LONGEST_WORD for word in flat.split(" "))
    header = Header(flat, charset="us-ascii" if plain else "utf-8", header_name=name)
    return f"{name}: {header.encode(linesep=_LINE_END)}{_LINE_END}"


def _part(kind: str, text: str) -> MIMENonMultipart:
    charset = email.charset.Charset("utf-8")
    charset.body_encoding = email.charset.QP
    part = MIMENonMultipart("text", kind, charset="UTF-8")
    del part["MIME-Version"]
    part.set_payload(text.encode("utf-8", "replace").decode(), charset=charset)
    return part


def _addresses(text: str, what: str) -> tuple[str, ...]:
    """The addresses in a list of them.

    Raises:
        DeliveryError: there is none, or something that is none.
    """
    if len(text) > _ADDRESSES_CHARS:
        raise refused(f"parsing {what} addresses: more than {_ADDRESSES_CHARS:,} characters")
    found = [address for _, address in email.utils.getaddresses([text])]
    bad = [one for one in found if "@" not in one or any(char.isspace() or char in '<>"' for char in one)]
    if not found or bad:
        raise DeliveryError(f"parsing {what} addresses: {text.strip()[:200]!r} is no list of addresses", permanent=True)
    return tuple(found)
