"""Temperatures and cooling devices: /sys/class/thermal."""

from __future__ import annotations

from typing import Final

from vedette.collect.host.kernel_files import list_names, try_number, try_text
from vedette.collect.host.rows import Family, RowTable
from vedette.collect.host.settings import HostSettings
from vedette.model.samples import MetricType

TEMPERATURE: Final = Family("node_thermal_zone_temp", MetricType.GAUGE, "Zone temperature in Celsius", ("zone", "type"))
CURRENT_STATE: Final = Family(
    "node_cooling_device_cur_state",
    MetricType.GAUGE,
    "Current throttle state of the cooling device",
    ("name", "type"),
)
MAX_STATE: Final = Family(
    "node_cooling_device_max_state",
    MetricType.GAUGE,
    "Maximum throttle state of the cooling device",
    ("name", "type"),
)

_ZONE: Final = "thermal_zone"
_DEVICE: Final = "cooling_device"


class ThermalZoneCollector:
    """Reads zones and devices; one whose sensor does not answer is left out."""

    def __init__(self, settings: HostSettings) -> None:
        self._root = settings.sys("class", "thermal")

    def collect(self, rows: RowTable) -> None:
        """Add this round's samples."""
        for name in list_names(self._root):
            directory = f"{self._root}/{name}"
            if name.startswith(_ZONE):
                millidegrees = try_number(f"{directory}/temp")
                if millidegrees is not None:
                    labels = (name.removeprefix(_ZONE), try_text(f"{directory}/type"))
                    rows.put(TEMPERATURE, millidegrees / 1000, labels)
            elif name.startswith(_DEVICE):
                labels = (name.removeprefix(_DEVICE), try_text(f"{directory}/type"))
                for family, file in ((CURRENT_STATE, "cur_state"), (MAX_STATE, "max_state")):
                    state = try_number(f"{directory}/{file}")
                    if state is not None:
                        rows.put(family, state, labels)
