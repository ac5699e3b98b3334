from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from vedette.collect.discovery import Health
from vedette.collect.discovery.kubernetes import KubernetesDiscoverer
from vedette.config.discovery import KubernetesDiscovery, Role, Selector
from vedette.config.discovery.kubernetes import AttachMetadata, Namespaces

RESOURCES = ("pods", "services", "endpoints", "endpointslices", "ingresses", "nodes", "namespaces")


class ApiServer:
    """Lists and watches objects as Kubernetes does (API concepts: "Efficient detection of changes").

    Attributes:
        forget: versions older than this are answered with 410.
        broken: resources that are answered with 500.
        requests: path and query of each request.
        begun: set when a watch has begun.
    """

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {resource: {} for resource in RESOURCES}
        self.events: list[tuple[int, str, str, Any]] = []
        self.version = 100
        self.forget = 0
        self.broken: set[str] = set()
        self.page = 500
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.authorization: set[str | None] = set()
        self.begun = asyncio.Event()
        self.says_gone_by_event = False
        self._changed = asyncio.Event()
        self._breaking = asyncio.Event()

    def put(self, resource: str, found: Any) -> None:
        self.version += 1
        found["metadata"]["resourceVersion"] = str(self.version)
        key = f"{found['metadata'].get('namespace', '')}/{found['metadata']['name']}"
        kind = "MODIFIED" if key in self.objects[resource] else "ADDED"
        self.objects[resource][key] = found
        self._tell(resource, kind, found)

    def delete(self, resource: str, namespace: str, name: str) -> None:
        self.version += 1
        found = self.objects[resource].pop(f"{namespace}/{name}")
        self._tell(
            resource, "DELETED", {**found, "metadata": {**found["metadata"], "resourceVersion": str(self.version)}}
        )

    def bookmark(self, resource: str) -> None:
        self.version += 1
        self._tell(resource, "BOOKMARK", {"kind": "x", "metadata": {"resourceVersion": str(self.version)}})

    def break_watches(self) -> None:
        """End all watches without a word."""
        self._breaking.set()
        self._breaking = asyncio.Event()
        self._changed.set()

    def watches(self, resource: str) -> int:
        """How often a watch of a resource was begun."""
        return sum(path.endswith("/" + resource) and "watch" in query for path, query in self.requests)

    def lists(self, resource: str) -> int:
        """How often a list of a resource was begun."""
        return sum(
            path.endswith("/" + resource) and not query.keys() & {"watch", "continue"} for path, query in self.requests
        )

    def _tell(self, resource: str, kind: str, found: Any) -> None:
        self.events.append((self.version, resource, kind, found))
        self._changed.set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        query = dict(request.query)
        self.requests.append((request.path, query))
        self.authorization.add(request.headers.get("Authorization"))
        resource = request.path.rpartition("/")[2]
        parts = request.path.split("/")
        namespace = parts[parts.index("namespaces") + 1] if resource != "namespaces" and "namespaces" in parts else ""
        if resource in self.broken:
            return web.json_response({"kind": "Status", "message": "etcd is down", "code": 500}, status=500)
        if "watch" in query:
            return await self._watch(request, resource, namespace, int(query["resourceVersion"]))
        found = [o for o in self.objects[resource].values() if namespace in ("", o["metadata"].get("namespace"))]
        start = int(query.get("continue", "0"))
        more = {"continue": str(start + self.page)} if start + self.page < len(found) else {}
        metadata = {"resourceVersion": str(self.version), **more}
        return web.json_response(
            {"kind": "List", "metadata": metadata, "items": found[start : start + self.page] or None}
        )

    async def _watch(self, request: web.Request, resource: str, namespace: str, version: int) -> web.StreamResponse:
        gone = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}
        if version < self.forget and not self.says_gone_by_event:
            return web.json_response(gone, status=410)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        if version < self.forget:
            await response.write(json.dumps({"type": "ERROR", "object": gone}).encode() + b"\n")
            return response
        breaking = self._breaking
        self.begun.set()
        self._changed.set()
        sent = version
        while not breaking.is_set():
            self._changed.clear()
            seen = self.version
            for at, of, kind, found in list(self.events):
                if at > sent and of == resource and namespace in ("", found["metadata"].get("namespace", "")):
                    line = json.dumps({"type": kind, "object": found}).encode() + b"\n"
                    # In two pieces, as the network may do it.
                    await response.write(line[:20])
                    await response.write(line[20:])
            sent = max(sent, seen)
            if self.version == seen and not breaking.is_set():
                await self._changed.wait()
        assert request.transport is not None
        request.transport.abort()
        return response


