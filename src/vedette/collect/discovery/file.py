"""Targets from files that others write, read when they change and now and then besides.

A file that cannot be read, or that is broken, is reported and leaves the groups that it last held in
force; one that is deleted takes its groups with it. Whoever rewrites a file should do so by renaming.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import glob
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog
from anyio.to_thread import current_default_thread_limiter
from watchfiles import awatch  # pyright: ignore[reportUnknownVariableType] - it also takes trio events

from vedette.collect.discovery.groups import META, Publish, TargetGroup
from vedette.collect.discovery.health import Health
from vedette.collect.discovery.refresh import Findings, refresh_forever
from vedette.collect.discovery.static import written_group
from vedette.config.discovery import FileDiscovery
from vedette.config.document import MAX_BYTES
from vedette.config.target_file import parse_target_groups
from vedette.model.errors import DecodeError, VedetteError

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

log: FilteringBoundLogger = structlog.get_logger()

FILEPATH: Final = META + "filepath"

_DEBOUNCE_MS: Final = 200
_WATCH_AGAIN_S: Final = 30.0

_Version = tuple[int, int, int]


class FileDiscoverer:
    """Watches the directories of its files."""

    def __init__(self, settings: FileDiscovery, health: Health) -> None:
        self._settings = settings
        self._health = health
        self._changed = asyncio.Event()
        self._groups: dict[str, tuple[_Version, tuple[TargetGroup, ...]]] = {}

    async def run(self, publish: Publish) -> None:
        """Publish the files' groups, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch())
            await refresh_forever(
                self._find,
                publish,
                interval_s=self._settings.refresh_interval.s,
                health=self._health,
                what=", ".join(self._settings.files),
                pause=self._pause,
            )

    async def _find(self) -> Findings:
        return await asyncio.to_thread(self._read_all)

    def _read_all(self) -> Findings:
        patterns = self._settings.files
        paths = dict.fromkeys(path for pattern in patterns for path in sorted(glob.glob(pattern)))  # noqa: PTH207
        problems: dict[str, Exception] = {}
        for path in paths:
            try:
                self._read(path)
            except (OSError, VedetteError) as exc:
                problems[path] = exc
        self._groups = {path: known for path, known in self._groups.items() if path in paths}
        return Findings({group.source: group for _, groups in self._groups.values() for group in groups}, problems)

    def _read(self, path: str) -> None:
        status = os.stat(path)  # noqa: PTH116 - a path as the user wrote it
        version = (status.st_mtime_ns, status.st_size, status.st_ino)
        known = self._groups.get(path)
        if known is not None and known[0] == version:
            return
        if status.st_size > MAX_BYTES:
            raise DecodeError(f"the file has {status.st_size:,} bytes, and {MAX_BYTES:,} are allowed")
        groups = parse_target_groups(Path(path).read_bytes(), file=path)
        self._groups[path] = (
            version,
            tuple(written_group(group, f"{path}:{n}", **{FILEPATH: path}) for n, group in enumerate(groups)),
        )

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        self._changed.clear()

    async def _watch(self) -> None:
        """Tell of changes; where that does not work, files are still read at each interval."""
        directories = sorted({os.path.dirname(path) or "." for path in self._settings.files})  # noqa: PTH120
        complaint = ""
        while True:
            there = _existing(directories)
            try:
                if there:
                    # Between reading the files and watching them they may have changed.
                    self._changed.set()
                    await self._watch_directories(there)
            except OSError as exc:
                if complaint != str(exc):
                    complaint = str(exc)
                    hint = " (raise fs.inotify.max_user_watches)" if exc.errno == errno.ENOSPC else ""
                    log.warning("target files are not watched", directories=there, error=complaint + hint)
            await asyncio.sleep(_WATCH_AGAIN_S)

    async def _watch_directories(self, directories: list[str]) -> None:
        # A watch keeps one of anyio's worker threads for good, so it brings one along: with forty of
        # them there would be none left for anybody else.
        threads = current_default_thread_limiter()
        threads.total_tokens += 1
        try:
            async for _ in awatch(*directories, watch_filter=None, debounce=_DEBOUNCE_MS, recursive=False):
                self._changed.set()
                if _existing(directories) != directories:
                    return
        finally:
            threads.total_tokens -= 1


def _existing(directories: list[str]) -> list[str]:
    return [directory for directory in directories if os.path.isdir(directory)]  # noqa: PTH112 - as the user wrote it
