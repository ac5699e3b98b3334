"""Targets in Docker containers: `docker_sd_configs`."""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from vedette.config.discovery.kind import DiscoverySettings
from vedette.config.fields import Flag, Interval, Port, Url
from vedette.config.http_client import HttpClient
from vedette.config.settings import Problem, Settings
from vedette.model.durations import Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerFilter(Settings):
    """Which containers to ask for."""

    name: str = ""
    """Name of the filter, e.g. `label`."""
    values: tuple[str, ...] = ()
    """Accepted values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerDiscovery(HttpClient, DiscoverySettings):
    """One target for each network and port of each container."""

    kind: ClassVar[str] = "docker"

    host: Url = ""
    """The daemon: unix:///var/run/docker.sock, http:// or https://. Required."""
    port: Port = 80
    """Port of containers that publish none."""
    host_networking_host: str = "localhost"
    """Host of containers in the network of the host."""
    match_first_network: Flag = True
    """Take only the first network of a container, by name."""
    filters: tuple[DockerFilter, ...] = ()
    """Filters of Docker's container list."""
    refresh_interval: Interval = Duration(60_000)
    """How often to ask."""

    def problems(self) -> Iterable[Problem]:
        """A host."""
        if not self.host:
            yield Problem(("host",), "host missing", "Add `host: unix:///var/run/docker.sock`.")
        for index, one in enumerate(self.filters):
            if not one.name or not one.values:
                yield Problem(("filters", index), "a filter needs a name and values")
        yield from self.client_problems()