def meta(name: str, namespace: str = "shop", **more: Any) -> dict[str, Any]:
    return {"name": name, "namespace": namespace, "uid": f"uid-{name}", **more}


def pod(name: str, address: str = "10.1.0.1", *, node: str = "node-a", namespace: str = "shop") -> dict[str, Any]:
    return {
        "metadata": meta(
            name,
            namespace,
            labels={"app.kubernetes.io/name": "web"},
            annotations={"prometheus.io/scrape": "true"},
            ownerReferences=[{"kind": "ReplicaSet", "name": "web-1", "controller": True}],
            managedFields=[{"manager": "kubectl"}],
        ),
        "spec": {
            "nodeName": node,
            "containers": [
                {
                    "name": "app",
                    "image": "app:1",
                    "ports": [
                        {"name": "http", "containerPort": 8000, "protocol": "TCP"},
                        {"name": "metrics", "containerPort": 9000, "protocol": "TCP"},
                    ],
                },
            ],
        },
        "status": {
            "podIP": address,
            "hostIP": "192.168.0.1",
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "app", "containerID": "containerd://1"}],
        },
    }


def endpoint_slice(name: str, *pods: str) -> dict[str, Any]:
    return {
        "metadata": meta(name, labels={"kubernetes.io/service-name": "web"}),
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": 8000, "protocol": "TCP"}],
        "endpoints": [
            {
                "addresses": [f"10.1.0.{number}"],
                "conditions": {"ready": True},
                "nodeName": "node-a",
                "targetRef": {"kind": "Pod", "namespace": "shop", "name": name},
            }
            for number, name in enumerate(pods, 1)
        ],
    }


def service(name: str, **labels: str) -> dict[str, Any]:
    ports = [{"name": "http", "port": 80, "protocol": "TCP"}]
    return {
        "metadata": meta(name, labels=labels),
        "spec": {"type": "ClusterIP", "clusterIP": "10.0.0.1", "ports": ports},
    }


class Stage:
    """A server, a discoverer and what it found."""

    def __init__(self, serving: Any, running: Any, found: Any, pause: Any) -> None:
        self.server = ApiServer()
        self.found = found
        self.pause = pause
        self.health = Health("kubernetes", "job")
        self._serving = serving
        self._running = running

    async def play(self, role: Role, act: Callable[[], Any], **changes: Any) -> None:
        async with self._serving(self.server.handle) as url:
            settings = KubernetesDiscovery(role=role, api_server=url, **changes)
            made = KubernetesDiscoverer(settings, self.health, pause=self.pause, gather_s=0.0)
            async with self._running(made, self.found):
                await act()


@pytest.fixture
def stage(serving: Any, running: Any, found: Any, pause: Any) -> Stage:
    return Stage(serving, running, found, pause)


async def test_pods_come_change_and_go(stage: Stage) -> None:
    stage.server.put("pods", pod("web-1"))

    async def act() -> None:
        await stage.found.until(lambda: stage.found.addresses == {"10.1.0.1:8000", "10.1.0.1:9000"})
        stage.server.put("pods", pod("web-2", "10.1.0.2"))
        await stage.found.until(lambda: "pod/shop/web-2" in stage.found.groups)
        stage.server.put("pods", pod("web-1", "10.1.0.9"))
        await stage.found.until(lambda: "10.1.0.9:8000" in stage.found.addresses)
        assert "10.1.0.1:8000" not in stage.found.addresses
        stage.server.delete("pods", "shop", "web-2")
        await stage.found.until(lambda: set(stage.found.groups) == {"pod/shop/web-1"})

    await stage.play(Role.POD, act)

    assert stage.server.lists("pods") == 1
    assert stage.health.failures == 0


async def test_a_long_list_is_read_page_by_page(stage: Stage) -> None:
    stage.server.page = 7
    for number in range(20):
        stage.server.put("pods", pod(f"web-{number}", f"10.1.0.{number}"))

    async def act() -> None:
        await stage.found.until(lambda: len(stage.found.groups) == 20)

    await stage.play(Role.POD, act)

    assert stage.found.publishes == 1


