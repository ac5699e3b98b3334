"""Telegram."""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from vedette.alerting.receivers.kind import HttpIntegration, first, needed, pair
from vedette.alerting.settings.fields import AlertingUrl, GoDuration, Template
from vedette.alerting.settings.shared import GlobalSettings, either_problems
from vedette.config.fields import FileName, Flag, Integer, SecretOption, choice
from vedette.config.secrets import Secret
from vedette.config.settings import Problem
from vedette.model.durations import Duration


class ParseMode(StrEnum):
    """Mark-up of the message."""

    PLAIN = ""
    MARKDOWN = "Markdown"
    MARKDOWN_V2 = "MarkdownV2"
    HTML = "HTML"


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramSettings(HttpIntegration):
    """A chat of Telegram."""

    kind: ClassVar[str] = "telegram"

    api_url: AlertingUrl = ""
    """API."""
    bot_token: SecretOption = Secret()
    """Bot token."""
    bot_token_file: FileName = ""
    """File with the bot token."""
    chat_id: Integer = 0
    """Chat. This or `chat_id_file` is required."""
    chat_id_file: FileName = ""
    """File with the number of the chat."""
    message_thread_id: Integer = 0
    """Topic in the chat."""
    message: Template = '{{ template "telegram.default.message" . }}'
    """Text."""
    disable_notifications: Flag = False
    """Without a sound."""
    parse_mode: Annotated[ParseMode, choice(ParseMode)] = ParseMode.HTML
    """Mark-up: Markdown, MarkdownV2, HTML or empty."""
    timeout: GoDuration = Duration(0)
    """How long a request may take; 0 for as long as the notification may."""

    def problems(self) -> Iterable[Problem]:
        """A chat; the token from one source."""
        yield from either_problems(self, ("bot_token", "bot_token_file"), ("chat_id", "chat_id_file"))
        yield from needed(self, "missing chat_id or chat_id_file on telegram_config", "chat_id", "chat_id_file")

    def taken(self, shared: GlobalSettings) -> dict[str, Any]:
        """Address and token."""
        return {
            **HttpIntegration.taken(self, shared),
            **first(self, shared, api_url="telegram_api_url"),
            **pair(self, shared, ("bot_token", "bot_token_file"), ("telegram_bot_token", "telegram_bot_token_file")),
        }

    def filled_problems(self) -> Iterable[Problem]:
        """A token."""
        remedy = "Add `bot_token` here or `telegram_bot_token` in `global`."
        text = "missing bot_token or bot_token_file on telegram_config"
        yield from needed(self, text, "bot_token", "bot_token_file", remedy=remedy)
