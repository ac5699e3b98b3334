"""Targets from endpoints: one for each address and port behind a service, and the pods' other ports."""

from __future__ import annotations

from vedette.collect.discovery.groups import ADDRESS, TargetGroup, host_port
from vedette.collect.discovery.kubernetes.endpoint_pods import EndpointPods
from vedette.collect.discovery.kubernetes.lookup import Lookup
from vedette.collect.discovery.kubernetes.meta_labels import (
    KUBERNETES,
    namespace_labels,
    node_labels,
    object_labels,
    service_labels,
)
from vedette.collect.discovery.kubernetes.objects import EndpointAddress, EndpointPort, Endpoints


def endpoints_group(endpoints: Endpoints, lookup: Lookup) -> TargetGroup:
    """The group of an endpoints object, which has the name of its service."""
    pods = EndpointPods(lookup)
    targets: list[dict[str, str]] = []
    for subset in endpoints.subsets:
        for port in subset.ports:
            for ready, addresses in (("true", subset.addresses), ("false", subset.not_ready_addresses)):
                for address in addresses:
                    target = _target(address, port, ready)
                    reference = address.target_ref
                    node = address.node_name
                    if node is None and reference is not None and reference.kind == "Node":
                        node = reference.name
                    targets.append(target | node_labels(node, lookup) | pods.labels(reference, port.port))
    labels = {
        **namespace_labels(endpoints, lookup),
        **object_labels(endpoints, "endpoints"),
        **service_labels(endpoints.key, lookup),
    }
    return TargetGroup(f"endpoints/{endpoints.key}", labels, (*targets, *pods.other_ports()))


def _target(address: EndpointAddress, port: EndpointPort, ready: str) -> dict[str, str]:
    labels = {
        ADDRESS: host_port(address.ip, port.port or 0),
        f"{KUBERNETES}endpoint_port_name": port.name or "",
        f"{KUBERNETES}endpoint_port_protocol": port.protocol or "",
        f"{KUBERNETES}endpoint_ready": ready,
    }
    if address.target_ref is not None:
        labels[f"{KUBERNETES}endpoint_address_target_kind"] = address.target_ref.kind
        labels[f"{KUBERNETES}endpoint_address_target_name"] = address.target_ref.name
    if address.node_name is not None:
        labels[f"{KUBERNETES}endpoint_node_name"] = address.node_name
    if address.hostname:
        labels[f"{KUBERNETES}endpoint_hostname"] = address.hostname
    return labels
