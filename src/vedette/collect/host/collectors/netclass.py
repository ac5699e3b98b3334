"""Properties of network devices: /sys/class/net."""

from __future__ import annotations

import os
from typing import Final

from vedette.collect.host.kernel_files import list_names, try_text
from vedette.collect.host.patterns import name_test
from vedette.collect.host.rows import Family, RowTable
from vedette.collect.host.settings import HostSettings
from vedette.model.samples import MetricType

UP: Final = Family("node_network_up", MetricType.GAUGE, "Value is 1 if operstate is 'up', 0 otherwise.", ("device",))
INFO: Final = Family(
    "node_network_info",
    MetricType.GAUGE,
    "Non-numeric data from /sys/class/net/<iface>, value is always 1.",
    ("device", "address", "broadcast", "duplex", "operstate", "ifalias"),
)


def _property(name: str, kind: MetricType = MetricType.GAUGE) -> Family:
    return Family(f"node_network_{name}", kind, f"Network device property: {name}", ("device",))


PROPERTIES: Final = {
    "addr_assign_type": _property("address_assign_type"),
    "carrier": _property("carrier"),
    "carrier_changes": _property("carrier_changes_total", MetricType.COUNTER),
    "carrier_down_count": _property("carrier_down_changes_total", MetricType.COUNTER),
    "carrier_up_count": _property("carrier_up_changes_total", MetricType.COUNTER),
    "dev_id": _property("device_id"),
    "dormant": _property("dormant"),
    "flags": _property("flags"),
    "ifindex": _property("iface_id"),
    "iflink": _property("iface_link"),
    "link_mode": _property("iface_link_mode"),
    "mtu": _property("mtu_bytes"),
    "name_assign_type": _property("name_assign_type"),
    "netdev_group": _property("net_dev_group"),
    "tx_queue_len": _property("transmit_queue_length"),
    "type": _property("protocol_type"),
}
SPEED: Final = _property("speed_bytes")

_BYTES_PER_MEGABIT: Final = 1_000_000 // 8


class NetclassCollector:
    """Reads the attributes of each device; one that a device does not support is left out."""

    def __init__(self, settings: HostSettings) -> None:
        self._root = settings.sys("class", "net")
        self._excluded = name_test(settings.netclass_exclude, "netclass_exclude")

    def collect(self, rows: RowTable) -> None:
        """Add this round's samples."""
        for device in list_names(self._root):
            directory = f"{self._root}/{device}"
            if self._excluded(device) or not os.path.isdir(directory):  # noqa: PTH112 - once per device and round
                continue
            state = try_text(f"{directory}/operstate")
            rows.put(UP, state == "up", (device,))
            address, broadcast, duplex, alias = (
                try_text(f"{directory}/{name}") for name in ("address", "broadcast", "duplex", "ifalias")
            )
            rows.put(INFO, 1, (device, address, broadcast, duplex, state, alias))
            for name, family in PROPERTIES.items():
                value = _integer(f"{directory}/{name}")
                if value is not None:
                    rows.put(family, value, (device,))
            megabits = _integer(f"{directory}/speed")
            if megabits is not None:
                rows.put(SPEED, megabits * _BYTES_PER_MEGABIT, (device,))


def _integer(path: str) -> int | None:
    """A number, decimal or `0x` hexadecimal; None where the driver has none."""
    try:
        return int(try_text(path), 0)
    except ValueError:
        return None
