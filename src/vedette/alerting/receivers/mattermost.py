"""Mattermost."""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from vedette.alerting.receivers.kind import HttpIntegration, needed, pair
from vedette.alerting.settings.fields import SecretUrl, Template
from vedette.alerting.settings.shared import GlobalSettings, either_problems
from vedette.config.fields import FileName, Flag
from vedette.config.secrets import Secret
from vedette.config.settings import Problem, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class MattermostField(Settings):
    """A fact with its title."""

    title: Template = ""
    """Title. Required."""
    value: Template = ""
    """Fact. Required."""
    short: Flag | None = None
    """Beside others in one line."""

    def problems(self) -> Iterable[Problem]:
        """Both parts."""
        yield from needed(self, "missing title in Mattermost field configuration", "title")
        yield from needed(self, "missing value in Mattermost field configuration", "value")


@dataclass(frozen=True, slots=True, kw_only=True)
class MattermostAttachment(Settings):
    """A part of a message with a frame of its own."""

    fallback: Template = ""
    """Text for clients that show no more."""
    color: Template = ""
    """Colour."""
    pretext: Template = ""
    """Text above."""
    text: Template = ""
    """Text."""
    author_name: Template = ""
    """Who says it."""
    author_link: Template = ""
    """Where the author's name leads."""
    author_icon: Template = ""
    """The author's icon."""
    title: Template = ""
    """Title."""
    title_link: Template = ""
    """Where the title leads."""
    fields: tuple[MattermostField, ...] = ()
    """Facts."""
    thumb_url: Template = ""
    """Small image."""
    footer: Template = ""
    """Text below."""
    footer_icon: Template = ""
    """Icon below."""
    image_url: Template = ""
    """Image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MattermostProps(Settings):
    """Properties of the message."""

    card: Template = ""
    """Text for the side bar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MattermostPriority(Settings):
    """How urgent the message is."""

    priority: Template = ""
    """important, urgent or standard."""
    requested_ack: Flag = False
    """Ask to acknowledge it."""
    persistent_notifications: Flag = False
    """Notify again until it is acknowledged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MattermostSettings(HttpIntegration):
    """A channel of Mattermost."""

    kind: ClassVar[str] = "mattermost"

    webhook_url: SecretUrl = Secret()
    """Webhook."""
    webhook_url_file: FileName = ""
    """File with the webhook."""
    channel: Template = ""
    """Channel or @user."""
    username: Template = '{{ template "mattermost.default.username" . }}'
    """Name of the sender."""
    text: Template = '{{ template "mattermost.default.text" . }}'
    """Text."""
    fallback: Template = '{{ template "mattermost.default.fallback" . }}'
    """Text for clients that show no more."""
    color: Template = '{{ template "mattermost.default.color" . }}'
    """Colour."""
    pretext: Template = ""
    """Text above."""
    author_name: Template = ""
    """Who says it."""
    author_link: Template = ""
    """Where the author's name leads."""
    author_icon: Template = ""
    """The author's icon."""
    title: Template = '{{ template "mattermost.default.title" . }}'
    """Title."""
    title_link: Template = '{{ template "mattermost.default.titlelink" . }}'
    """Where the title leads."""
    fields: tuple[MattermostField, ...] = ()
    """Facts."""
    thumb_url: Template = ""
    """Small image."""
    footer: Template = ""
    """Text below."""
    footer_icon: Template = ""
    """Icon below."""
    image_url: Template = ""
    """Image."""
    icon_url: Template = ""
    """Icon of the sender."""
    icon_emoji: Template = ""
    """Icon of the sender as emoji."""
    attachments: tuple[MattermostAttachment, ...] = ()
    """Parts instead of the one that the options above make."""
    type: Template = ""
    """Type of the post."""
    props: MattermostProps | None = None
    """Properties of the post."""
    priority: MattermostPriority | None = None
    """How urgent it is."""

    def problems(self) -> Iterable[Problem]:
        """The webhook from one source."""
        yield from either_problems(self, ("webhook_url", "webhook_url_file"))

    def taken(self, shared: GlobalSettings) -> dict[str, Any]:
        """The webhook."""
        names = ("webhook_url", "webhook_url_file")
        others = ("mattermost_webhook_url", "mattermost_webhook_url_file")
        return {**HttpIntegration.taken(self, shared), **pair(self, shared, names, others)}

    def filled_problems(self) -> Iterable[Problem]:
        """A webhook."""
        text = "missing webhook_url or webhook_url_file on mattermost_config"
        remedy = "Add `webhook_url` here or `mattermost_webhook_url` in `global`."
        yield from needed(self, text, "webhook_url", "webhook_url_file", remedy=remedy)
