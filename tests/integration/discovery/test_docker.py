from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web

from vedette.collect.discovery import Health
from vedette.collect.discovery.docker import DockerDiscoverer
from vedette.config.discovery import DockerDiscovery, DockerFilter
from vedette.model.durations import Duration

BRIDGE, BACKEND = "n-bridge", "n-backend"


def container(name: str, mode: str, networks: dict[str, Any], ports: list[dict[str, Any]], **labels: str) -> Any:
    """As Docker's ContainerList answers."""
    return {
        "Id": f"id-{name}",
        "Names": [f"/{name}"],
        "Image": "app:1",
        "State": "running",
        "Labels": labels,
        "Ports": ports,
        "HostConfig": {"NetworkMode": mode},
        "NetworkSettings": {"Networks": networks},
        "Mounts": [],
    }


def endpoint(network: str, address: str) -> dict[str, Any]:
    return {"IPAMConfig": None, "NetworkID": network, "IPAddress": address, "Gateway": ""}


class Daemon:
    """A Docker daemon's two lists."""

    def __init__(self) -> None:
        self.containers: Any = [
            container(
                "web",
                "backend",
                {"bridge": endpoint(BRIDGE, "172.17.0.2"), "backend": endpoint(BACKEND, "172.18.0.2")},
                [
                    {"IP": "0.0.0.0", "PrivatePort": 8000, "PublicPort": 80, "Type": "tcp"},
                    {"PrivatePort": 9000, "Type": "tcp"},
                    {"PrivatePort": 53, "Type": "udp"},
                ],
                **{"com.example/team": "a"},
            ),
            container("db", "bridge", {"bridge": endpoint(BRIDGE, "172.17.0.3")}, []),
            container("agent", "host", {"host": endpoint("n-host", "")}, []),
            container("sidecar", "container:id-web", {}, []),
            container("circle", "container:id-circle", {}, []),
            {"Id": "nameless", "Names": None, "HostConfig": None, "NetworkSettings": None, "Ports": None},
        ]
        self.networks: Any = [
            {"Id": BRIDGE, "Name": "bridge", "Scope": "local", "Internal": False, "Ingress": False, "Labels": None},
            {"Id": BACKEND, "Name": "backend", "Scope": "local", "Internal": True, "Labels": {"a.b": "c"}},
        ]
        self.broken: web.Response | None = None
        self.queries: list[str] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.queries.append(request.query_string)
        if self.broken is not None:
            return self.broken
        return web.json_response(self.containers if request.path == "/containers/json" else self.networks)


def discoverer(host: str, pause: Any, health: Health | None = None, **changes: Any) -> DockerDiscoverer:
    settings = DockerDiscovery(host=host, refresh_interval=Duration(60_000), **changes)
    return DockerDiscoverer(settings, health or Health("docker", "job"), pause=pause)


def by_address(found: Any) -> dict[str, dict[str, str]]:
    return {target["__address__"]: dict(target) for target in found.groups["Docker"].targets}


async def test_containers_are_found_by_a_unix_socket(
    serving: Any, running: Any, found: Any, pause: Any, tmp_path: Path
) -> None:
    socket = tmp_path / "docker.sock"
    async with (
        serving(Daemon().handle, unix_socket=socket),
        running(discoverer(f"unix://{socket}", pause), found),
    ):
        assert await pause.begins() > 59

    assert found.addresses == {"172.18.0.2:8000", "172.18.0.2:9000", "172.17.0.3:80", "localhost", "172.18.0.2:80"}


async def test_a_container_has_its_labels_and_those_of_its_network(
    serving: Any, running: Any, found: Any, pause: Any
) -> None:
    async with serving(Daemon().handle) as url, running(discoverer(url, pause), found):
        await pause.begins()

    targets = by_address(found)
    assert targets["172.18.0.2:8000"] == {
        "__address__": "172.18.0.2:8000",
        "__meta_docker_container_id": "id-web",
        "__meta_docker_container_name": "/web",
        "__meta_docker_container_network_mode": "backend",
        "__meta_docker_container_label_com_example_team": "a",
        "__meta_docker_network_id": BACKEND,
        "__meta_docker_network_ip": "172.18.0.2",
        "__meta_docker_network_name": "backend",
        "__meta_docker_network_scope": "local",
        "__meta_docker_network_internal": "true",
        "__meta_docker_network_ingress": "false",
        "__meta_docker_network_label_a_b": "c",
        "__meta_docker_port_private": "8000",
        "__meta_docker_port_public": "80",
        "__meta_docker_port_public_ip": "0.0.0.0",
    }
    assert "__meta_docker_port_public" not in targets["172.18.0.2:9000"]
    assert "__meta_docker_port_private" not in targets["172.17.0.3:80"]
    assert targets["172.18.0.2:80"]["__meta_docker_container_name"] == "/sidecar"


async def test_options_choose_ports_hosts_networks_and_filters(
    serving: Any, running: Any, found: Any, pause: Any
) -> None:
    daemon = Daemon()
    filters = (
        DockerFilter(name="label", values=("a=b", "c")),
        DockerFilter(name="status", values=("running",)),
    )
    async with serving(daemon.handle) as url:
        made = discoverer(
            url.replace("http://", "tcp://"),
            pause,
            port=9999,
            host_networking_host="node.example",
            match_first_network=False,
            filters=filters,
        )
        async with running(made, found):
            await pause.begins()

    assert {"172.17.0.3:9999", "node.example", "172.17.0.2:8000", "172.18.0.2:8000"} <= found.addresses
    assert json.loads(parse_qs(daemon.queries[0])["filters"][0]) == {"label": ["a=b", "c"], "status": ["running"]}


@pytest.mark.parametrize(
    ("response", "problem"),
    [
        pytest.param(web.json_response({"message": "no such thing"}, status=404), "no such thing", id="a status"),
        pytest.param(web.json_response({"not": "a list"}), "not Docker's answer", id="not a list"),
        pytest.param(web.json_response([{"Id": 7}]), "not Docker's answer: 0.Id", id="a number for an id"),
        pytest.param(web.Response(body=b"<html>"), "not Docker's answer", id="not JSON"),
    ],
)
async def test_a_daemon_that_fails_keeps_the_last_targets(
    serving: Any, running: Any, found: Any, pause: Any, response: web.Response, problem: str
) -> None:
    daemon = Daemon()
    health = Health("docker", "job")
    async with serving(daemon.handle) as url, running(discoverer(url, pause, health), found):
        await pause.begins()
        before = found.addresses
        daemon.broken = response
        pause.end()
        assert await pause.begins() <= 1

    assert found.addresses == before
    assert problem in health.problems[url]


async def test_containers_that_end_are_gone(serving: Any, running: Any, found: Any, pause: Any) -> None:
    daemon = Daemon()
    async with serving(daemon.handle) as url, running(discoverer(url, pause), found):
        await pause.begins()
        daemon.containers = []
        pause.end()
        await pause.begins()

    assert found.groups == {}


async def test_a_socket_that_is_not_there_is_reported(running: Any, found: Any, pause: Any, tmp_path: Path) -> None:
    health = Health("docker", "job")
    async with running(discoverer(f"unix://{tmp_path}/missing.sock", pause, health), found):
        await pause.begins()

    assert health.failures == 1
