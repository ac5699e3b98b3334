"""Targets from nodes: the kubelet of each."""

from __future__ import annotations

from typing import Final

from vedette.collect.discovery.groups import ADDRESS, TargetGroup, host_port, label_name
from vedette.collect.discovery.kubernetes.lookup import Lookup
from vedette.collect.discovery.kubernetes.meta_labels import KUBERNETES, object_labels
from vedette.collect.discovery.kubernetes.objects import Node

PREFERRED_ADDRESSES: Final = (
    "InternalIP",
    "InternalDNS",
    "ExternalIP",
    "ExternalDNS",
    "LegacyHostIP",
    "Hostname",
)


def node_group(node: Node, lookup: Lookup) -> TargetGroup:
    """A node's group; without targets while it has no address."""
    del lookup
    source = f"node/{node.key}"
    addresses: dict[str, str] = {}
    for one in node.status.addresses:
        addresses.setdefault(one.type, one.address)
    host = next((addresses[kind] for kind in PREFERRED_ADDRESSES if kind in addresses), None)
    if host is None:
        return TargetGroup(source)
    target = {
        ADDRESS: host_port(host, node.status.daemon_endpoints.kubelet_endpoint.port),
        "instance": node.metadata.name,
        **{f"{KUBERNETES}node_address_{label_name(kind)}": address for kind, address in addresses.items()},
    }
    labels = {f"{KUBERNETES}node_provider_id": node.spec.provider_id, **object_labels(node, "node")}
    return TargetGroup(source, labels, (target,))
