"""Targets that are written down: `static_configs`, and the content of target files and HTTP discovery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vedette.config.discovery.kind import DiscoverySettings
from vedette.config.fields import Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroup(DiscoverySettings):
    """Targets that share labels."""

    kind: ClassVar[str] = "static"

    targets: tuple[str, ...] = ()
    """Addresses: `host:port`."""
    labels: Labels = ()
    """Labels of all these targets."""
