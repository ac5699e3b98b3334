"""Endpoints that are pods: the container behind an endpoint, and the pods' other ports."""

from __future__ import annotations

from collections.abc import Iterator

from vedette.collect.discovery.groups import ADDRESS, host_port
from vedette.collect.discovery.kubernetes.lookup import Lookup
from vedette.collect.discovery.kubernetes.meta_labels import KUBERNETES
from vedette.collect.discovery.kubernetes.objects import Container, ContainerPort, Pod, Reference
from vedette.collect.discovery.kubernetes.pods import containers_of, pod_labels, port_labels


class EndpointPods:
    """The pods that the endpoints of one object lead to."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._seen: dict[str, tuple[Pod, set[int]]] = {}

    def labels(self, reference: Reference | None, port: int | None) -> dict[str, str]:
        """What an endpoint is told of its pod and container; nothing where it is not a pod that is known."""
        if reference is None or reference.kind != "Pod":
            return {}
        pod = self._lookup.pod(f"{reference.namespace}/{reference.name}")
        if not isinstance(pod, Pod):
            return {}
        _, ports = self._seen.setdefault(pod.key, (pod, set()))
        labels = pod_labels(pod)
        if port is not None:
            ports.add(port)
            for container, is_init in containers_of(pod):
                matching = next((one for one in container.ports if one.container_port == port), None)
                if matching is not None:
                    labels |= _container_labels(container, matching, is_init=is_init)
        return labels

    def other_ports(self) -> Iterator[dict[str, str]]:
        """Targets for the ports of these pods that no endpoint leads to."""
        for pod, ports in self._seen.values():
            if not pod.status.pod_ip:
                continue
            for container, is_init in containers_of(pod):
                for port in container.ports:
                    if port.container_port not in ports:
                        yield {
                            **pod_labels(pod),
                            **_container_labels(container, port, is_init=is_init),
                            ADDRESS: host_port(pod.status.pod_ip, port.container_port),
                        }


def _container_labels(container: Container, port: ContainerPort, *, is_init: bool) -> dict[str, str]:
    return {
        f"{KUBERNETES}pod_container_name": container.name,
        f"{KUBERNETES}pod_container_image": container.image,
        f"{KUBERNETES}pod_container_init": str(is_init).lower(),
        **port_labels(port),
    }
