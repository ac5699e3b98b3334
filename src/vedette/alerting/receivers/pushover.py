"""Pushover."""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from vedette.alerting.receivers.kind import HttpIntegration, needed
from vedette.alerting.settings.fields import GoDuration, Template
from vedette.alerting.settings.shared import either_problems
from vedette.config.fields import FileName, Flag, SecretOption
from vedette.config.secrets import Secret
from vedette.config.settings import Problem
from vedette.model.durations import Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class PushoverSettings(HttpIntegration):
    """A user or a group of Pushover."""

    kind: ClassVar[str] = "pushover"

    user_key: SecretOption = Secret()
    """Key of the user."""
    user_key_file: FileName = ""
    """File with the key of the user."""
    token: SecretOption = Secret()
    """Token of the application."""
    token_file: FileName = ""
    """File with the token."""
    title: Template = '{{ template "pushover.default.title" . }}'
    """Title."""
    message: Template = '{{ template "pushover.default.message" . }}'
    """Text."""
    url: Template = '{{ template "pushover.default.url" . }}'
    """Link."""
    url_title: Template = ""
    """Title of the link."""
    device: Template = ""
    """Device; all of the user's where it is not set."""
    sound: Template = ""
    """Sound."""
    priority: Template = '{{ if eq .Status "firing" }}2{{ else }}0{{ end }}'
    """Priority, -2 to 2."""
    retry: GoDuration = Duration(60_000)
    """How often a message of priority 2 is repeated."""
    expire: GoDuration = Duration(3_600_000)
    """For how long."""
    ttl: GoDuration = Duration(0)
    """When the message disappears; 0 for never."""
    html: Flag = False
    """The text is HTML."""
    monospace: Flag = False
    """The text is shown in a font of fixed width."""

    def problems(self) -> Iterable[Problem]:
        """User and token, each from one source."""
        yield from needed(self, "one of user_key or user_key_file must be configured", "user_key", "user_key_file")
        yield from needed(self, "one of token or token_file must be configured", "token", "token_file")
        yield from either_problems(self, ("user_key", "user_key_file"), ("token", "token_file"))
        if self.html and self.monospace:
            yield Problem(("monospace",), "at most one of monospace & html must be configured", "Remove one.")
