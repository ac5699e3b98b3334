"""How fast the processors run: /sys/devices/system/cpu/cpu*/cpufreq."""

from __future__ import annotations

from typing import Final

from vedette.collect.host.kernel_files import list_names, try_number
from vedette.collect.host.rows import Family, RowTable
from vedette.collect.host.settings import HostSettings
from vedette.model.samples import MetricType

HERTZ: Final = {
    file: Family(name, MetricType.GAUGE, text, ("cpu",))
    for file, name, text in (
        ("cpuinfo_cur_freq", "node_cpu_frequency_hertz", "Current cpu thread frequency in hertz."),
        ("cpuinfo_min_freq", "node_cpu_frequency_min_hertz", "Minimum cpu thread frequency in hertz."),
        ("cpuinfo_max_freq", "node_cpu_frequency_max_hertz", "Maximum cpu thread frequency in hertz."),
        ("scaling_cur_freq", "node_cpu_scaling_frequency_hertz", "Current scaled CPU thread frequency in hertz."),
        (
            "scaling_min_freq",
            "node_cpu_scaling_frequency_min_hertz",
            "Minimum scaled CPU thread frequency in hertz.",
        ),
        (
            "scaling_max_freq",
            "node_cpu_scaling_frequency_max_hertz",
            "Maximum scaled CPU thread frequency in hertz.",
        ),
    )
}
FIXED: Final = ("cpuinfo_min_freq", "cpuinfo_max_freq")
"""What the hardware cannot change is read once."""


class CpufreqCollector:
    """Reads the frequencies of each processor that has a cpufreq driver."""

    def __init__(self, settings: HostSettings) -> None:
        self._root = settings.sys("devices", "system", "cpu")
        self._fixed: dict[tuple[str, str], float] = {}

    def collect(self, rows: RowTable) -> None:
        """Add this round's samples."""
        for name in list_names(self._root):
            cpu = name[3:]
            if not (name.startswith("cpu") and cpu.isdigit()):
                continue
            for file, family in HERTZ.items():
                khz = self._fixed.get((cpu, file))
                if khz is None:
                    khz = try_number(f"{self._root}/{name}/cpufreq/{file}")
                if khz is None:
                    continue
                if file in FIXED:
                    self._fixed[cpu, file] = khz
                rows.put(family, khz * 1000, (cpu,))
