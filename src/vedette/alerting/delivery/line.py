"""An integration ready to send: its sender, its connections and its secrets, for as long as anybody uses them."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator
from contextlib import contextmanager

from vedette.alerting.delivery.http import HttpPort
from vedette.alerting.delivery.kinds import SENDERS
from vedette.alerting.delivery.memory import Memory
from vedette.alerting.delivery.redaction import Redactor, Secrets
from vedette.alerting.delivery.sender import ClosingSender, Sender, Tools
from vedette.alerting.receivers import HttpIntegration, Integration
from vedette.collect.http_client import Fetcher
from vedette.config.delivery import DeliverySettings
from vedette.config.http_client import HttpClient
from vedette.model.clock import Clock
from vedette.model.durations import Duration


class Line:
    """One integration as its settings are now. Build and close it within an event loop.

    Attributes:
        settings: what is said of it.
        sender: tells it.
        redactor: knows its secrets.
        timeout_s: how long an attempt may take.
    """

    def __init__(
        self,
        settings: Integration,
        *,
        limits: DeliverySettings,
        memory: Memory,
        clock: Clock,
    ) -> None:
        """Prepare; nothing is opened before the first message.

        Raises:
            ValueError: its HTTP options cannot be used.
        """
        self.settings = settings
        self.redactor = Redactor(settings)
        own: Duration = getattr(settings, "timeout", Duration(0))
        self.timeout_s = own.s if own.ms > 0 else limits.attempt_timeout.s
        self._fetcher = Fetcher(_http_options(settings))
        tools = Tools(
            http=HttpPort(self._fetcher, clock, answer_bytes=limits.answer_size.bytes),
            secrets=Secrets(settings, self.redactor),
            memory=memory,
            clock=clock,
        )
        self.sender: Sender = SENDERS[settings.kind](settings, tools)
        self._users = 0
        self._retired = False
        self._closed = False

    @contextmanager
    def in_use(self) -> Generator[None]:
        """Keep it open within the block, even if it is retired meanwhile."""
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1

    async def retire(self) -> None:
        """Close it as soon as nobody uses it: now, or by `close_if_idle`."""
        self._retired = True
        await self.close_if_idle()

    async def close_if_idle(self) -> None:
        """Close it if it is retired and nobody uses it."""
        if self._retired and not self._users and not self._closed:
            self._closed = True
            if isinstance(self.sender, ClosingSender):
                self.sender.close()
            await self._fetcher.close()


def _http_options(settings: Integration) -> HttpClient:
    options = settings.http_config if isinstance(settings, HttpIntegration) else None
    # HTTP/2 is not offered anyway, and notifications follow no redirects: a POST would lose its body on the way.
    return dataclasses.replace(options or HttpClient(), follow_redirects=False)
