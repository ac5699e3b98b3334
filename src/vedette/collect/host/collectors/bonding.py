"""Bonded network interfaces and how many of their members work: /sys/class/net/<master>/bonding."""

from __future__ import annotations

from typing import Final

from vedette.collect.host.kernel_files import NoDataError, read_text, try_text
from vedette.collect.host.rows import Family, RowTable
from vedette.collect.host.settings import HostSettings
from vedette.model.samples import MetricType

SLAVES: Final = Family(
    "node_bonding_slaves", MetricType.GAUGE, "Number of configured slaves per bonding interface.", ("master",)
)
ACTIVE: Final = Family(
    "node_bonding_active", MetricType.GAUGE, "Number of active slaves per bonding interface.", ("master",)
)


class BondingCollector:
    """Reads each bond's members and the state of their links."""

    def __init__(self, settings: HostSettings) -> None:
        self._root = settings.sys("class", "net")

    def collect(self, rows: RowTable) -> None:
        """Add this round's samples."""
        try:
            masters = read_text(f"{self._root}/bonding_masters").split()
        except FileNotFoundError as exc:
            raise NoDataError("no bonding") from exc
        for master in masters:
            slaves = try_text(f"{self._root}/{master}/bonding/slaves").split()
            states = [self._link_state(master, slave) for slave in slaves]
            rows.put(SLAVES, len(slaves), (master,))
            rows.put(ACTIVE, states.count("up"), (master,))

    def _link_state(self, master: str, slave: str) -> str:
        # Older kernels say `slave_` where newer ones say `lower_`.
        for prefix in ("lower", "slave"):
            state = try_text(f"{self._root}/{master}/{prefix}_{slave}/bonding_slave/mii_status")
            if state:
                return state
        return ""