async def test_a_watch_that_breaks_is_taken_up_where_it_ended(stage: Stage) -> None:
    stage.server.put("pods", pod("web-1"))

    async def act() -> None:
        await stage.found.until(lambda: len(stage.found.groups) == 1)
        stage.server.bookmark("pods")
        stage.server.put("pods", pod("web-2", "10.1.0.2"))
        await stage.found.until(lambda: len(stage.found.groups) == 2)
        stage.server.break_watches()
        await stage.pause.begins()
        stage.server.put("pods", pod("web-3", "10.1.0.3"))
        stage.pause.end()
        await stage.found.until(lambda: len(stage.found.groups) == 3)

    await stage.play(Role.POD, act)

    assert stage.server.lists("pods") == 1
    assert stage.server.watches("pods") == 2
    assert stage.health.failures == 1
    assert stage.health.problems == {}


@pytest.mark.parametrize("by_event", [False, True], ids=["410 as the status", "410 as an event"])
async def test_a_version_that_is_gone_leads_to_a_new_list(stage: Stage, by_event: bool) -> None:  # noqa: FBT001
    stage.server.put("pods", pod("web-1"))
    stage.server.put("pods", pod("web-2", "10.1.0.2"))
    stage.server.says_gone_by_event = by_event

    async def act() -> None:
        await stage.found.until(lambda: len(stage.found.groups) == 2)
        await stage.server.begun.wait()
        stage.server.break_watches()
        await stage.pause.begins()
        stage.server.delete("pods", "shop", "web-1")
        stage.server.put("pods", pod("web-3", "10.1.0.3"))
        stage.server.forget = stage.server.version
        stage.pause.end()
        await stage.pause.begins()
        stage.pause.end()
        await stage.found.until(lambda: set(stage.found.groups) == {"pod/shop/web-2", "pod/shop/web-3"})

    await stage.play(Role.POD, act)

    assert stage.server.lists("pods") == 2


async def test_a_server_that_never_knows_a_version_is_asked_ever_more_slowly(stage: Stage) -> None:
    stage.server.forget = 1 << 40

    async def act() -> None:
        pauses: list[float] = []
        for _ in range(6):
            pauses.append(await stage.pause.begins())
            stage.pause.end()
        assert pauses[-1] > 10

    await stage.play(Role.POD, act)


async def test_a_server_that_is_down_leaves_targets_in_force_and_is_reported(stage: Stage) -> None:
    stage.server.put("pods", pod("web-1"))

    async def act() -> None:
        await stage.found.until(lambda: len(stage.found.groups) == 1)
        await stage.server.begun.wait()
        stage.server.broken.add("pods")
        stage.server.break_watches()
        for _ in range(2):
            await stage.pause.begins()
            stage.pause.end()
        await stage.pause.begins()
        assert stage.health.problems == {
            "/api/v1/pods": 'the server answered 500 Internal Server Error: {"kind": "Status", "message": "etcd is'
            ' down", "code": 500}'
        }
        assert len(stage.found.groups) == 1
        stage.server.broken.clear()
        stage.server.put("pods", pod("web-2", "10.1.0.2"))
        stage.pause.end()
        await stage.found.until(lambda: len(stage.found.groups) == 2)

    await stage.play(Role.POD, act)

    assert stage.health.problems == {}


async def test_an_object_that_is_not_what_the_api_promises_is_left_out(stage: Stage) -> None:
    bad = pod("bad")
    bad["spec"]["containers"] = "none"
    stage.server.put("pods", bad)
    stage.server.put("pods", pod("good", "10.1.0.2"))

    async def act() -> None:
        await stage.found.until(lambda: set(stage.found.groups) == {"pod/shop/good"})

    await stage.play(Role.POD, act)

    assert "spec.containers" in stage.health.problems["/api/v1/pods objects"]


