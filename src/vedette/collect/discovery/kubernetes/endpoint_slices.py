"""Targets from endpoint slices, the modern form of endpoints."""

from __future__ import annotations

from typing import Final

from vedette.collect.discovery.groups import ADDRESS, TargetGroup, host_port, label_name
from vedette.collect.discovery.kubernetes.endpoint_pods import EndpointPods
from vedette.collect.discovery.kubernetes.lookup import Lookup
from vedette.collect.discovery.kubernetes.meta_labels import (
    KUBERNETES,
    namespace_labels,
    node_labels,
    object_labels,
    service_labels,
)
from vedette.collect.discovery.kubernetes.objects import Endpoint, EndpointPort, EndpointSlice

SERVICE_NAME: Final = "kubernetes.io/service-name"
"""The label that says which service a slice belongs to."""

_SLICE: Final = KUBERNETES + "endpointslice_"


def endpoint_slice_group(found: EndpointSlice, lookup: Lookup) -> TargetGroup:
    """A slice's group."""
    pods = EndpointPods(lookup)
    targets: list[dict[str, str]] = []
    for endpoint in found.endpoints:
        reference = endpoint.target_ref
        is_node = reference is not None and reference.kind == "Node"
        node = node_labels(reference.name if reference is not None and is_node else endpoint.node_name, lookup)
        targets += [
            _target(address, endpoint, port) | node | pods.labels(reference, port.port)
            for port in found.ports
            for address in endpoint.addresses
        ]
    labels = {
        **namespace_labels(found, lookup),
        f"{_SLICE}address_type": found.address_type,
        **object_labels(found, "endpointslice"),
    }
    service = found.metadata.labels.get(SERVICE_NAME)
    if service is not None:
        labels |= service_labels(f"{found.metadata.namespace}/{service}", lookup)
    return TargetGroup(f"endpointslice/{found.key}", labels, (*targets, *pods.other_ports()))


def _target(address: str, endpoint: Endpoint, port: EndpointPort) -> dict[str, str]:
    labels = {ADDRESS: address if port.port is None else host_port(address, port.port)}
    optional = {
        "port_name": port.name,
        "port_protocol": port.protocol,
        "port": None if port.port is None else str(port.port),
        "port_app_protocol": port.app_protocol,
        "endpoint_conditions_ready": _flag(endpoint.conditions.ready),
        "endpoint_conditions_serving": _flag(endpoint.conditions.serving),
        "endpoint_conditions_terminating": _flag(endpoint.conditions.terminating),
        "endpoint_hostname": endpoint.hostname,
        "endpoint_node_name": endpoint.node_name,
        "endpoint_zone": endpoint.zone,
        "address_target_kind": endpoint.target_ref.kind if endpoint.target_ref else None,
        "address_target_name": endpoint.target_ref.name if endpoint.target_ref else None,
    }
    labels |= {_SLICE + name: value for name, value in optional.items() if value is not None}
    for key, value in endpoint.deprecated_topology.items():
        labels[f"{_SLICE}endpoint_topology_{label_name(key)}"] = value
        labels[f"{_SLICE}endpoint_topology_present_{label_name(key)}"] = "true"
    return labels


def _flag(value: bool | None) -> str | None:  # noqa: FBT001 - three states
    return None if value is None else str(value).lower()
