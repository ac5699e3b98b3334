"""Apprise: any of the hundred services that Apprise can reach, by its URLs.

Vedette's own; Alertmanager has no such receiver. https://github.com/caronc/apprise/wiki lists the URLs.
"""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from vedette.alerting.receivers.kind import Integration, needed
from vedette.alerting.settings.fields import Template
from vedette.alerting.settings.shared import either_problems
from vedette.config.fields import FileName, SecretOption, choice
from vedette.config.secrets import Secret
from vedette.config.settings import Problem

_URL: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://\S+")


class AppriseFormat(StrEnum):
    """Mark-up of the message."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppriseSettings(Integration):
    """A service that Apprise reaches."""

    kind: ClassVar[str] = "apprise"

    url: SecretOption = Secret()
    """Apprise's URL of the service, e.g. ntfy://topic. This or `url_file` is required."""
    url_file: FileName = ""
    """File with the URL."""
    title: Template = '{{ template "slack.default.title" . }}'
    """Title."""
    message: Template = '{{ template "telegram.default.message" . }}'
    """Text."""
    body_format: Annotated[AppriseFormat, choice(AppriseFormat)] = AppriseFormat.HTML
    """Mark-up of the text: text, markdown or html."""

    def problems(self) -> Iterable[Problem]:
        """One URL."""
        yield from needed(self, "one of url or url_file must be configured", "url", "url_file")
        yield from either_problems(self, ("url", "url_file"))
        if self.url and _URL.fullmatch(self.url.value) is None:
            yield Problem(("url",), "not a URL of Apprise", "Write it like service://host/path.")
