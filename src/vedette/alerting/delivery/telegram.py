"""Telegram: a message to a chat by a bot.

Source: Alertmanager's `notify/telegram`; https://core.telegram.org/bots/api#sendmessage. A text of HTML that is too
long is not cut, since half a tag is refused: people are told what it is about, and that it was too long.
"""

from __future__ import annotations

import html
import re
from typing import Final

import orjson

from vedette.alerting.delivery.attempts import Exchange
from vedette.alerting.delivery.faults import DeliveryError, Verdicts, refused
from vedette.alerting.delivery.http import Request, mapping_of, to_body, without_empty
from vedette.alerting.delivery.message import Message
from vedette.alerting.delivery.sender import Send, Tools
from vedette.alerting.delivery.text import truncate
from vedette.alerting.receivers.telegram import ParseMode, TelegramSettings

_CHARS: Final = 4096
_HTML_BYTES: Final = 1 << 15
_TAG: Final = re.compile(r"<[^>]*>")
_ENTITY: Final = re.compile(r"&(?:lt|gt|amp|quot|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});?")
_SHORT: Final = '{{ template "slack.default.title" . }}'


class TelegramSender:
    """Writes to a chat."""

    def __init__(self, settings: TelegramSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools

    def compose(self, message: Message) -> Send:
        """One message."""
        settings = self._settings
        body = {
            "chat_id": self._chat(),
            "text": telegram_text(settings, message),
            "disable_web_page_preview": "true",
            **without_empty(
                parse_mode=str(settings.parse_mode),
                message_thread_id=str(settings.message_thread_id or ""),
                disable_notification="true" if settings.disable_notifications else "",
            ),
        }
        token = self._tools.secrets.read("bot_token")
        request = Request(f"{settings.api_url.rstrip('/')}/bot{token}/sendMessage", to_body(body))

        async def send(exchange: Exchange) -> None:
            try:
                answer = await self._tools.http.send(request, exchange, verdicts=_VERDICTS, answered=True)
            except DeliveryError as exc:
                raise _patient(exc) from exc
            if mapping_of(answer.json()).get("ok") is not True:
                raise refused(f"Telegram has not taken it: {_explain(answer.status, answer.text)}")

        return send

    def _chat(self) -> str:
        if not self._settings.chat_id_file:
            return str(self._settings.chat_id)
        text = self._tools.secrets.read("chat_id")
        if not re.fullmatch(r"-?[0-9]{1,19}", text):
            raise refused("chat_id_file does not hold the number of a chat")
        return text


def telegram_text(settings: TelegramSettings, message: Message) -> str:
    """What is written.

    Raises:
        DeliveryError: a template fails.
    """
    if settings.parse_mode is not ParseMode.HTML:
        return truncate(message.text(settings.message), _CHARS)
    text = message.html(settings.message)
    seen = _ENTITY.sub("x", _TAG.sub("", text))
    if len(text.encode("utf-8", "replace")) <= _HTML_BYTES and len(seen) <= _CHARS:
        return text
    short = html.escape(truncate(message.text(_SHORT), 3000), quote=False)
    return f"{short}\n\nThe text of this notification is longer than Telegram allows."


def _explain(_: int, text: str) -> str:
    try:
        return str(mapping_of(orjson.loads(text)).get("description") or text)
    except orjson.JSONDecodeError:
        return text


def _patient(error: DeliveryError) -> DeliveryError:
    """Telegram says in its text how long to wait."""
    found = re.search(r"retry after ([0-9]{1,5})", error.problem)
    if found is None or error.permanent:
        return error
    return DeliveryError(error.problem, reason=error.reason, retry_after_s=float(found[1]))


_VERDICTS: Final = Verdicts(explain=_explain)
