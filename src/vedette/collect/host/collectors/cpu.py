"""Where the processors spent their time: /proc/stat, and how often they were throttled for heat.

The kernel's idle and iowait counters may step back a little; such a step is held back, because a
counter that falls would be taken for a restart and counted twice. A large step means that the
processor was unplugged and came back: then all of its counters start again.
"""

from __future__ import annotations

import os
from typing import Final

from vedette.collect.host.kernel_files import list_names, read_bytes, try_number
from vedette.collect.host.rows import Family, RowTable
from vedette.collect.host.settings import HostSettings
from vedette.model.samples import MetricType

SECONDS: Final = Family(
    "node_cpu_seconds_total", MetricType.COUNTER, "Seconds the CPUs spent in each mode.", ("cpu", "mode")
)
GUEST: Final = Family(
    "node_cpu_guest_seconds_total",
    MetricType.COUNTER,
    "Seconds the CPUs spent in guests (VMs) for each mode.",
    ("cpu", "mode"),
)
CORE_THROTTLES: Final = Family(
    "node_cpu_core_throttles_total",
    MetricType.COUNTER,
    "Number of times this CPU core has been throttled.",
    ("package", "core"),
)
PACKAGE_THROTTLES: Final = Family(
    "node_cpu_package_throttles_total",
    MetricType.COUNTER,
    "Number of times this CPU package has been throttled.",
    ("package",),
)

MODES: Final = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
GUEST_MODES: Final = ("user", "nice")
_IDLE: Final = MODES.index("idle")
_JUMP_BACK_S: Final = 3.0


class CpuCollector:
    """Remembers each processor's last times, so that they never fall."""

    def __init__(self, settings: HostSettings) -> None:
        self._stat = settings.proc("stat")
        self._ticks_per_s = os.sysconf("SC_CLK_TCK")
        self._last: dict[str, list[float]] = {}
        self._sys = settings.sys("devices", "system", "cpu")
        self._throttled: list[tuple[tuple[str, str], str]] | None = None

    def collect(self, rows: RowTable) -> None:
        """Add this round's samples."""
        for cpu, seconds in self._times().items():
            for mode, value in zip(MODES, seconds, strict=False):
                rows.put(SECONDS, value, (cpu, mode))
            for mode, value in zip(GUEST_MODES, seconds[len(MODES) :], strict=False):
                rows.put(GUEST, value, (cpu, mode))
        self._collect_throttles(rows)

    def _times(self) -> dict[str, list[float]]:
        """Seconds by processor, in the order of `MODES` and then `GUEST_MODES`."""
        current: dict[str, list[float]] = {}
        for line in read_bytes(self._stat).split(b"\n"):
            if not line.startswith(b"cpu"):
                break  # the processors come first
            name, *ticks = line.split()
            cpu = name[3:].decode("ascii", "replace")
            if not cpu:
                continue  # the sum over all processors
            seconds = [float(value) / self._ticks_per_s for value in ticks]
            seconds += [0.0] * (len(MODES) + len(GUEST_MODES) - len(seconds))
            last = self._last.get(cpu, seconds)
            if last[_IDLE] - seconds[_IDLE] < _JUMP_BACK_S:
                seconds = [max(pair) for pair in zip(seconds, last, strict=True)]
            current[cpu] = seconds
        self._last = current
        return current

    def _collect_throttles(self, rows: RowTable) -> None:
        if self._throttled is None:
            self._throttled = self._find_throttled()
        packages: set[str] = set()
        for (package, core), directory in self._throttled:
            count = try_number(f"{directory}/core_throttle_count")
            if count is not None:
                rows.put(CORE_THROTTLES, count, (package, core))
            if package in packages:
                continue
            count = try_number(f"{directory}/package_throttle_count")
            if count is not None:
                packages.add(package)
                rows.put(PACKAGE_THROTTLES, count, (package,))

    def _find_throttled(self) -> list[tuple[tuple[str, str], str]]:
        """Package and core, and where their throttling is told; looked up once, two threads share a core."""
        found: dict[tuple[str, str], str] = {}
        if not os.path.isdir(self._sys):  # noqa: PTH112 - as everywhere in this package
            return []
        for name in list_names(self._sys):
            if not (name.startswith("cpu") and name[3:].isdigit()):
                continue
            package = try_number(f"{self._sys}/{name}/topology/physical_package_id")
            core = try_number(f"{self._sys}/{name}/topology/core_id")
            throttle = f"{self._sys}/{name}/thermal_throttle"
            if package is not None and core is not None and try_number(f"{throttle}/core_throttle_count") is not None:
                found.setdefault((f"{package:.0f}", f"{core:.0f}"), throttle)
        return list(found.items())
