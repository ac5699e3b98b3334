"""Targets read from files that others write: `file_sd_configs`."""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from vedette.config.discovery.kind import DiscoverySettings
from vedette.config.fields import FileGlob, Interval
from vedette.config.settings import Problem
from vedette.model.durations import Duration

_PATTERN = re.compile(r"[^*]*(\*[^/]*)?\.(json|yml|yaml|JSON|YML|YAML)")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDiscovery(DiscoverySettings):
    """Target groups in YAML or JSON files; a change of a file counts at once."""

    kind: ClassVar[str] = "file"

    files: tuple[FileGlob, ...] = ()
    """Files ending in .json, .yml or .yaml; the last part of a path may hold one `*`. Required."""
    refresh_interval: Interval = Duration(300_000)
    """How often the files are read again although nobody said that they changed."""

    def problems(self) -> Iterable[Problem]:
        """At least one file, named as the formats need it."""
        if not self.files:
            text = "file service discovery config must contain at least one path name"
            yield Problem(("files",), text, "Add `files`.")
        for index, path in enumerate(self.files):
            if not _PATTERN.fullmatch(path):
                remedy = "Use a path ending in .json, .yml or .yaml, with `*` only in its last part."
                yield Problem(("files", index), f'path name "{path}" is not valid for file discovery', remedy)
