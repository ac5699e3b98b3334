"""Targets from services: one for each port, under the service's DNS name."""

from __future__ import annotations

from vedette.collect.discovery.groups import ADDRESS, TargetGroup, host_port
from vedette.collect.discovery.kubernetes.lookup import Lookup
from vedette.collect.discovery.kubernetes.meta_labels import KUBERNETES, namespace_labels, object_labels
from vedette.collect.discovery.kubernetes.objects import Service


def service_group(service: Service, lookup: Lookup) -> TargetGroup:
    """A service's group."""
    meta, spec = service.metadata, service.spec
    common = {f"{KUBERNETES}service_type": spec.type}
    if spec.type == "ExternalName":
        common[f"{KUBERNETES}service_external_name"] = spec.external_name
    else:
        common[f"{KUBERNETES}service_cluster_ip"] = spec.cluster_ip
    if spec.type == "LoadBalancer":
        common[f"{KUBERNETES}service_loadbalancer_ip"] = spec.load_balancer_ip
    targets = tuple(
        {
            **common,
            ADDRESS: host_port(f"{meta.name}.{meta.namespace}.svc", port.port),
            f"{KUBERNETES}service_port_name": port.name,
            f"{KUBERNETES}service_port_number": str(port.port),
            f"{KUBERNETES}service_port_protocol": port.protocol,
        }
        for port in spec.ports
    )
    labels = {**namespace_labels(service, lookup), **object_labels(service, "service")}
    return TargetGroup(f"svc/{service.key}", labels, targets)