async def test_slices_take_labels_from_services_pods_and_nodes_and_follow_them(stage: Stage) -> None:
    server = stage.server
    server.put("endpointslices", endpoint_slice("web-x", "web-1"))
    source = "endpointslice/shop/web-x"

    def labels() -> dict[str, str]:
        return dict(stage.found.groups[source].labels)

    def target() -> dict[str, str]:
        return dict(stage.found.groups[source].targets[0])

    async def act() -> None:
        await stage.found.until(lambda: source in stage.found.groups)
        assert "__meta_kubernetes_service_name" not in labels()
        assert "__meta_kubernetes_pod_name" not in target()

        server.put("services", service("web", tier="front"))
        await stage.found.until(lambda: labels().get("__meta_kubernetes_service_label_tier") == "front")
        server.put("pods", pod("web-1"))
        await stage.found.until(lambda: target().get("__meta_kubernetes_pod_container_port_name") == "http")
        assert stage.found.addresses == {"10.1.0.1:8000", "10.1.0.1:9000"}
        node = {"metadata": {"name": "node-a", "labels": {"zone": "eu"}}}
        server.put("nodes", node)
        await stage.found.until(lambda: target().get("__meta_kubernetes_node_label_zone") == "eu")
        server.put("namespaces", {"metadata": {"name": "shop", "labels": {"team": "a"}}})
        await stage.found.until(lambda: labels().get("__meta_kubernetes_namespace_label_team") == "a")

        server.put("services", service("web", tier="back"))
        await stage.found.until(lambda: labels().get("__meta_kubernetes_service_label_tier") == "back")
        server.delete("pods", "shop", "web-1")
        await stage.found.until(lambda: "__meta_kubernetes_pod_name" not in target())
        server.delete("endpointslices", "shop", "web-x")
        await stage.found.until(lambda: stage.found.groups == {})

    await stage.play(Role.ENDPOINTSLICE, act, attach_metadata=AttachMetadata(node=True, namespace=True))


async def test_nothing_is_published_before_all_lists_have_been_read(stage: Stage) -> None:
    stage.server.put("endpointslices", endpoint_slice("web-x", "web-1"))
    stage.server.put("pods", pod("web-1"))
    stage.server.broken.add("pods")

    async def act() -> None:
        await stage.pause.begins()
        assert stage.found.publishes == 0
        stage.server.broken.clear()
        stage.pause.end()
        await stage.found.until(lambda: len(stage.found.groups) == 1)

    await stage.play(Role.ENDPOINTSLICE, act)

    (group,) = stage.found.groups.values()
    assert group.targets[0]["__meta_kubernetes_pod_name"] == "web-1"


async def test_namespaces_and_selectors_narrow_what_is_asked_for(stage: Stage) -> None:
    stage.server.put("pods", pod("a", namespace="one"))
    stage.server.put("pods", pod("b", "10.1.0.2", namespace="two"))
    stage.server.put("pods", pod("c", "10.1.0.3", namespace="three"))

    async def act() -> None:
        await stage.found.until(lambda: set(stage.found.groups) == {"pod/one/a", "pod/two/b"})

    selectors = (Selector(role=Role.POD, label="app=web", field="spec.nodeName=node-a"),)
    await stage.play(Role.POD, act, namespaces=Namespaces(names=("one", "two")), selectors=selectors)

    assert {path for path, _ in stage.server.requests} == {
        "/api/v1/namespaces/one/pods",
        "/api/v1/namespaces/two/pods",
    }
    for _, query in stage.server.requests:
        assert (query["labelSelector"], query["fieldSelector"]) == ("app=web", "spec.nodeName=node-a")


async def test_a_kubeconfig_file_says_where_the_server_is_and_who_asks(
    stage: Stage, serving: Any, running: Any, tmp_path: Path
) -> None:
    stage.server.put("nodes", {
        "metadata": {"name": "node-a"},
        "status": {
            "addresses": [{"type": "InternalIP", "address": "192.168.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        },
    })  # fmt: skip
    async with serving(stage.server.handle) as url:
        kubeconfig = tmp_path / "config"
        kubeconfig.write_text(
            f"current-context: here\ncontexts: [{{name: here, context: {{cluster: c, user: u}}}}]\n"
            f"clusters: [{{name: c, cluster: {{server: '{url}'}}}}]\nusers: [{{name: u, user: {{token: t0}}}}]\n"
        )
        settings = KubernetesDiscovery(role=Role.NODE, kubeconfig_file=str(kubeconfig))
        made = KubernetesDiscoverer(settings, stage.health, pause=stage.pause)
        async with running(made, stage.found):
            await stage.found.until(lambda: stage.found.addresses == {"192.168.0.1:10250"})

    assert stage.server.authorization == {"Bearer t0"}


async def test_outside_of_a_cluster_it_is_said_what_to_configure_and_tried_again(stage: Stage, running: Any) -> None:
    settings = KubernetesDiscovery(role=Role.NODE)
    made = KubernetesDiscoverer(settings, stage.health, environment={}, pause=stage.pause)
    async with running(made, stage.found):
        await stage.pause.begins()

    assert "set `api_server` or `kubeconfig_file`" in stage.health.problems["the API server"]
