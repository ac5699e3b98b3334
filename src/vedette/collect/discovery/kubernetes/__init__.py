"""Targets in a Kubernetes cluster, by listing and watching its API server."""

from vedette.collect.discovery.kubernetes.discoverer import KubernetesDiscoverer

__all__ = ["KubernetesDiscoverer"]
