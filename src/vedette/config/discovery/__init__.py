"""Settings of service discovery: how a job's targets are found. One module for each kind."""

from vedette.config.discovery.dns import DnsDiscovery, RecordType
from vedette.config.discovery.docker import DockerDiscovery, DockerFilter
from vedette.config.discovery.file import FileDiscovery
from vedette.config.discovery.foreign import ForeignDiscovery
from vedette.config.discovery.http import HttpDiscovery
from vedette.config.discovery.kind import DiscoverySettings
from vedette.config.discovery.kubernetes import KubernetesDiscovery, Role, Selector
from vedette.config.discovery.registry import Discovering, discovery_key
from vedette.config.discovery.static import TargetGroup

__all__ = [
    "Discovering",
    "DiscoverySettings",
    "DnsDiscovery",
    "DockerDiscovery",
    "DockerFilter",
    "FileDiscovery",
    "ForeignDiscovery",
    "HttpDiscovery",
    "KubernetesDiscovery",
    "RecordType",
    "Role",
    "Selector",
    "TargetGroup",
    "discovery_key",
]
