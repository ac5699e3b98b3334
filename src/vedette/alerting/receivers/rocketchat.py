"""Rocket.Chat."""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from vedette.alerting.receivers.kind import HttpIntegration, first, needed, pair
from vedette.alerting.settings.fields import AlertingUrl, Template
from vedette.alerting.settings.shared import GlobalSettings, either_problems
from vedette.config.fields import FileName, Flag, SecretOption
from vedette.config.secrets import Secret
from vedette.config.settings import Problem, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class RocketchatField(Settings):
    """A fact with its title."""

    title: Template = ""
    """Title."""
    value: Template = ""
    """Fact."""
    short: Flag | None = None
    """Beside others in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RocketchatAction(Settings):
    """A button. Its options are written without underscores, as Alertmanager reads them."""

    type: Template = ""
    """`button`."""
    text: Template = ""
    """Its text."""
    url: Template = ""
    """Where it leads."""
    imageurl: Template = ""
    """Image on it."""
    iswebview: Flag = False
    """Open the address in the chat."""
    webviewheightratio: Template = ""
    """How high: compact, tall or full."""
    msg: Template = ""
    """Text to send."""
    msginchatwindow: Flag = False
    """Send it to the chat."""
    msgprocessingtype: Template = ""
    """sendMessage or respondWithMessage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RocketchatSettings(HttpIntegration):
    """A channel of Rocket.Chat."""

    kind: ClassVar[str] = "rocketchat"

    send_resolved: Flag = False
    """Tell when alerts have ended, too."""
    api_url: AlertingUrl = ""
    """Server."""
    token_id: SecretOption = Secret()
    """Id of the token."""
    token_id_file: FileName = ""
    """File with the id."""
    token: SecretOption = Secret()
    """Token."""
    token_file: FileName = ""
    """File with the token."""
    channel: Template = ""
    """Channel or @user."""
    color: Template = '{{ if eq .Status "firing" }}red{{ else }}green{{ end }}'
    """Colour."""
    title: Template = '{{ template "rocketchat.default.title" . }}'
    """Title."""
    title_link: Template = '{{ template "rocketchat.default.titlelink" . }}'
    """Where the title leads."""
    text: Template = '{{ template "rocketchat.default.text" . }}'
    """Text."""
    fields: tuple[RocketchatField, ...] = ()
    """Facts."""
    short_fields: Flag = False
    """Facts beside each other."""
    emoji: Template = '{{ template "rocketchat.default.emoji" . }}'
    """Icon of the sender as emoji."""
    icon_url: Template = '{{ template "rocketchat.default.iconurl" . }}'
    """Icon of the sender."""
    image_url: Template = ""
    """Image."""
    thumb_url: Template = ""
    """Small image."""
    link_names: Flag = False
    """Make links of names."""
    actions: tuple[RocketchatAction, ...] = ()
    """Buttons."""

    def problems(self) -> Iterable[Problem]:
        """Token and id, each from one source."""
        yield from either_problems(self, ("token", "token_file"), ("token_id", "token_id_file"))

    def taken(self, shared: GlobalSettings) -> dict[str, Any]:
        """Server and token."""
        return {
            **HttpIntegration.taken(self, shared),
            **first(self, shared, api_url="rocketchat_api_url"),
            **pair(self, shared, ("token_id", "token_id_file"), ("rocketchat_token_id", "rocketchat_token_id_file")),
            **pair(self, shared, ("token", "token_file"), ("rocketchat_token", "rocketchat_token_file")),
        }

    def filled_problems(self) -> Iterable[Problem]:
        """A token with its id."""
        text = "no global Rocketchat TokenID set either inline or in a file"
        remedy = "Add `token_id` here or `rocketchat_token_id` in `global`."
        yield from needed(self, text, "token_id", "token_id_file", remedy=remedy)
        text = "no global Rocketchat Token set either inline or in a file"
        remedy = "Add `token` here or `rocketchat_token` in `global`."
        yield from needed(self, text, "token", "token_file", remedy=remedy)
