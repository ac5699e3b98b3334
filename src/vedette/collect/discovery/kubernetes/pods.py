"""Targets from pods: one for each port of each container."""

from __future__ import annotations

from collections.abc import Iterator

from vedette.collect.discovery.groups import ADDRESS, TargetGroup, host_port
from vedette.collect.discovery.kubernetes.lookup import Lookup
from vedette.collect.discovery.kubernetes.meta_labels import KUBERNETES, namespace_labels, node_labels, object_labels
from vedette.collect.discovery.kubernetes.objects import Container, ContainerPort, Pod


def pod_group(pod: Pod, lookup: Lookup) -> TargetGroup:
    """A pod's group; without targets while it has no address."""
    source = f"pod/{pod.key}"
    address = pod.status.pod_ip
    if not address:
        return TargetGroup(source)
    labels = {**pod_labels(pod), **namespace_labels(pod, lookup), **node_labels(pod.spec.node_name, lookup)}
    targets: list[dict[str, str]] = []
    for container, is_init in containers_of(pod):
        common = {
            f"{KUBERNETES}pod_container_name": container.name,
            f"{KUBERNETES}pod_container_id": _container_id(pod, container.name, is_init=is_init),
            f"{KUBERNETES}pod_container_image": container.image,
            f"{KUBERNETES}pod_container_init": str(is_init).lower(),
        }
        if not container.ports:
            # Without a port the user's relabelling has to add one.
            targets.append({**common, ADDRESS: address})
        targets += [
            {**common, **port_labels(port), ADDRESS: host_port(address, port.container_port)}
            for port in container.ports
        ]
    return TargetGroup(source, labels, tuple(targets))


def pod_labels(pod: Pod) -> dict[str, str]:
    """What every target in a pod is told of it."""
    ready = next((c.status for c in pod.status.conditions if c.type == "Ready"), "unknown")
    labels = {
        f"{KUBERNETES}pod_ip": pod.status.pod_ip,
        f"{KUBERNETES}pod_ready": ready.lower(),
        f"{KUBERNETES}pod_phase": pod.status.phase,
        f"{KUBERNETES}pod_node_name": pod.spec.node_name,
        f"{KUBERNETES}pod_host_ip": pod.status.host_ip,
        f"{KUBERNETES}pod_uid": pod.metadata.uid,
        **object_labels(pod, "pod"),
    }
    for owner in pod.metadata.owner_references:
        if owner.controller:
            labels |= {f"{KUBERNETES}pod_controller_kind": owner.kind} if owner.kind else {}
            labels |= {f"{KUBERNETES}pod_controller_name": owner.name} if owner.name else {}
            break
    return labels


def containers_of(pod: Pod) -> Iterator[tuple[Container, bool]]:
    """All containers, and of each whether it is an init container."""
    for container in pod.spec.containers:
        yield container, False
    for container in pod.spec.init_containers:
        yield container, True


def port_labels(port: ContainerPort) -> dict[str, str]:
    """What a target is told of its container's port."""
    return {
        f"{KUBERNETES}pod_container_port_name": port.name,
        f"{KUBERNETES}pod_container_port_number": str(port.container_port),
        f"{KUBERNETES}pod_container_port_protocol": port.protocol,
    }


def _container_id(pod: Pod, name: str, *, is_init: bool) -> str:
    statuses = pod.status.init_container_statuses if is_init else pod.status.container_statuses
    return next((status.container_id for status in statuses if status.name == name), "")
