"""Slack: an attachment per message, by a webhook or as a bot.

A bot may change a group's first message (`update_message`) and post what changes in its thread
(`post_updates_to_thread`). The thread is that of the group's present round of trouble: the first message after
everything had ended starts a new one.

Source: Alertmanager's `notify/slack`.
"""

from __future__ import annotations

from typing import Any, Final

from vedette.alerting.delivery.attempts import Exchange
from vedette.alerting.delivery.faults import DeliveryError, Reason, refused, shown
from vedette.alerting.delivery.http import Answer, Request, mapping_of, to_body, without_empty
from vedette.alerting.delivery.listing import text_or_listing
from vedette.alerting.delivery.message import Message
from vedette.alerting.delivery.sender import Send, Tools
from vedette.alerting.delivery.text import truncate
from vedette.alerting.notification_log import Reason as Why
from vedette.alerting.receivers.slack import SlackAction, SlackSettings

_TITLE_CHARS: Final = 1024
_MARKDOWN_IN: Final = ["fallback", "pretext", "text"]
_POST: Final = "chat.postMessage"
_UPDATE: Final = "chat.update"


class SlackSender:
    """Posts to a channel."""

    def __init__(self, settings: SlackSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools

    def compose(self, message: Message) -> Send:
        """One request, or more where messages are changed and answered."""
        settings, notify = self._settings, message.notify
        url = self._tools.secrets.read("api_url")
        content = slack_message(settings, message)
        channel = message.text(settings.channel)
        keeps = settings.update_message or settings.post_updates_to_thread
        begins = notify.reason in (None, Why.FIRST)
        thread = room = ""
        if keeps and not begins:
            facts = self._tools.memory.recall(notify.address, notify.group_key)
            thread, room = facts.get("ts", ""), facts.get("channel", "")

        async def begin(exchange: Exchange) -> None:
            answer = await self._post(url, {"channel": channel, **content} if channel else content, exchange, channel)
            ts, posted_in = str(answer.get("ts") or ""), str(answer.get("channel") or "")
            if not keeps or not ts or not posted_in:
                return
            self._tools.memory.keep(notify.address, notify.group_key, {"ts": ts, "channel": posted_in})
            if settings.update_message and settings.post_updates_to_thread:
                # Later messages replace this one; the thread keeps how it began.
                await self._post(url, {"channel": posted_in, "thread_ts": ts, **content}, exchange, channel)

        async def go_on(exchange: Exchange) -> None:
            if settings.update_message:
                changed = {"channel": room, "ts": thread, **content}
                await self._post(url.replace(_POST, _UPDATE), changed, exchange, channel)
            if settings.post_updates_to_thread:
                await self._post(url, {"channel": room, "thread_ts": thread, **content}, exchange, channel)

        return go_on if thread and room else begin

    async def _post(self, url: str, body: dict[str, Any], exchange: Exchange, channel: str) -> dict[str, Any]:
        try:
            answer = await self._tools.http.send(Request(url, to_body(body)), exchange, answered=True)
            return _taken(answer)
        except DeliveryError as exc:
            where = f'channel "{channel}": ' if channel else ""
            problem, after = where + exc.problem, exc.retry_after_s
            raise DeliveryError(problem, permanent=exc.permanent, reason=exc.reason, retry_after_s=after) from exc


def slack_message(settings: SlackSettings, message: Message) -> dict[str, Any]:
    """What is posted, without its channel.

    Raises:
        DeliveryError: a template fails.
    """
    text = message.text
    attachment = {
        **without_empty(
            title=truncate(text(settings.title), _TITLE_CHARS),
            title_link=text(settings.title_link),
            pretext=text(settings.pretext),
        ),
        "text": text_or_listing(message, settings.text),
        "fallback": text(settings.fallback),
        "callback_id": text(settings.callback_id),
        "footer": text(settings.footer),
        **without_empty(
            fields=[
                {
                    "title": text(field.title),
                    "value": text(field.value),
                    "short": settings.short_fields if field.short is None else field.short,
                }
                for field in settings.fields
            ],
            actions=[_action(action, message) for action in settings.actions],
            image_url=text(settings.image_url),
            thumb_url=text(settings.thumb_url),
            color=text(settings.color),
            mrkdwn_in=list(settings.mrkdwn_in) or _MARKDOWN_IN,
        ),
    }
    return {
        **without_empty(
            username=text(settings.username),
            icon_emoji=text(settings.icon_emoji),
            icon_url=text(settings.icon_url),
            link_names=settings.link_names,
            text=text(settings.message_text),
        ),
        "attachments": [attachment],
    }


def _action(action: SlackAction, message: Message) -> dict[str, Any]:
    text = message.text
    found = without_empty(
        type=text(action.type),
        text=text(action.text),
        url=text(action.url),
        style=text(action.style),
        name=text(action.name),
        value=text(action.value),
    )
    if action.confirm is not None:
        found["confirm"] = without_empty(
            text=text(action.confirm.text),
            title=text(action.confirm.title),
            ok_text=text(action.confirm.ok_text),
            dismiss_text=text(action.confirm.dismiss_text),
        )
    return found


def _taken(answer: Answer) -> dict[str, Any]:
    """What Slack says of a message that it has taken. It says 200 to others, too.

    Raises:
        DeliveryError: it has not.
    """
    if not answer.headers.get("Content-Type", "").startswith("application/json"):
        if answer.text.strip() == "ok":
            return {}
        raise refused(f"Slack has not taken it: {shown(answer.text)}")
    said = mapping_of(answer.json())
    if said.get("ok") is True:
        return said
    error = str(said.get("error"))
    if error in ("ratelimited", "rate_limited"):
        raise DeliveryError("Slack has not taken it: too many messages", reason=Reason.RATE_LIMITED)
    raise refused(f"Slack has not taken it: {shown(error)}")
