"""What an integration remembers of a group from message to message, such as the thread that it answers in."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final, Protocol

from vedette.alerting.notification_log import Address

_MOST_GROUPS: Final = 100_000


class Memory(Protocol):
    """Keeps texts for each integration and group. What is lost costs a new thread of messages, nothing else."""

    def recall(self, address: Address, group_key: str) -> Mapping[str, str]:
        """What was kept; nothing if nothing was. Called from worker threads."""
        ...

    def keep(self, address: Address, group_key: str, facts: Mapping[str, str]) -> None:
        """Keep texts instead of those before; forget the group where there are none."""
        ...


class ProcessMemory:
    """Keeps them until the process ends, and the latest ones only."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Address, str], Mapping[str, str]] = OrderedDict()

    def recall(self, address: Address, group_key: str) -> Mapping[str, str]:
        """What was kept."""
        return self._kept.get((address, group_key), {})

    def keep(self, address: Address, group_key: str, facts: Mapping[str, str]) -> None:
        """Keep texts."""
        self._kept.pop((address, group_key), None)
        if facts:
            self._kept[address, group_key] = dict(facts)
        while len(self._kept) > _MOST_GROUPS:
            self._kept.popitem(last=False)
