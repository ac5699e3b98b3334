"""Labels from the metadata of objects, the same for all roles."""

from __future__ import annotations

from typing import Final

from vedette.collect.discovery.groups import META, label_name
from vedette.collect.discovery.kubernetes.lookup import Lookup
from vedette.collect.discovery.kubernetes.objects import Anything, Service

KUBERNETES: Final = META + "kubernetes_"
NAMESPACE: Final = KUBERNETES + "namespace"

_PRESENT: Final = "true"


def object_labels(found: Anything, role: str, *, name: bool = True) -> dict[str, str]:
    """An object's name, labels and annotations: `__meta_kubernetes_<role>_...`."""
    meta = found.metadata
    prefix = KUBERNETES + role
    labels = {f"{prefix}_name": meta.name} if name else {}
    for kind, pairs in (("label", meta.labels), ("annotation", meta.annotations)):
        for key, value in pairs.items():
            fit = label_name(key)
            labels[f"{prefix}_{kind}_{fit}"] = value
            labels[f"{prefix}_{kind}present_{fit}"] = _PRESENT
    return labels


def namespace_labels(found: Anything, lookup: Lookup) -> dict[str, str]:
    """The namespace's name, and its metadata where that is wanted."""
    name = found.metadata.namespace
    namespace = lookup.namespace(name)
    more = object_labels(namespace, "namespace", name=False) if namespace is not None else {}
    return {NAMESPACE: name, **more}


def node_labels(name: str | None, lookup: Lookup) -> dict[str, str]:
    """A node's metadata, where that is wanted and the node is known."""
    node = lookup.node(name)
    return object_labels(node, "node") if node is not None else {}


def service_labels(key: str, lookup: Lookup) -> dict[str, str]:
    """The metadata of the service behind an object; nothing where it is not known."""
    service = lookup.service(key)
    if not isinstance(service, Service):
        return {}
    return {NAMESPACE: service.metadata.namespace, **object_labels(service, "service")}
