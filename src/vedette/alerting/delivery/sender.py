"""What a kind of receivers offers for delivery, and what it is given for that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from vedette.alerting.delivery.attempts import Exchange
from vedette.alerting.delivery.http import HttpPort
from vedette.alerting.delivery.memory import Memory
from vedette.alerting.delivery.message import Message
from vedette.alerting.delivery.redaction import Secrets
from vedette.model.clock import Clock

Send = Callable[[Exchange], Awaitable[None]]
"""Sends a message that is composed. Raises `DeliveryError` if it does not arrive."""


@dataclass(frozen=True, slots=True, eq=False)
class Tools:
    """What senders work with.

    Attributes:
        http: sends requests with the integration's credentials, TLS and proxy.
        secrets: reads the integration's secrets.
        memory: remembers what belongs to a group, such as the thread of its messages.
        clock: the time.
    """

    http: HttpPort
    secrets: Secrets
    memory: Memory
    clock: Clock


class Sender(Protocol):
    """Tells one integration."""

    def compose(self, message: Message) -> Send:
        """Render a message. Runs in a worker thread: it may take a while and read files, and sends nothing.

        Raises:
            DeliveryError: it cannot be sent as it is, or a file cannot be read.
        """
        ...


@runtime_checkable
class ClosingSender(Sender, Protocol):
    """A sender that holds something open."""

    def close(self) -> None:
        """Let go of it. Must not wait."""
        ...


BuildSender = Callable[[Any, Tools], Sender]
"""Makes a sender from the settings of its kind."""
