from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from vedette.collect.discovery.kubernetes.connection import connection_of
from vedette.collect.discovery.kubernetes.discoverer import ROLES
from vedette.collect.discovery.kubernetes.lookup import Lookup
from vedette.collect.discovery.kubernetes.objects import NAMESPACES, NODES, PODS, SERVICES, Anything, Resource
from vedette.config.discovery import KubernetesDiscovery, Role
from vedette.model.errors import UnavailableError

K = "__meta_kubernetes_"
POD: dict[str, Any] = {
    "metadata": {
        "name": "web-1",
        "namespace": "shop",
        "uid": "u1",
        "labels": {"app.kubernetes.io/name": "web"},
        "annotations": {"prometheus.io/scrape": "true"},
        "ownerReferences": [{"kind": "Node", "name": "x"}, {"kind": "ReplicaSet", "name": "web", "controller": True}],
    },
    "spec": {
        "nodeName": "node-a",
        "containers": [
            {
                "name": "app",
                "image": "app:1",
                "ports": [
                    {"name": "http", "containerPort": 8000, "protocol": "TCP"},
                    {"containerPort": 9000, "protocol": "TCP"},
                ],
            },
            {"name": "quiet", "image": "quiet:1"},
        ],
        "initContainers": [{"name": "setup", "image": "setup:1"}],
    },
    "status": {
        "podIP": "10.1.0.1",
        "hostIP": "192.168.0.1",
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [{"name": "app", "containerID": "containerd://1"}],
        "initContainerStatuses": None,
    },
}
POD_LABELS = {
    f"{K}pod_name": "web-1",
    f"{K}pod_ip": "10.1.0.1",
    f"{K}pod_ready": "true",
    f"{K}pod_phase": "Running",
    f"{K}pod_node_name": "node-a",
    f"{K}pod_host_ip": "192.168.0.1",
    f"{K}pod_uid": "u1",
    f"{K}pod_controller_kind": "ReplicaSet",
    f"{K}pod_controller_name": "web",
    f"{K}pod_label_app_kubernetes_io_name": "web",
    f"{K}pod_labelpresent_app_kubernetes_io_name": "true",
    f"{K}pod_annotation_prometheus_io_scrape": "true",
    f"{K}pod_annotationpresent_prometheus_io_scrape": "true",
}
NODE: dict[str, Any] = {
    "metadata": {"name": "node-a", "labels": {"topology.kubernetes.io/zone": "eu-1"}, "annotations": {"a": "b"}},
    "spec": {"providerID": "aws:///i-1"},
    "status": {
        "addresses": [
            {"type": "Hostname", "address": "node-a.local"},
            {"type": "InternalIP", "address": "192.168.0.1"},
            {"type": "InternalIP", "address": "fd00::1"},
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
    },
}
SERVICE: dict[str, Any] = {
    "metadata": {"name": "web", "namespace": "shop", "labels": {"tier": "front"}},
    "spec": {
        "type": "LoadBalancer",
        "clusterIP": "10.0.0.1",
        "loadBalancerIP": "1.2.3.4",
        "ports": [{"name": "http", "port": 80, "protocol": "TCP"}],
    },
}
NAMESPACE: dict[str, Any] = {"metadata": {"name": "shop", "labels": {"team": "a"}}}


def build(role: Role, found: dict[str, Any], *others: tuple[Resource, dict[str, Any]], attach: bool = False) -> Any:
    objects: dict[tuple[str, str], Anything] = {}
    for resource, content in others:
        read = resource.shape.validate_python(content)
        objects[resource.name, read.key] = read
    lookup = Lookup(lambda resource, key: objects.get((resource.name, key)), nodes=attach, namespaces=attach)
    plan = ROLES[role]
    return plan.build(plan.primary.shape.validate_python(found), lookup)


def test_a_pod_has_a_target_for_each_port_and_for_each_container_without_one() -> None:
    group = build(Role.POD, POD)

    assert group.source == "pod/shop/web-1"
    assert group.labels == {**POD_LABELS, f"{K}namespace": "shop"}
    app = {
        f"{K}pod_container_name": "app",
        f"{K}pod_container_image": "app:1",
        f"{K}pod_container_id": "containerd://1",
        f"{K}pod_container_init": "false",
        f"{K}pod_container_port_protocol": "TCP",
    }
    assert group.targets == (
        {
            **app,
            "__address__": "10.1.0.1:8000",
            f"{K}pod_container_port_name": "http",
            f"{K}pod_container_port_number": "8000",
        },
        {
            **app,
            "__address__": "10.1.0.1:9000",
            f"{K}pod_container_port_name": "",
            f"{K}pod_container_port_number": "9000",
        },
        {
            "__address__": "10.1.0.1",
            f"{K}pod_container_name": "quiet",
            f"{K}pod_container_image": "quiet:1",
            f"{K}pod_container_id": "",
            f"{K}pod_container_init": "false",
        },
        {
            "__address__": "10.1.0.1",
            f"{K}pod_container_name": "setup",
            f"{K}pod_container_image": "setup:1",
            f"{K}pod_container_id": "",
            f"{K}pod_container_init": "true",
        },
    )


def test_a_pod_without_an_address_has_no_targets() -> None:
    assert build(Role.POD, {**POD, "status": {"phase": "Pending"}}).targets == ()


def test_metadata_of_node_and_namespace_is_attached_where_it_is_wanted() -> None:
    group = build(Role.POD, POD, (NODES, NODE), (NAMESPACES, NAMESPACE), attach=True)

    assert group.labels[f"{K}node_name"] == "node-a"
    assert group.labels[f"{K}node_label_topology_kubernetes_io_zone"] == "eu-1"
    assert group.labels[f"{K}namespace_label_team"] == "a"
    assert group.labels[f"{K}namespace_labelpresent_team"] == "true"


def test_a_service_has_its_dns_name_and_type() -> None:
    group = build(Role.SERVICE, SERVICE)

    assert group.source == "svc/shop/web"
    assert group.labels == {
        f"{K}namespace": "shop",
        f"{K}service_name": "web",
        f"{K}service_label_tier": "front",
        f"{K}service_labelpresent_tier": "true",
    }
    assert group.targets == (
        {
            "__address__": "web.shop.svc:80",
            f"{K}service_type": "LoadBalancer",
            f"{K}service_cluster_ip": "10.0.0.1",
            f"{K}service_loadbalancer_ip": "1.2.3.4",
            f"{K}service_port_name": "http",
            f"{K}service_port_number": "80",
            f"{K}service_port_protocol": "TCP",
        },
    )


def test_an_external_service_has_its_name_and_no_cluster_address() -> None:
    spec = {"type": "ExternalName", "externalName": "db.example", "ports": [{"port": 5432}]}

    (target,) = build(Role.SERVICE, {**SERVICE, "spec": spec}).targets

    assert target[f"{K}service_external_name"] == "db.example"
    assert f"{K}service_cluster_ip" not in target


def test_endpoints_have_their_pods_services_and_the_pods_other_ports() -> None:
    endpoints = {
        "metadata": {"name": "web", "namespace": "shop", "labels": {"e": "f"}},
        "subsets": [
            {
                "addresses": [
                    {
                        "ip": "10.1.0.1",
                        "nodeName": "node-a",
                        "hostname": "h",
                        "targetRef": {"kind": "Pod", "namespace": "shop", "name": "web-1"},
                    }
                ],
                "notReadyAddresses": [{"ip": "10.1.0.2", "targetRef": {"kind": "Node", "name": "node-a"}}],
                "ports": [{"name": "http", "port": 8000, "protocol": "TCP"}],
            }
        ],
    }

    group = build(Role.ENDPOINTS, endpoints, (PODS, POD), (SERVICES, SERVICE), (NODES, NODE), attach=True)

    assert group.source == "endpoints/shop/web"
    assert group.labels[f"{K}endpoints_name"] == "web"
    assert group.labels[f"{K}endpoints_label_e"] == "f"
    assert group.labels[f"{K}service_label_tier"] == "front"
    ready, not_ready, other = group.targets
    assert ready["__address__"] == "10.1.0.1:8000"
    assert (
        ready.items()
        >= {
            **POD_LABELS,
            f"{K}endpoint_ready": "true",
            f"{K}endpoint_port_name": "http",
            f"{K}endpoint_port_protocol": "TCP",
            f"{K}endpoint_node_name": "node-a",
            f"{K}endpoint_hostname": "h",
            f"{K}endpoint_address_target_kind": "Pod",
            f"{K}endpoint_address_target_name": "web-1",
            f"{K}pod_container_name": "app",
            f"{K}pod_container_image": "app:1",
            f"{K}pod_container_init": "false",
            f"{K}pod_container_port_name": "http",
            f"{K}pod_container_port_number": "8000",
            f"{K}node_name": "node-a",
        }.items()
    )
    assert not_ready[f"{K}endpoint_ready"] == "false"
    assert not_ready[f"{K}node_name"] == "node-a"
    assert other["__address__"] == "10.1.0.1:9000"
    assert f"{K}endpoint_ready" not in other
    assert other.items() >= POD_LABELS.items()


def test_a_slice_has_its_conditions_zone_and_service() -> None:
    found = {
        "metadata": {"name": "web-x", "namespace": "shop", "labels": {"kubernetes.io/service-name": "web"}},
        "addressType": "IPv6",
        "ports": [{"name": "http", "port": 8000, "protocol": "TCP", "appProtocol": "http"}],
        "endpoints": [
            {
                "addresses": ["fd00::1"],
                "conditions": {"ready": True, "serving": True, "terminating": False},
                "hostname": "h",
                "nodeName": "node-a",
                "zone": "eu-1",
                "deprecatedTopology": {"kubernetes.io/hostname": "node-a"},
            }
        ],
    }

    group = build(Role.ENDPOINTSLICE, found, (SERVICES, SERVICE))

    assert group.source == "endpointslice/shop/web-x"
    assert group.labels[f"{K}endpointslice_name"] == "web-x"
    assert group.labels[f"{K}endpointslice_address_type"] == "IPv6"
    assert group.labels[f"{K}service_name"] == "web"
    s = f"{K}endpointslice_"
    assert group.targets == (
        {
            "__address__": "[fd00::1]:8000",
            f"{s}port_name": "http",
            f"{s}port_protocol": "TCP",
            f"{s}port": "8000",
            f"{s}port_app_protocol": "http",
            f"{s}endpoint_conditions_ready": "true",
            f"{s}endpoint_conditions_serving": "true",
            f"{s}endpoint_conditions_terminating": "false",
            f"{s}endpoint_hostname": "h",
            f"{s}endpoint_node_name": "node-a",
            f"{s}endpoint_zone": "eu-1",
            f"{s}endpoint_topology_kubernetes_io_hostname": "node-a",
            f"{s}endpoint_topology_present_kubernetes_io_hostname": "true",
        },
    )


def test_a_node_is_reached_at_its_internal_address() -> None:
    group = build(Role.NODE, NODE)

    assert group.source == "node/node-a"
    assert group.labels[f"{K}node_provider_id"] == "aws:///i-1"
    assert group.labels[f"{K}node_annotation_a"] == "b"
    assert group.targets == (
        {
            "__address__": "192.168.0.1:10250",
            "instance": "node-a",
            f"{K}node_address_Hostname": "node-a.local",
            f"{K}node_address_InternalIP": "192.168.0.1",
        },
    )


def test_a_node_without_an_address_has_no_targets() -> None:
    assert build(Role.NODE, {**NODE, "status": {}}).targets == ()


@pytest.mark.parametrize(
    ("host", "tls", "scheme"),
    [
        pytest.param("a.example", [], "http", id="no certificate"),
        pytest.param("a.example", ["a.example"], "https", id="its own"),
        pytest.param("a.example", ["*.example"], "https", id="a wildcard"),
        pytest.param("a.b.example", ["*.example"], "http", id="a wildcard stands for one part"),
        pytest.param("example", ["*.example"], "http", id="a wildcard does not stand for nothing"),
    ],
)
def test_an_ingress_is_secure_where_a_certificate_covers_its_host(host: str, tls: list[str], scheme: str) -> None:
    spec = {
        "ingressClassName": "nginx",
        "tls": [{"hosts": tls}],
        "rules": [{"host": host, "http": {"paths": [{"path": "/api"}, {}]}}, {"host": host}],
    }

    group = build(Role.INGRESS, {"metadata": {"name": "i", "namespace": "shop"}, "spec": spec})

    assert group.labels[f"{K}ingress_class_name"] == "nginx"
    assert [target[f"{K}ingress_path"] for target in group.targets] == ["/api", "/", "/"]
    assert {target[f"{K}ingress_scheme"] for target in group.targets} == {scheme}
    assert group.targets[0]["__address__"] == host


def test_a_pod_of_a_cluster_uses_its_service_account(tmp_path: Path) -> None:
    (tmp_path / "namespace").write_text("monitoring\n")
    environment = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}

    connection = connection_of(KubernetesDiscovery(role=Role.POD), environment, service_account=str(tmp_path))

    assert connection.url == "https://[fd00::1]:443"
    assert connection.own_namespace == "monitoring"
    assert connection.client.authorization is not None
    assert connection.client.authorization.credentials_file == f"{tmp_path}/token"
    assert connection.client.tls_config.ca_file == f"{tmp_path}/ca.crt"


