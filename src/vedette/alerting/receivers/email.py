"""E-mail by SMTP."""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import Field

from vedette.alerting.receivers.kind import Integration, first, needed, pair
from vedette.alerting.settings.fields import HostPort, HtmlTemplate, Template, Templates
from vedette.alerting.settings.shared import GlobalSettings, either_problems
from vedette.config.fields import FileName, Flag, SecretOption, choice
from vedette.config.http_client import TlsConfig
from vedette.config.secrets import Secret
from vedette.config.settings import Problem, Settings


class ThreadBy(StrEnum):
    """What starts a new thread."""

    UNSET = ""
    NONE = "none"
    DAILY = "daily"


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadingSettings(Settings):
    """Messages of one group as one thread of the mail reader."""

    enabled: Flag = False
    """Thread them."""
    thread_by_date: Annotated[ThreadBy, choice(ThreadBy)] = ThreadBy.UNSET
    """`daily` for a new thread each day, or `none`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailSettings(Integration):
    """Addresses that get alerts by e-mail."""

    kind: ClassVar[str] = "email"

    send_resolved: Flag = False
    """Tell when alerts have ended, too."""
    to: Template = ""
    """Addresses, separated by commas. Required."""
    from_: Annotated[Template, Field(alias="from")] = ""
    """Sender."""
    hello: str = ""
    """How to introduce oneself to the mail server."""
    smarthost: HostPort = ""
    """Mail server, host:port."""
    auth_username: str = ""
    """User at the mail server."""
    auth_password: SecretOption = Secret()
    """Password (LOGIN and PLAIN)."""
    auth_password_file: FileName = ""
    """File with the password."""
    auth_secret: SecretOption = Secret()
    """Secret (CRAM-MD5)."""
    auth_secret_file: FileName = ""
    """File with the secret."""
    auth_identity: str = ""
    """Identity (PLAIN)."""
    headers: Templates = ()
    """Further headers; they replace those of the same name."""
    html: HtmlTemplate = '{{ template "email.default.html" . }}'
    """Body as HTML; none where it is empty."""
    text: Template = ""
    """Body as plain text; none where it is empty."""
    require_tls: Flag | None = None
    """Send nothing before STARTTLS."""
    tls_config: TlsConfig | None = None
    """TLS."""
    force_implicit_tls: Flag | None = None
    """TLS from the first byte; without it, on port 465 only."""
    threading: ThreadingSettings = ThreadingSettings()
    """Messages of one group as one thread."""

    def problems(self) -> Iterable[Problem]:
        """An address, each header once, and threads that nothing else makes."""
        yield from needed(self, "missing to address in email config", "to")
        yield from either_problems(self, ("auth_password", "auth_password_file"), ("auth_secret", "auth_secret_file"))
        seen: set[str] = set()
        for name, _ in self.headers:
            if name.title() in seen:
                text = f'duplicate header "{name.title()}" in email config'
                yield Problem(("headers", name), text, "Remove one; upper and lower case are the same.")
            seen.add(name.title())
        if self.threading.enabled:
            for name, _ in self.headers:
                if name.title() in ("References", "In-Reply-To"):
                    text = f"conflicting configuration: threading.enabled conflicts with custom {name.title()} header"
                    yield Problem(("headers", name), text, "Remove the header, or turn threading off.")
            if self.threading.thread_by_date is ThreadBy.UNSET:
                text = "threading.thread_by_date must be either 'none' or 'daily'"
                yield Problem(("threading",), text, "Add `thread_by_date`.")

    def taken(self, shared: GlobalSettings) -> dict[str, Any]:
        """The mail server."""
        return {
            **first(
                self,
                shared,
                smarthost="smtp_smarthost",
                from_="smtp_from",
                hello="smtp_hello",
                auth_username="smtp_auth_username",
                auth_identity="smtp_auth_identity",
                tls_config="smtp_tls_config",
            ),
            **pair(
                self,
                shared,
                ("auth_password", "auth_password_file"),
                ("smtp_auth_password", "smtp_auth_password_file"),
            ),
            **pair(
                self,
                shared,
                ("auth_secret", "auth_secret_file"),
                ("smtp_auth_secret", "smtp_auth_secret_file"),
            ),
            "require_tls": shared.smtp_require_tls if self.require_tls is None else self.require_tls,
            "force_implicit_tls": (
                shared.smtp_force_implicit_tls if self.force_implicit_tls is None else self.force_implicit_tls
            ),
        }

    def filled_problems(self) -> Iterable[Problem]:
        """A mail server and a sender."""
        smarthost = "Add `smarthost` here or `smtp_smarthost` in `global`."
        yield from needed(self, "no global SMTP smarthost set", "smarthost", remedy=smarthost)
        sender = "Add `from` here or `smtp_from` in `global`."
        yield from needed(self, "no global SMTP from set", "from_", remedy=sender)
