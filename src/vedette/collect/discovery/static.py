"""Targets that are written down in the configuration."""

from __future__ import annotations

from vedette.collect.discovery.groups import ADDRESS, Publish, TargetGroup
from vedette.collect.discovery.health import Health
from vedette.config.discovery import TargetGroup as StaticTargets


class StaticDiscoverer:
    """Publishes its group once."""

    def __init__(self, settings: StaticTargets, health: Health) -> None:
        self._settings = settings
        self._health = health

    async def run(self, publish: Publish) -> None:
        """Publish the group."""
        self._health.note({})
        publish([written_group(self._settings, "0")])


def written_group(settings: StaticTargets, source: str, **labels: str) -> TargetGroup:
    """The group that some settings describe, with further labels."""
    targets = tuple({ADDRESS: address} for address in settings.targets)
    return TargetGroup(source, {**dict(settings.labels), **labels}, targets)