def kubeconfig(tmp_path: Path, cluster: str, user: str) -> KubernetesDiscovery:
    file = tmp_path / "config"
    file.write_text(
        "current-context: here\n"
        "contexts: [{name: here, context: {cluster: c, user: u}}]\n"
        f"clusters: [{{name: c, cluster: {cluster}}}]\n"
        f"users: [{{name: u, user: {user}}}]\n"
    )
    return KubernetesDiscovery(role=Role.POD, kubeconfig_file=str(file))


def test_a_kubeconfig_files_paths_count_from_its_place_and_its_data_are_decoded(tmp_path: Path) -> None:
    data = base64.b64encode(b"CERT").decode()
    cluster = f"{{server: 'https://k:6443/', certificate-authority: ca.crt, insecure-skip-tls-verify: true}}"  # noqa: F541
    user = f"{{client-certificate-data: {data}, client-key: /abs/key.pem}}"

    connection = connection_of(kubeconfig(tmp_path, cluster, user), {})

    assert connection.url == "https://k:6443"
    tls = connection.client.tls_config
    assert (tls.ca_file, tls.cert, tls.key_file) == (f"{tmp_path}/ca.crt", "CERT", "/abs/key.pem")
    assert tls.insecure_skip_verify


@pytest.mark.parametrize(
    ("cluster", "user", "problem"),
    [
        pytest.param("{}", "{token: t}", "has no server", id="no server"),
        pytest.param("{server: 'https://k'}", "{exec: {command: aws}}", "by a program", id="a program to log in"),
        pytest.param(
            "{server: 'https://k', certificate-authority-data: '!'}", "{token: t}", "not PEM", id="not base 64"
        ),
    ],
)
def test_a_kubeconfig_file_that_does_not_do_says_why(tmp_path: Path, cluster: str, user: str, problem: str) -> None:
    with pytest.raises(UnavailableError, match=problem):
        connection_of(kubeconfig(tmp_path, cluster, user), {})


def test_a_kubeconfig_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    settings = KubernetesDiscovery(role=Role.POD, kubeconfig_file=f"{tmp_path}/missing")

    with pytest.raises(UnavailableError, match="cannot be read"):
        connection_of(settings, {})
