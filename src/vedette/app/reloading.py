"""Reading the configuration again: all of it takes effect, or nothing does and it is said why.

What can fail is built first; then it takes over. Jobs that did not change are not touched, so their targets keep
their place in the interval.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from prometheus_client import CollectorRegistry, Gauge

from vedette.config import Config, Loaded, changed_jobs, changed_sections
from vedette.model.clock import Clock
from vedette.model.errors import ConfigError, ConfigErrors, Location

_AT_START = frozenset({"http", "auth", "storage"})
"""Sections that take effect with the next start."""

Prepare = Callable[[Config], Awaitable[Callable[[], None]]]
"""Builds all that a configuration needs and that can fail; what it returns takes over, and does not fail."""

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class Reloader:
    """Holds the configuration in force."""

    def __init__(
        self,
        loaded: Loaded,
        read: Callable[[], Loaded],
        prepare: Prepare,
        registry: CollectorRegistry,
        clock: Clock,
    ) -> None:
        self.loaded = loaded
        self.successful = True
        self.reloaded_ms = clock.now_ms()
        self.problem = ""
        self._read = read
        self._prepare = prepare
        self._clock = clock
        self._busy = asyncio.Lock()
        self._ok = Gauge(
            "vedette_config_last_reload_successful", "Whether the last reload worked: 1 or 0.", registry=registry
        )
        self._time = Gauge(
            "vedette_config_last_reload_success_timestamp_seconds",
            "Time of the last reload that worked.",
            registry=registry,
        )
        self._ok.set(1)
        self._time.set(self.reloaded_ms / 1000)

    @property
    def config(self) -> Config:
        """The configuration in force."""
        return self.loaded.config

    async def run(self, asked: asyncio.Event) -> None:
        """Reload whenever asked, until cancelled."""
        while True:
            await asked.wait()
            asked.clear()
            try:
                await self.reload()
            except (ConfigErrors, ConfigError) as exc:
                log.error("configuration not reloaded; the running one stays", error=str(exc))  # noqa: TRY400 - a file's error

    async def reload(self) -> Loaded:
        """Read the files and take them over.

        Raises:
            ConfigErrors, ConfigError: the running configuration stays.
        """
        async with self._busy:
            try:
                loaded = await asyncio.to_thread(self._read)
                try:
                    take_over = await self._prepare(loaded.config)
                except ValueError as exc:
                    place = Location(loaded.files[0] if loaded.files else "built-in configuration")
                    raise ConfigError(at=place, problem=str(exc)) from exc
            except (ConfigErrors, ConfigError, OSError) as exc:
                self.successful, self.problem = False, str(exc)
                self._ok.set(0)
                if isinstance(exc, OSError):
                    raise ConfigError(at=Location(str(exc.filename)), problem=exc.strerror or str(exc)) from exc
                raise
            jobs = changed_jobs(self.config, loaded.config)
            sections = changed_sections(self.config, loaded.config)
            take_over()
            self.loaded = loaded
            self.successful, self.problem = True, ""
            self.reloaded_ms = self._clock.now_ms()
            self._ok.set(1)
            self._time.set(self.reloaded_ms / 1000)
            log.info(
                "configuration reloaded",
                jobs_added=len(jobs.added),
                jobs_removed=len(jobs.removed),
                jobs_changed=len(jobs.changed),
                jobs_unchanged=len(jobs.unchanged),
            )
            for warning in loaded.warnings:
                log.warning("configuration", at=str(warning.at), warning=warning.text)
            if waiting := sorted(sections & _AT_START):
                log.warning("these sections take effect with the next start", sections=waiting)
            return loaded
