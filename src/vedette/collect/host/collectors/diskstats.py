"""Reads, writes and waiting of block devices: /proc/diskstats, and what udev knows of them."""

from __future__ import annotations

import os
from typing import Final

from vedette.collect.host.kernel_files import read_bytes, try_text
from vedette.collect.host.patterns import name_test
from vedette.collect.host.rows import Family, RowTable
from vedette.collect.host.settings import HostSettings
from vedette.model.samples import MetricType

_SECTOR_BYTES: Final = 512.0
_TICK_S: Final = 0.001

COLUMNS: Final = tuple(
    (Family(f"node_disk_{name}", kind, text, ("device",)), factor)
    for name, kind, factor, text in (
        ("reads_completed_total", MetricType.COUNTER, 1, "The total number of reads completed successfully."),
        ("reads_merged_total", MetricType.COUNTER, 1, "The total number of reads merged."),
        ("read_bytes_total", MetricType.COUNTER, _SECTOR_BYTES, "The total number of bytes read successfully."),
        ("read_time_seconds_total", MetricType.COUNTER, _TICK_S, "The total number of seconds spent by all reads."),
        ("writes_completed_total", MetricType.COUNTER, 1, "The total number of writes completed successfully."),
        ("writes_merged_total", MetricType.COUNTER, 1, "The number of writes merged."),
        ("written_bytes_total", MetricType.COUNTER, _SECTOR_BYTES, "The total number of bytes written successfully."),
        (
            "write_time_seconds_total",
            MetricType.COUNTER,
            _TICK_S,
            "This is the total number of seconds spent by all writes.",
        ),
        ("io_now", MetricType.GAUGE, 1, "The number of I/Os currently in progress."),
        ("io_time_seconds_total", MetricType.COUNTER, _TICK_S, "Total seconds spent doing I/Os."),
        (
            "io_time_weighted_seconds_total",
            MetricType.COUNTER,
            _TICK_S,
            "The weighted # of seconds spent doing I/Os.",
        ),
        ("discards_completed_total", MetricType.COUNTER, 1, "The total number of discards completed successfully."),
        ("discards_merged_total", MetricType.COUNTER, 1, "The total number of discards merged."),
        ("discarded_sectors_total", MetricType.COUNTER, 1, "The total number of sectors discarded successfully."),
        (
            "discard_time_seconds_total",
            MetricType.COUNTER,
            _TICK_S,
            "This is the total number of seconds spent by all discards.",
        ),
        (
            "flush_requests_total",
            MetricType.COUNTER,
            1,
            "The total number of flush requests completed successfully",
        ),
        (
            "flush_requests_time_seconds_total",
            MetricType.COUNTER,
            _TICK_S,
            "This is the total number of seconds spent by all flush requests.",
        ),
    )
)
"""The columns of /proc/diskstats after the device's name; older kernels have only the first eleven."""

INFO: Final = Family(
    "node_disk_info",
    MetricType.GAUGE,
    "Info of /sys/block/<block_device>.",
    ("device", "major", "minor", "path", "wwn", "model", "serial", "revision"),
)
FILESYSTEM_INFO: Final = Family(
    "node_disk_filesystem_info",
    MetricType.GAUGE,
    "Info about disk filesystem.",
    ("device", "type", "usage", "uuid", "version"),
)
MAPPER_INFO: Final = Family(
    "node_disk_device_mapper_info",
    MetricType.GAUGE,
    "Info about disk device mapper.",
    ("device", "name", "uuid", "vg_name", "lv_name", "lv_layer"),
)
ATA: Final = {
    "ID_ATA_WRITE_CACHE": Family(
        "node_disk_ata_write_cache", MetricType.GAUGE, "ATA disk has a write cache.", ("device",)
    ),
    "ID_ATA_WRITE_CACHE_ENABLED": Family(
        "node_disk_ata_write_cache_enabled",
        MetricType.GAUGE,
        "ATA disk has its write cache enabled.",
        ("device",),
    ),
    "ID_ATA_ROTATION_RATE_RPM": Family(
        "node_disk_ata_rotation_rate_rpm",
        MetricType.GAUGE,
        "ATA disk rotation rate in RPMs (0 for SSDs).",
        ("device",),
    ),
}

_MIN_FIELDS: Final = 4


class DiskstatsCollector:
    """Reads /proc/diskstats; udev's facts are read again when their file changes."""

    def __init__(self, settings: HostSettings) -> None:
        self._path = settings.proc("diskstats")
        self._udev = settings.udev_data or settings.root("/run/udev/data")
        self._excluded = name_test(settings.options.disk_exclude, "disk_exclude")
        self._facts: dict[str, tuple[int, dict[str, str]]] = {}

    def collect(self, rows: RowTable) -> None:
        """Add this round's samples."""
        numbers: set[str] = set()
        for line in read_bytes(self._path).decode("utf-8", "replace").splitlines():
            fields = line.split()
            if len(fields) < _MIN_FIELDS:
                continue
            major, minor, device = fields[:3]
            if self._excluded(device):
                continue
            for (family, factor), value in zip(COLUMNS, fields[3:], strict=False):
                rows.put(family, float(value) * factor, (device,))
            number = f"{major}:{minor}"
            numbers.add(number)
            facts = self._udev_facts(number)
            _put_info(rows, device, (major, minor), facts)
        self._facts = {number: facts for number, facts in self._facts.items() if number in numbers}

    def _udev_facts(self, number: str) -> dict[str, str]:
        path = f"{self._udev}/b{number}"
        try:
            changed_ns = os.stat(path).st_mtime_ns  # noqa: PTH116 - once per disk and round
        except OSError:
            return {}
        known = self._facts.get(number)
        if known is None or known[0] != changed_ns:
            facts: dict[str, str] = {}
            for line in try_text(path).splitlines():
                name, equals, value = line.removeprefix("E:").partition("=")
                if equals and line.startswith("E:"):
                    facts[name] = value
            known = self._facts[number] = (changed_ns, facts)
        return known[1]


def _put_info(rows: RowTable, device: str, number: tuple[str, str], facts: dict[str, str]) -> None:
    serial = facts.get("SCSI_IDENT_SERIAL") or facts.get("ID_SERIAL_SHORT") or facts.get("ID_SERIAL", "")
    path, wwn, model, revision = (facts.get(f"ID_{name}", "") for name in ("PATH", "WWN", "MODEL", "REVISION"))
    rows.put(INFO, 1, (device, *number, path, wwn, model, serial, revision))
    if facts.get("ID_FS_TYPE"):
        names = ("TYPE", "USAGE", "UUID", "VERSION")
        rows.put(FILESYSTEM_INFO, 1, (device, *(facts.get(f"ID_FS_{name}", "") for name in names)))
    if facts.get("DM_NAME"):
        names = ("NAME", "UUID", "VG_NAME", "LV_NAME", "LV_LAYER")
        rows.put(MAPPER_INFO, 1, (device, *(facts.get(f"DM_{name}", "") for name in names)))
    if facts.get("ID_ATA"):
        for name, family in ATA.items():
            if facts.get(name, "").isdigit():
                rows.put(family, float(facts[name]), (device,))
