"""Service discovery: who the targets of a job are, as they come and go."""

from vedette.collect.discovery.groups import Discoverer, Publish, TargetGroup
from vedette.collect.discovery.health import DiscoveryMetrics, Health
from vedette.collect.discovery.registry import build_discoverers

__all__ = ["Discoverer", "DiscoveryMetrics", "Health", "Publish", "TargetGroup", "build_discoverers"]
