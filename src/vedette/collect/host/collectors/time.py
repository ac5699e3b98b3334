"""The host's clock: its time, zone and source."""

from __future__ import annotations

import time
from typing import Final

from vedette.collect.host.kernel_files import try_text
from vedette.collect.host.rows import Family, RowTable
from vedette.collect.host.settings import HostSettings
from vedette.model.samples import MetricType

SECONDS: Final = Family("node_time_seconds", MetricType.GAUGE, "System time in seconds since epoch (1970).")
ZONE_OFFSET: Final = Family(
    "node_time_zone_offset_seconds", MetricType.GAUGE, "System time zone offset in seconds.", ("time_zone",)
)
AVAILABLE: Final = Family(
    "node_time_clocksource_available_info",
    MetricType.GAUGE,
    "Available clocksources read from '/sys/devices/system/clocksource'.",
    ("device", "clocksource"),
)
CURRENT: Final = Family(
    "node_time_clocksource_current_info",
    MetricType.GAUGE,
    "Current clocksource read from '/sys/devices/system/clocksource'.",
    ("device", "clocksource"),
)

_DEVICE: Final = "0"
"""The kernel has had one clock source device ever since there are any."""


class TimeCollector:
    """Reports the round's own time, so that it is the time of its samples."""

    def __init__(self, settings: HostSettings) -> None:
        self._root = settings.sys("devices", "system", "clocksource", f"clocksource{_DEVICE}")

    def collect(self, rows: RowTable) -> None:
        """Add this round's samples."""
        now_s = rows.now_ms / 1000
        local = time.localtime(now_s)
        rows.put(SECONDS, now_s)
        rows.put(ZONE_OFFSET, local.tm_gmtoff, (local.tm_zone,))
        for source in try_text(f"{self._root}/available_clocksource").split():
            rows.put(AVAILABLE, 1, (_DEVICE, source))
        current = try_text(f"{self._root}/current_clocksource")
        if current:
            rows.put(CURRENT, 1, (_DEVICE, current))
