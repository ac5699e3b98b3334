"""The kernel's version and the host's name, as `uname` tells them."""

from __future__ import annotations

import os
from typing import Final

from vedette.collect.host.kernel_files import try_text
from vedette.collect.host.rows import Family, RowTable
from vedette.collect.host.settings import HostSettings
from vedette.model.samples import MetricType

INFO: Final = Family(
    "node_uname_info",
    MetricType.GAUGE,
    "Labeled system information as provided by the uname system call.",
    ("sysname", "release", "version", "machine", "nodename", "domainname"),
)


class UnameCollector:
    """Asks at every round: the host may be renamed."""

    def __init__(self, settings: HostSettings) -> None:
        self._domain = settings.proc("sys", "kernel", "domainname")

    def collect(self, rows: RowTable) -> None:
        """Add this round's sample."""
        names = os.uname()
        labels = (names.sysname, names.release, names.version, names.machine, names.nodename)
        rows.put(INFO, 1, (*labels, try_text(self._domain)))
