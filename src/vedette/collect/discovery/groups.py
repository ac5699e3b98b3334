"""What discovery finds: groups of targets with labels, as in Prometheus."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

ADDRESS: Final = "__address__"
META: Final = "__meta_"

_UNFIT = re.compile(r"[^a-zA-Z0-9_]")


@dataclass(frozen=True, slots=True)
class TargetGroup:
    """Targets that were found together.

    Attributes:
        source: names the group within its discoverer; a later group of this name takes its place.
        labels: labels of all its targets.
        targets: each target's own labels, `__address__` among them. None: the group is gone.
    """

    source: str
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    targets: tuple[Mapping[str, str], ...] = ()


Publish = Callable[[Sequence[TargetGroup]], None]
"""Takes groups that are new, have changed or are gone. Called from the event loop; does not block."""


class Discoverer(Protocol):
    """Finds targets in one way."""

    async def run(self, publish: Publish) -> None:
        """Publish groups as they change, until cancelled or until they cannot change any more.

        What fails is logged, counted and tried again; the groups published last stay in force.
        """
        ...


def label_name(text: str) -> str:
    """A text as part of a label's name: what is not a letter, a digit or `_` becomes `_`."""
    return _UNFIT.sub("_", text)


def host_port(host: str, port: int | str) -> str:
    """`host:port`, an IPv6 address in brackets."""
    try:
        bracketed = ":" in host and ipaddress.ip_address(host.partition("%")[0]).version == 6
    except ValueError:
        bracketed = False
    return f"[{host}]:{port}" if bracketed else f"{host}:{port}"
