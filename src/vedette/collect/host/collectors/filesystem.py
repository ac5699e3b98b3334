"""How full file systems are: the mounts of process 1, asked by `statvfs`."""

from __future__ import annotations

import re
from typing import Final

from vedette.collect.host.kernel_files import read_bytes
from vedette.collect.host.patterns import name_test
from vedette.collect.host.rows import Family, RowTable
from vedette.collect.host.settings import HostSettings
from vedette.collect.host.statvfs import StatvfsReader
from vedette.model.samples import MetricType

_LABELS: Final = ("device", "mountpoint", "fstype")


def _gauge(name: str, text: str) -> Family:
    return Family(f"node_filesystem_{name}", MetricType.GAUGE, text, _LABELS)


SIZE: Final = _gauge("size_bytes", "Filesystem size in bytes.")
FREE: Final = _gauge("free_bytes", "Filesystem free space in bytes.")
AVAILABLE: Final = _gauge("avail_bytes", "Filesystem space available to non-root users in bytes.")
FILES: Final = _gauge("files", "Filesystem total file nodes.")
FILES_FREE: Final = _gauge("files_free", "Filesystem total free file nodes.")
READ_ONLY: Final = _gauge("readonly", "Filesystem read-only status.")
DEVICE_ERROR: Final = _gauge("device_error", "Whether an error occurred while getting statistics for the given device.")

_OCTAL: Final = re.compile(r"\\([0-7]{3})")
_FIELDS: Final = 4


class FilesystemCollector:
    """Reads the table of mounts and asks each that is wanted; one that hangs is reported as broken."""

    def __init__(self, settings: HostSettings) -> None:
        self._tables = (settings.proc("1", "mounts"), settings.proc("self", "mounts"))
        self._root = settings.root
        self._rootfs = settings.options.rootfs.rstrip("/")
        self._mount_excluded = name_test(settings.options.mount_points_exclude, "mount_points_exclude")
        self._type_excluded = name_test(settings.options.fs_types_exclude, "fs_types_exclude")
        self._reader = StatvfsReader(timeout_s=settings.options.mount_timeout.s)

    def collect(self, rows: RowTable) -> None:
        """Add this round's samples."""
        mounts = [
            (labels, options)
            for labels, options in self._mounts()
            if not self._mount_excluded(labels[1]) and not self._type_excluded(labels[2])
        ]
        answers = self._reader.read(list(dict.fromkeys(self._root(labels[1]) for labels, _ in mounts)))
        for labels, options in mounts:
            answer = answers[self._root(labels[1])]
            rows.put(READ_ONLY, "ro" in options.split(","), labels)
            rows.put(DEVICE_ERROR, isinstance(answer, OSError), labels)
            if isinstance(answer, OSError):
                continue
            # The fragment size is the unit of the counts (statvfs(3)); node_exporter takes the block size,
            # which is the same number on disks and wrong on some FUSE mounts.
            unit = answer.f_frsize
            rows.put(SIZE, answer.f_blocks * unit, labels)
            rows.put(FREE, answer.f_bfree * unit, labels)
            rows.put(AVAILABLE, answer.f_bavail * unit, labels)
            rows.put(FILES, answer.f_files, labels)
            rows.put(FILES_FREE, answer.f_ffree, labels)

    def close(self) -> None:
        """Let go of the thread that asks."""
        self._reader.close()

    def _mounts(self) -> list[tuple[tuple[str, str, str], str]]:
        """Device, mount point and type of each mount, and its options."""
        mounts: list[tuple[tuple[str, str, str], str]] = []
        for line in self._table().decode("utf-8", "surrogateescape").splitlines():
            fields = line.split(" ")
            if len(fields) < _FIELDS:
                continue
            device, point, kind, options = (_unescape(text) for text in fields[:_FIELDS])
            if self._rootfs and (point == self._rootfs or point.startswith(self._rootfs + "/")):
                point = point.removeprefix(self._rootfs) or "/"
            mounts.append(((device, point, kind), options))
        return mounts

    def _table(self) -> bytes:
        # Process 1 sees the host's mounts, this one perhaps only a container's; but it may be hidden from us.
        try:
            return read_bytes(self._tables[0])
        except OSError:
            return read_bytes(self._tables[1])


def _unescape(text: str) -> str:
    r"""Text of /proc/mounts, in which blanks are written as `\040`."""
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), text) if "\\" in text else text
