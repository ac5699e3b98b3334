"""Targets from ingresses: one for each path of each host, for probing from outside."""

from __future__ import annotations

from vedette.collect.discovery.groups import ADDRESS, TargetGroup
from vedette.collect.discovery.kubernetes.lookup import Lookup
from vedette.collect.discovery.kubernetes.meta_labels import KUBERNETES, namespace_labels, object_labels
from vedette.collect.discovery.kubernetes.objects import Ingress


def ingress_group(ingress: Ingress, lookup: Lookup) -> TargetGroup:
    """An ingress' group."""
    secured = [host for tls in ingress.spec.tls for host in tls.hosts]
    targets: list[dict[str, str]] = []
    for rule in ingress.spec.rules:
        scheme = "https" if any(_covers(pattern, rule.host) for pattern in secured) else "http"
        paths = ["/"] if rule.http is None else [path.path or "/" for path in rule.http.paths]
        common = {
            ADDRESS: rule.host,
            f"{KUBERNETES}ingress_scheme": scheme,
            f"{KUBERNETES}ingress_host": rule.host,
        }
        targets += [{**common, f"{KUBERNETES}ingress_path": path} for path in paths]
    labels = {**namespace_labels(ingress, lookup), **object_labels(ingress, "ingress")}
    if ingress.spec.ingress_class_name is not None:
        labels[f"{KUBERNETES}ingress_class_name"] = ingress.spec.ingress_class_name
    return TargetGroup(f"ingress/{ingress.key}", labels, tuple(targets))


def _covers(pattern: str, host: str) -> bool:
    """Whether a certificate's host, which may begin with `*.`, stands for a host."""
    if pattern == host:
        return True
    wildcard, _, domain = pattern.partition(".")
    first, _, rest = host.partition(".")
    return wildcard == "*" and bool(first) and domain == rest
