"""Which software delivers the host's metrics, in the place where dashboards look for node_exporter's version."""

from __future__ import annotations

import platform
from typing import Final

from vedette.__about__ import __version__
from vedette.collect.host.rows import Family, RowTable
from vedette.collect.host.settings import HostSettings
from vedette.model.samples import MetricType

BUILD_INFO: Final = Family(
    "node_exporter_build_info",
    MetricType.GAUGE,
    "A metric with a constant '1' value labeled by version, revision, branch, goversion from which node_exporter"
    " was built, and the goos and goarch for the build.",
    ("version", "branch", "goversion", "goos", "goarch"),
)


class BuildInfoCollector:
    """Reports Vedette's version; `branch` says that this is not node_exporter itself."""

    def __init__(self, _settings: HostSettings) -> None:
        self._labels = (
            __version__,
            "vedette",
            f"python{platform.python_version()}",
            platform.system().lower(),
            platform.machine(),
        )

    def collect(self, rows: RowTable) -> None:
        """Add this round's sample."""
        rows.put(BUILD_INFO, 1, self._labels)
