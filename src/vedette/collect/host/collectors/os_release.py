"""Which operating system this is: /etc/os-release."""

from __future__ import annotations

import os
import re
import shlex
from typing import Final

from vedette.collect.host.kernel_files import NoDataError, read_text
from vedette.collect.host.rows import Family, RowTable
from vedette.collect.host.settings import HostSettings
from vedette.model.samples import MetricType

_NAMES: Final = (
    "build_id",
    "id",
    "id_like",
    "image_id",
    "image_version",
    "name",
    "pretty_name",
    "variant",
    "variant_id",
    "version",
    "version_codename",
    "version_id",
)
INFO: Final = Family(
    "node_os_info",
    MetricType.GAUGE,
    "A metric with a constant '1' value labeled by build_id, id, id_like, image_id, image_version, name,"
    " pretty_name, variant, variant_id, version, version_codename, version_id.",
    _NAMES,
)
VERSION: Final = Family(
    "node_os_version",
    MetricType.GAUGE,
    "Metric containing the major.minor part of the OS version.",
    ("id", "id_like", "name"),
)

_MAJOR_MINOR: Final = re.compile(r"[0-9]+\.?[0-9]*")


class OsReleaseCollector:
    """Reads the file again when it changes: systems are upgraded while they run."""

    def __init__(self, settings: HostSettings) -> None:
        self._paths = (settings.root("/etc/os-release"), settings.root("/usr/lib/os-release"))
        self._read: tuple[str, int] | None = None
        self._facts: dict[str, str] = {}

    def collect(self, rows: RowTable) -> None:
        """Add this round's samples."""
        facts = self._current_facts()
        rows.put(INFO, 1, tuple(facts.get(name, "") for name in _NAMES))
        version = _MAJOR_MINOR.match(facts.get("version_id", ""))
        if version is not None and float(version[0]) > 0:
            rows.put(VERSION, float(version[0]), tuple(facts.get(name, "") for name in VERSION.labels))

    def _current_facts(self) -> dict[str, str]:
        for path in self._paths:
            try:
                changed_ns = os.stat(path).st_mtime_ns  # noqa: PTH116 - as everywhere in this package
                if (path, changed_ns) != self._read:
                    self._facts = _parse(read_text(path))
                    self._read = (path, changed_ns)
            except FileNotFoundError:
                continue
            return self._facts
        raise NoDataError("no os-release file")


def _parse(text: str) -> dict[str, str]:
    """The assignments of a shell fragment, names in lower case."""
    facts: dict[str, str] = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if not equals or name.startswith("#"):
            continue
        try:
            facts[name.lower()] = "".join(shlex.split(value))
        except ValueError:  # an unbalanced quote
            facts[name.lower()] = value
    return facts
