"""Kinds of receivers: their settings, one module each, and the registry that knows them all."""

from vedette.alerting.receivers.kind import DigestSettings, HttpIntegration, Integration
from vedette.alerting.receivers.registry import KINDS, Entry, RateGuardSettings, ReceiverSettings, entry_key

__all__ = [
    "KINDS",
    "DigestSettings",
    "Entry",
    "HttpIntegration",
    "Integration",
    "RateGuardSettings",
    "ReceiverSettings",
    "entry_key",
]
