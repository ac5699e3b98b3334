"""Metrics of the host that Vedette runs on, under node_exporter's names."""

from vedette.collect.host.host import HostCollector
from vedette.collect.host.registry import COLLECTORS
from vedette.collect.host.settings import HostSettings

__all__ = ["COLLECTORS", "HostCollector", "HostSettings"]
