"""Stands in for delivery where there is none: every message fails, and says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import structlog

from vedette.alerting.records import Notify

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class Report(Protocol):
    """`AlertingService.report`."""

    def __call__(self, message: int, *, error: str = "") -> None:
        """Take note of what became of a message."""
        ...


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A `Deliver` that delivers nothing."""

    report: Report

    def send(self, message: Notify) -> None:
        """Report it as failed."""
        log.error("a notification cannot be delivered", receiver=str(message.address), alerts=len(message.alerts))
        self.report(message.id, error="nothing delivers notifications in this process")
