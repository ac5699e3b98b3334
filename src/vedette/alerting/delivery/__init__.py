"""Delivery: what the machine decides is rendered, sent, tried again, and reported."""

from vedette.alerting.delivery.attempts import Attempt, Attempts, LatestAttempts
from vedette.alerting.delivery.courier import Report
from vedette.alerting.delivery.faults import DeliveryError, Reason
from vedette.alerting.delivery.memory import Memory, ProcessMemory
from vedette.alerting.delivery.message import Render
from vedette.alerting.delivery.outbox import (
    Outbox,
    OutboxContext,
    UnknownReceiverError,
    open_outbox,
    outbox_context,
)
from vedette.config.delivery import DeliverySettings

__all__ = [
    "Attempt",
    "Attempts",
    "DeliveryError",
    "DeliverySettings",
    "LatestAttempts",
    "Memory",
    "Outbox",
    "OutboxContext",
    "ProcessMemory",
    "Reason",
    "Render",
    "Report",
    "UnknownReceiverError",
    "open_outbox",
    "outbox_context",
]
