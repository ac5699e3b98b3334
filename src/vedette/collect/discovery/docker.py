"""Targets in the containers of a Docker daemon: one for each network and TCP port of each container.

Source: Docker Engine API, ContainerList and NetworkList; Prometheus' discovery/moby for what becomes of
containers that share a network or publish no port.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final, TypeVar
from urllib.parse import quote, urlsplit

import orjson
from pydantic import BeforeValidator, ConfigDict, TypeAdapter, ValidationError
from pydantic.alias_generators import to_pascal

from vedette.collect.discovery.answers import fetch_body
from vedette.collect.discovery.groups import ADDRESS, META, Publish, TargetGroup, host_port, label_name
from vedette.collect.discovery.health import Health
from vedette.collect.discovery.refresh import Findings, Pause, refresh_forever
from vedette.collect.http_client import Fetcher, check_options
from vedette.config.discovery import DockerDiscovery
from vedette.config.http_client import HttpClient, TlsConfig
from vedette.model.errors import DecodeError

DOCKER: Final = META + "docker_"
SOURCE: Final = "Docker"

_Item = TypeVar("_Item")
_Texts = Annotated[dict[str, str], BeforeValidator(lambda found: found or {})]


def _or(default: Any) -> BeforeValidator:
    """Go writes null for what is empty."""
    return BeforeValidator(lambda found: default if found is None else found)


@dataclass(frozen=True, slots=True)
class _Answer:
    """JSON objects with Go's names; what is not asked for is ignored."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="ignore", alias_generator=to_pascal)


@dataclass(frozen=True, slots=True)
class _Port(_Answer):
    private_port: int
    public_port: int = 0
    type: str = ""
    i_p: str = ""


@dataclass(frozen=True, slots=True)
class _Endpoint(_Answer):
    i_p_address: str = ""
    network_i_d: str = ""


_Networks = Annotated[dict[str, _Endpoint | None], _or({})]


@dataclass(frozen=True, slots=True)
class _NetworkSettings(_Answer):
    networks: _Networks = field(default_factory=dict[str, _Endpoint | None])


@dataclass(frozen=True, slots=True)
class _HostConfig(_Answer):
    network_mode: str = ""


@dataclass(frozen=True, slots=True)
class _Container(_Answer):
    id: str
    names: Annotated[tuple[str, ...], _or(())] = ()
    labels: _Texts = field(default_factory=dict[str, str])
    ports: Annotated[tuple[_Port, ...], _or(())] = ()
    host_config: Annotated[_HostConfig, _or({})] = field(default_factory=_HostConfig)
    network_settings: Annotated[_NetworkSettings, _or({})] = field(default_factory=_NetworkSettings)


@dataclass(frozen=True, slots=True)
class _Network(_Answer):
    id: str
    name: str = ""
    scope: str = ""
    internal: bool = False
    ingress: bool = False
    labels: _Texts = field(default_factory=dict[str, str])


_CONTAINERS: Final = TypeAdapter(tuple[_Container, ...])
_NETWORKS: Final = TypeAdapter(tuple[_Network, ...])


class DockerDiscoverer:
    """Lists containers and networks at each interval."""

    def __init__(self, settings: DockerDiscovery, health: Health, *, pause: Pause = asyncio.sleep) -> None:
        check_options(settings)
        self._settings = settings
        self._health = health
        self._pause = pause
        self._base, self._socket = _endpoint(settings)

    async def run(self, publish: Publish) -> None:
        """Publish the daemon's containers, until cancelled."""
        # As in Prometheus, the options of HTTP are for daemons that are reached by HTTP.
        options = HttpClient() if self._socket else self._settings
        async with Fetcher(options, unix_socket=self._socket) as fetcher:
            await refresh_forever(
                lambda: self._find(fetcher),
                publish,
                interval_s=self._settings.refresh_interval.s,
                health=self._health,
                what=self._settings.host,
                pause=self._pause,
            )

    async def _find(self, fetcher: Fetcher) -> Findings:
        filters: dict[str, list[str]] = {}
        for one in self._settings.filters:
            filters.setdefault(one.name, []).extend(one.values)
        query = f"?filters={quote(orjson.dumps(filters))}" if filters else ""
        containers = await self._list(fetcher, f"/containers/json{query}", _CONTAINERS)
        networks = await self._list(fetcher, "/networks", _NETWORKS)
        group = docker_group(containers, networks, self._settings)
        return Findings({SOURCE: group})

    async def _list(self, fetcher: Fetcher, path: str, shape: TypeAdapter[tuple[_Item, ...]]) -> tuple[_Item, ...]:
        _, body = await fetch_body(fetcher, self._base + path, timeout_s=self._settings.refresh_interval.s)
        try:
            return await asyncio.to_thread(shape.validate_json, body)
        except ValidationError as exc:
            first = exc.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise DecodeError(f"{path} is not Docker's answer: {place}: {first['msg']}") from exc


