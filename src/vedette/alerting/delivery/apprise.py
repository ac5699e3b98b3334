"""Apprise: any of the services that the library of this name reaches, by its URLs.

The library waits for its connections itself, so it works in threads of its own; an attempt that takes too long is
given up, and its thread ends when the library's own time-outs let it.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from vedette.alerting.delivery.attempts import Exchange
from vedette.alerting.delivery.faults import DeliveryError, refused, shown
from vedette.alerting.delivery.message import Message
from vedette.alerting.delivery.sender import Send, Tools
from vedette.alerting.delivery.text import truncate
from vedette.alerting.receivers.apprise import AppriseFormat, AppriseSettings

_THREADS: Final = 2
_TITLE_CHARS: Final = 250


class AppriseSender:
    """Tells a service that Apprise reaches."""

    def __init__(self, settings: AppriseSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="apprise")

    def compose(self, message: Message) -> Send:
        """One message."""
        settings = self._settings
        url = self._tools.secrets.read("url")
        render = message.html if settings.body_format is AppriseFormat.HTML else message.text
        title, body = truncate(message.text(settings.title), _TITLE_CHARS), render(settings.message)
        work = partial(_notify, url, title, body, settings.body_format, firing=message.firing)

        async def send(exchange: Exchange) -> None:
            exchange.sends(body.encode("utf-8", "replace"))
            await asyncio.get_running_loop().run_in_executor(self._threads, work)

        return send

    def close(self) -> None:
        """Wait for nothing: threads that hang end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _notify(url: str, title: str, body: str, body_format: AppriseFormat, *, firing: bool) -> None:
    """Send a message. Takes as long as the service does.

    Raises:
        DeliveryError: the URL is none of Apprise, or the service did not take the message.
    """
    import apprise  # noqa: PLC0415 - half a second, and only for those who use it

    services = apprise.Apprise()
    with apprise.LogCapture(level=logging.WARNING) as said:
        if not services.add(url) or not len(services):
            raise refused("url: Apprise does not know such a URL")
        kind = apprise.NotifyType.FAILURE if firing else apprise.NotifyType.SUCCESS
        if services.notify(body=body or title, title=title, body_format=body_format.value, notify_type=kind):
            return
        why = shown(said.getvalue())
    raise DeliveryError(f"the service did not take it: {why}" if why else "the service did not take it")
