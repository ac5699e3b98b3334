"""Slack, by a webhook (`api_url`) or as a bot (`app_token`)."""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from vedette.alerting.receivers.kind import HttpIntegration, needed
from vedette.alerting.settings.fields import AlertingUrl, GoDuration, SecretUrl, Template
from vedette.alerting.settings.shared import SLACK_POST_MESSAGE, GlobalSettings, either_problems
from vedette.config.fields import FileName, Flag, SecretOption
from vedette.config.http_client import Authorization
from vedette.config.secrets import Secret
from vedette.config.settings import Problem, Settings
from vedette.model.durations import Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackConfirmation(Settings):
    """A question before a button acts."""

    text: Template = ""
    """The question. Required."""
    title: Template = ""
    """Its title."""
    ok_text: Template = ""
    """Text of the button that acts."""
    dismiss_text: Template = ""
    """Text of the button that does not."""

    def problems(self) -> Iterable[Problem]:
        """A question."""
        yield from needed(self, "missing text in Slack confirmation configuration", "text")


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackAction(Settings):
    """A button."""

    type: Template = ""
    """`button`. Required."""
    text: Template = ""
    """Its text. Required."""
    url: Template = ""
    """Where it leads; either this or `name`."""
    style: Template = ""
    """default, primary or danger."""
    name: Template = ""
    """What the app is told."""
    value: Template = ""
    """Likewise."""
    confirm: SlackConfirmation | None = None
    """A question before it acts."""

    def problems(self) -> Iterable[Problem]:
        """What it is, what it says and what it does."""
        yield from needed(self, "missing name or url in Slack action configuration", "url", "name")
        yield from needed(self, "missing type in Slack action configuration", "type")
        yield from needed(self, "missing text in Slack action configuration", "text")


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackField(Settings):
    """A fact with its title."""

    title: Template = ""
    """Title. Required."""
    value: Template = ""
    """Fact. Required."""
    short: Flag | None = None
    """Beside others in one line."""

    def problems(self) -> Iterable[Problem]:
        """Both parts."""
        yield from needed(self, "missing title in Slack field configuration", "title")
        yield from needed(self, "missing value in Slack field configuration", "value")


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackSettings(HttpIntegration):
    """A channel of Slack."""

    kind: ClassVar[str] = "slack"

    send_resolved: Flag = False
    """Tell when alerts have ended, too."""
    api_url: SecretUrl = Secret()
    """Webhook."""
    api_url_file: FileName = ""
    """File with the webhook."""
    app_token: SecretOption = Secret()
    """Bot token."""
    app_token_file: FileName = ""
    """File with the bot token."""
    app_url: AlertingUrl = ""
    """Where the bot token is used."""
    channel: Template = ""
    """Channel or user: #alerts, @name."""
    username: Template = '{{ template "slack.default.username" . }}'
    """Name of the sender."""
    color: Template = '{{ template "slack.default.color" . }}'
    """Colour: good, warning, danger or #rrggbb."""
    title: Template = '{{ template "slack.default.title" . }}'
    """Title."""
    title_link: Template = '{{ template "slack.default.titlelink" . }}'
    """Where the title leads."""
    pretext: Template = '{{ template "slack.default.pretext" . }}'
    """Text above."""
    text: Template = '{{ template "slack.default.text" . }}'
    """Text."""
    message_text: Template = ""
    """Text of the message itself, outside of the attachment."""
    fields: tuple[SlackField, ...] = ()
    """Facts."""
    short_fields: Flag = False
    """Facts beside each other."""
    footer: Template = '{{ template "slack.default.footer" . }}'
    """Text below."""
    fallback: Template = '{{ template "slack.default.fallback" . }}'
    """Text for clients that show no more."""
    callback_id: Template = '{{ template "slack.default.callbackid" . }}'
    """Id for the app."""
    icon_emoji: Template = '{{ template "slack.default.iconemoji" . }}'
    """Icon of the sender as emoji."""
    icon_url: Template = '{{ template "slack.default.iconurl" . }}'
    """Icon of the sender."""
    image_url: Template = ""
    """Image."""
    thumb_url: Template = ""
    """Small image."""
    link_names: Flag = False
    """Make links of @names and #channels."""
    mrkdwn_in: tuple[str, ...] = ()
    """Parts in which Slack's mark-up counts."""
    actions: tuple[SlackAction, ...] = ()
    """Buttons."""
    update_message: Flag = False
    """Change the message of a group instead of sending another one; for bots."""
    post_updates_to_thread: Flag = False
    """Post what changes in the thread of a group's first message; for bots."""
    timeout: GoDuration = Duration(0)
    """How long a request may take; 0 for as long as the notification may."""

    def problems(self) -> Iterable[Problem]:
        """A webhook or a bot, not both; bots only can change messages."""
        yield from either_problems(self, ("api_url", "api_url_file"), ("app_token", "app_token_file"))
        webhook = bool(self.api_url or self.api_url_file)
        if webhook and (self.app_token or self.app_token_file):
            text = "at most one of api_url/api_url_file & app_token/app_token_file must be configured"
            yield Problem(("app_token" if self.app_token else "app_token_file",), text, "Remove one.")

    def taken(self, shared: GlobalSettings) -> dict[str, Any]:
        """Webhook or bot token; a bot token becomes the request's authorization."""
        http = self.http_config or shared.http_config
        app_url = self.app_url or shared.slack_app_url
        token, token_file = self.app_token, self.app_token_file
        own_login = self.http_config is not None and self.http_config.authorization is not None
        if not (token or token_file or own_login or self.api_url):
            token, token_file = shared.slack_app_token, shared.slack_app_token_file
        url, url_file = self.api_url, self.api_url_file
        if not (url or url_file):
            url, url_file = shared.slack_api_url, shared.slack_api_url_file
        if token or token_file:
            url = Secret(app_url)
            if not http.authorization:
                login = Authorization(credentials=token, credentials_file=token_file)
                http = dataclasses.replace(http, authorization=login)
        return {
            "http_config": http,
            "app_url": app_url,
            "app_token": token,
            "app_token_file": token_file,
            "api_url": url,
            "api_url_file": url_file,
        }

    def filled_problems(self) -> Iterable[Problem]:
        """A webhook or a bot token."""
        remedy = "Add `api_url` or `app_token` here, or `slack_api_url` or `slack_app_token` in `global`."
        text = "no Slack API URL nor App token set either inline or in a file"
        yield from needed(self, text, "api_url", "api_url_file", "app_token", "app_token_file", remedy=remedy)
        login = self.http_config.authorization if self.http_config is not None else None
        ours = Authorization(credentials=self.app_token, credentials_file=self.app_token_file)
        if (self.app_token or self.app_token_file) and login != ours:
            text = "http authorization can't be set when using Slack App tokens"
            yield Problem(("http_config",), text, "Remove `authorization` from the HTTP settings, or the token.")
        for name in ("update_message", "post_updates_to_thread"):
            bot = self.app_token or self.app_token_file or self.api_url.value == SLACK_POST_MESSAGE
            if getattr(self, name) and not bot:
                text = f"{name} can only be used with bot tokens. api_url must be set to {SLACK_POST_MESSAGE}"
                yield Problem((name,), text, "Use `app_token` instead of the webhook.")
