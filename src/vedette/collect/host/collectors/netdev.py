"""Traffic of network devices: /proc/net/dev."""

from __future__ import annotations

from typing import Final

from vedette.collect.host.kernel_files import read_bytes, try_number
from vedette.collect.host.patterns import name_test
from vedette.collect.host.rows import Family, RowTable
from vedette.collect.host.settings import HostSettings
from vedette.model.errors import DecodeError
from vedette.model.samples import MetricType

NO_HANDLER: Final = Family(
    "node_network_receive_nohandler_total",
    MetricType.COUNTER,
    "Network device statistic receive_nohandler.",
    ("device",),
)

_HEADER_PARTS: Final = 3


class NetdevCollector:
    """Reads the columns that the file's heading names."""

    def __init__(self, settings: HostSettings) -> None:
        self._path = settings.proc("net", "dev")
        self._sys = settings.sys("class", "net")
        self._excluded = name_test(settings.options.netdev_exclude, "netdev_exclude")
        self._heading = ""
        self._families: tuple[Family, ...] = ()

    def collect(self, rows: RowTable) -> None:
        """Add this round's samples."""
        _, heading, *lines = read_bytes(self._path).decode("utf-8", "replace").splitlines()
        if heading != self._heading:
            self._families = _families(heading)
            self._heading = heading
        for line in lines:
            # The last colon: an alias such as `eth0:1` has one in its name.
            device, colon, counters = line.rpartition(":")
            device = device.strip()
            if not colon or self._excluded(device):
                continue
            for family, value in zip(self._families, counters.split(), strict=True):
                rows.put(family, float(value), (device,))
            no_handler = try_number(f"{self._sys}/{device}/statistics/rx_nohandler")
            if no_handler is not None:
                rows.put(NO_HANDLER, no_handler, (device,))


def _families(heading: str) -> tuple[Family, ...]:
    parts = heading.split("|")
    if len(parts) != _HEADER_PARTS:
        raise DecodeError(f"/proc/net/dev: unknown heading {heading[:80]!r}")
    names = [f"receive_{name}" for name in parts[1].split()] + [f"transmit_{name}" for name in parts[2].split()]
    return tuple(
        Family(f"node_network_{name}_total", MetricType.COUNTER, f"Network device statistic {name}.", ("device",))
        for name in names
    )
