"""Targets found by DNS queries: `dns_sd_configs`."""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import BeforeValidator

from vedette.config.discovery.kind import DiscoverySettings
from vedette.config.fields import Interval, Port, choice
from vedette.config.settings import Problem
from vedette.model.durations import Duration


class RecordType(StrEnum):
    """What is asked of the name server."""

    SRV = "SRV"
    A = "A"
    AAAA = "AAAA"
    MX = "MX"
    NS = "NS"


def _upper(found: object) -> object:
    return found.upper() if isinstance(found, str) else found


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsDiscovery(DiscoverySettings):
    """The hosts behind DNS names."""

    kind: ClassVar[str] = "dns"

    names: tuple[str, ...] = ()
    """Names to ask for. Required."""
    type: Annotated[RecordType, choice(RecordType), BeforeValidator(_upper)] = RecordType.SRV
    """Type of the records."""
    port: Port = 0
    """Port of the targets; SRV records bring their own."""
    refresh_interval: Interval = Duration(30_000)
    """How often to ask."""

    def problems(self) -> Iterable[Problem]:
        """Names, and a port where the records bring none."""
        if not self.names:
            yield Problem(("names",), "DNS-SD config must contain at least one record name", "Add `names`.")
        if self.type is not RecordType.SRV and not self.port:
            text = "a port is required in DNS-SD configs for all record types except SRV"
            yield Problem(("type",), text, "Add `port`.")
