"""The collectors of host metrics: one file and one line here each.

Names and defaults are node_exporter's. Not here, because nobody asked for them or because they need
more than reading a file: bcache, btrfs, dmi, edac, fibrechannel, infiniband, ipvs, mdadm, nfs, nfsd,
nvme, powersupplyclass, rapl, selinux, systemd, tapestats, xfs, zfs, and those that node_exporter
itself leaves off (`processes` excepted, which is on here).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Final, Protocol

from vedette.collect.host.collectors.arp import ArpCollector
from vedette.collect.host.collectors.bonding import BondingCollector
from vedette.collect.host.collectors.build_info import BuildInfoCollector
from vedette.collect.host.collectors.conntrack import ConntrackCollector
from vedette.collect.host.collectors.cpu import CpuCollector
from vedette.collect.host.collectors.cpufreq import CpufreqCollector
from vedette.collect.host.collectors.diskstats import DiskstatsCollector
from vedette.collect.host.collectors.entropy import EntropyCollector
from vedette.collect.host.collectors.filefd import FilefdCollector
from vedette.collect.host.collectors.filesystem import FilesystemCollector
from vedette.collect.host.collectors.hwmon import HwmonCollector
from vedette.collect.host.collectors.loadavg import LoadavgCollector
from vedette.collect.host.collectors.meminfo import MeminfoCollector
from vedette.collect.host.collectors.netclass import NetclassCollector
from vedette.collect.host.collectors.netdev import NetdevCollector
from vedette.collect.host.collectors.netstat import NetstatCollector
from vedette.collect.host.collectors.os_release import OsReleaseCollector
from vedette.collect.host.collectors.pressure import PressureCollector
from vedette.collect.host.collectors.processes import ProcessesCollector
from vedette.collect.host.collectors.schedstat import SchedstatCollector
from vedette.collect.host.collectors.sockstat import SockstatCollector
from vedette.collect.host.collectors.softnet import SoftnetCollector
from vedette.collect.host.collectors.stat import StatCollector
from vedette.collect.host.collectors.textfile import TextfileCollector
from vedette.collect.host.collectors.thermal_zone import ThermalZoneCollector
from vedette.collect.host.collectors.time import TimeCollector
from vedette.collect.host.collectors.timex import TimexCollector
from vedette.collect.host.collectors.udp_queues import UdpQueuesCollector
from vedette.collect.host.collectors.uname import UnameCollector
from vedette.collect.host.collectors.vmstat import VmstatCollector
from vedette.collect.host.rows import RowTable
from vedette.collect.host.settings import HostSettings
from vedette.model.errors import ConfigError, Location


class Collector(Protocol):
    """Reads one part of the host. It may keep what it learned; it is never run twice at a time."""

    def collect(self, rows: RowTable) -> None:
        """Add this round's samples; what it raises counts as its failure.

        Raises:
            NoDataError: there is nothing of the kind on this machine.
        """
        ...


COLLECTORS: Final[Mapping[str, Callable[[HostSettings], Collector]]] = {
    "arp": ArpCollector,
    "bonding": BondingCollector,
    "build_info": BuildInfoCollector,
    "conntrack": ConntrackCollector,
    "cpu": CpuCollector,
    "cpufreq": CpufreqCollector,
    "diskstats": DiskstatsCollector,
    "entropy": EntropyCollector,
    "filefd": FilefdCollector,
    "filesystem": FilesystemCollector,
    "hwmon": HwmonCollector,
    "loadavg": LoadavgCollector,
    "meminfo": MeminfoCollector,
    "netclass": NetclassCollector,
    "netdev": NetdevCollector,
    "netstat": NetstatCollector,
    "os": OsReleaseCollector,
    "pressure": PressureCollector,
    "processes": ProcessesCollector,
    "schedstat": SchedstatCollector,
    "sockstat": SockstatCollector,
    "softnet": SoftnetCollector,
    "stat": StatCollector,
    "textfile": TextfileCollector,
    "thermal_zone": ThermalZoneCollector,
    "time": TimeCollector,
    "timex": TimexCollector,
    "udp_queues": UdpQueuesCollector,
    "uname": UnameCollector,
    "vmstat": VmstatCollector,
}


def build_collectors(settings: HostSettings) -> dict[str, Collector]:
    """The collectors that settings ask for, by name.

    Raises:
        ConfigError: settings name one that does not exist, or hold a bad pattern.
    """
    for name in settings.options.disabled_collectors:
        if name not in COLLECTORS:
            similar = get_close_matches(name, COLLECTORS, n=1)
            hint = f"Did you mean {similar[0]}? " if similar else ""
            raise ConfigError(
                at=Location("host metrics"),
                problem=f"there is no collector {name!r}",
                remedy=f"{hint}There are: {', '.join(COLLECTORS)}",
            )
    chosen = [name for name in COLLECTORS if name not in settings.options.disabled_collectors]
    return {name: COLLECTORS[name](settings) for name in chosen}