def _endpoint(settings: DockerDiscovery) -> tuple[str, str]:
    """The URL before each path, and the socket where it is one."""
    parts = urlsplit(settings.host)
    if parts.scheme == "unix":
        return "http://docker", parts.netloc + parts.path
    scheme = parts.scheme
    if scheme == "tcp":
        scheme = "http" if settings.tls_config == TlsConfig() else "https"
    return f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}", ""


def docker_group(
    containers: tuple[_Container, ...], networks: tuple[_Network, ...], settings: DockerDiscovery
) -> TargetGroup:
    """The targets of some containers."""
    network_labels = {network.id: _network_labels(network) for network in networks}
    by_id = {container.id: container for container in containers}
    targets = [
        target
        for container in containers
        if container.names
        for target in _container_targets(container, by_id, network_labels, settings)
    ]
    return TargetGroup(SOURCE, {}, tuple(targets))


def _container_targets(
    container: _Container,
    by_id: Mapping[str, _Container],
    network_labels: Mapping[str, Mapping[str, str]],
    settings: DockerDiscovery,
) -> Iterator[Mapping[str, str]]:
    common = {
        f"{DOCKER}container_id": container.id,
        f"{DOCKER}container_name": container.names[0],
        f"{DOCKER}container_network_mode": container.host_config.network_mode,
    }
    for name, value in container.labels.items():
        common[f"{DOCKER}container_label_{label_name(name)}"] = value
    endpoints = sorted((name, endpoint) for name, endpoint in _networks_of(container, by_id).items() if endpoint)
    if settings.match_first_network:
        endpoints = endpoints[:1]
    for _, endpoint in endpoints:
        labels = {
            f"{DOCKER}network_ip": endpoint.i_p_address,
            **common,
            **network_labels.get(endpoint.network_i_d, {}),
        }
        ports = [port for port in container.ports if port.type == "tcp"]
        for port in ports:
            public = {
                f"{DOCKER}port_public": str(port.public_port),
                f"{DOCKER}port_public_ip": port.i_p,
            }
            yield {
                **labels,
                f"{DOCKER}port_private": str(port.private_port),
                **(public if port.public_port else {}),
                ADDRESS: host_port(endpoint.i_p_address, port.private_port),
            }
        if not ports:
            # Containers in the host's network never list ports.
            in_host = container.host_config.network_mode == "host"
            address = settings.host_networking_host if in_host else host_port(endpoint.i_p_address, settings.port)
            yield {**labels, ADDRESS: address}


def _networks_of(container: _Container, by_id: Mapping[str, _Container]) -> Mapping[str, _Endpoint | None]:
    """Its networks, or those of the container whose network it shares (`container:<id>`), however far away."""
    seen: set[str] = set()
    while not container.network_settings.networks and container.id not in seen:
        seen.add(container.id)
        mode, _, other = container.host_config.network_mode.partition(":")
        if mode != "container" or other not in by_id:
            break
        container = by_id[other]
    return container.network_settings.networks


def _network_labels(network: _Network) -> Mapping[str, str]:
    labels = {
        f"{DOCKER}network_id": network.id,
        f"{DOCKER}network_name": network.name,
        f"{DOCKER}network_scope": network.scope,
        f"{DOCKER}network_internal": str(network.internal).lower(),
        f"{DOCKER}network_ingress": str(network.ingress).lower(),
    }
    for name, value in network.labels.items():
        labels[f"{DOCKER}network_label_{label_name(name)}"] = value
    return labels
