"""The kinds of discovery: one file and one line here each; their settings are in `vedette.config.discovery`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from vedette.collect.discovery.dns import DnsDiscoverer
from vedette.collect.discovery.docker import DockerDiscoverer
from vedette.collect.discovery.file import FileDiscoverer
from vedette.collect.discovery.groups import Discoverer
from vedette.collect.discovery.health import DiscoveryMetrics, Health
from vedette.collect.discovery.http import HttpDiscoverer
from vedette.collect.discovery.kubernetes import KubernetesDiscoverer
from vedette.collect.discovery.static import StaticDiscoverer
from vedette.config.discovery import Discovering

DISCOVERERS: Final[Mapping[str, Callable[[Any, Health], Discoverer]]] = {
    "static": StaticDiscoverer,
    "file": FileDiscoverer,
    "dns": DnsDiscoverer,
    "http": HttpDiscoverer,
    "docker": DockerDiscoverer,
    "kubernetes": KubernetesDiscoverer,
}


def build_discoverers(settings: Discovering, job: str, metrics: DiscoveryMetrics) -> tuple[Sequence[Discoverer], str]:
    """A job's discoverers, and why it is inactive; empty if it is not.

    Args:
        settings: the job.
        job: its name.
        metrics: where its discovery is counted.

    Raises:
        ValueError: options do not make a client.
    """
    discoverers = [
        DISCOVERERS[one.kind](cast("Any", one), metrics.health(one.kind, job, number))
        for number, one in enumerate(settings.discovery)
        if one.supported
    ]
    if settings.active:
        return discoverers, ""
    kinds = ", ".join(f"{kind}_sd_configs" for kind in settings.unsupported)
    return [], f"Vedette does not have {kinds}"
