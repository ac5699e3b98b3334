"""What others say of this host: `*.prom` files in the text format, as cron jobs and scripts write them.

A file is read again when it changes. One that is broken counts in `node_textfile_scrape_error` and its
series are gone until it is mended, so that nobody takes old numbers for new ones.
"""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import structlog

from vedette.collect.host.kernel_files import read_bytes
from vedette.collect.host.rows import Family, RowTable
from vedette.collect.host.settings import HostSettings
from vedette.model.errors import DecodeError
from vedette.model.labels import LabelSet
from vedette.model.samples import Metadata, MetricType
from vedette.wire.exposition.entries import Field, Format, MetadataEntry, SampleEntry
from vedette.wire.exposition.reference import read_entries

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

log: FilteringBoundLogger = structlog.get_logger()

ERROR: Final = Family(
    "node_textfile_scrape_error",
    MetricType.GAUGE,
    "1 if there was an error opening or reading a file, 0 otherwise",
)
MTIME: Final = Family(
    "node_textfile_mtime_seconds", MetricType.GAUGE, "Unixtime mtime of textfiles successfully read.", ("file",)
)

_SUFFIX: Final = ".prom"


@dataclass(frozen=True, slots=True)
class _TextFile:
    """One file's content.

    Attributes:
        version: time of change in nanoseconds, size and inode.
        samples: its series and values.
        metadata: its families.
        problem: why it counts for nothing; empty where it is good.
    """

    version: tuple[int, int, int]
    samples: tuple[tuple[LabelSet, float], ...] = ()
    metadata: tuple[Metadata, ...] = ()
    problem: str = ""


class TextfileCollector:
    """Reads the files of some directories, and remembers those that have not changed."""

    def __init__(self, settings: HostSettings) -> None:
        self._directories = tuple(settings.root(path) for path in settings.options.textfile_directories)
        self._limit = settings.textfile_bytes_limit
        self._files: dict[str, _TextFile] = {}
        self._unreadable: dict[str, str] = {}

    def collect(self, rows: RowTable) -> None:
        """Add this round's samples."""
        paths, failed = self._list()
        files = {path: self._read(path) for path in paths}
        for path, file in files.items():
            if file.problem:
                failed = True
                continue
            for told in file.metadata:
                rows.describe(told.family, told.type, told.help or f"Metric read from {path}")
            for labels, value in file.samples:
                rows.put_series(labels, value)
            rows.put(MTIME, file.version[0] / 1e9, (path,))
        rows.put(ERROR, failed)
        self._files = files

    def _list(self) -> tuple[list[str], bool]:
        """The files there are, and whether a directory could not be read. One that is not there has none."""
        paths: list[str] = []
        failed = False
        for pattern in self._directories:
            for directory in sorted(glob.glob(pattern)):  # noqa: PTH207 - as everywhere in this package
                try:
                    names = os.listdir(directory)  # noqa: PTH208 - as above
                except OSError as exc:
                    if self._unreadable.get(directory) != str(exc):
                        log.warning("textfile directory cannot be read", directory=directory, error=str(exc))
                    self._unreadable[directory] = str(exc)
                    failed = True
                    continue
                self._unreadable.pop(directory, None)
                paths += [f"{directory}/{name}" for name in sorted(names) if name.endswith(_SUFFIX)]
        return paths, failed

    def _read(self, path: str) -> _TextFile:
        """The file as it is now."""
        known = self._files.get(path)
        version = (0, 0, 0)
        try:
            status = os.stat(path)  # noqa: PTH116 - as above
            version = (status.st_mtime_ns, status.st_size, status.st_ino)
            if known is not None and known.version == version:
                return known
            return _parse(read_bytes(path, limit=self._limit), version)
        except (OSError, DecodeError) as exc:
            problem = str(exc)
            if known is None or known.problem != problem:
                log.warning("textfile is left out", file=path, error=problem)
            return _TextFile(version, problem=problem)


def _parse(content: bytes, version: tuple[int, int, int]) -> _TextFile:
    samples: dict[LabelSet, float] = {}
    families: dict[str, Metadata] = {}
    for entry in read_entries(content, Format.TEXT):
        match entry:
            case SampleEntry():
                if entry.time_ms is not None:
                    raise DecodeError("a sample has a timestamp, which text files may not have")
                if samples.setdefault(entry.labels, entry.value) != entry.value:
                    raise DecodeError(f"the series {dict(entry.labels)} is there twice")
            case MetadataEntry():
                known = families.get(entry.family) or Metadata(entry.family, MetricType.UNKNOWN, "", "")
                families[entry.family] = (
                    replace(known, help=entry.text)
                    if entry.field is Field.HELP
                    else replace(known, type=MetricType(entry.text))
                )
    return _TextFile(version, tuple(samples.items()), tuple(families.values()))
