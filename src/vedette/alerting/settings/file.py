"""The whole file: what an alertmanager.yml may say, and what it means once everything is filled in.

Source: Alertmanager's `config.Config`.
"""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from vedette.alerting.receivers.registry import ReceiverSettings
from vedette.alerting.settings.inhibition import InhibitRuleSettings
from vedette.alerting.settings.intervals import NamedIntervals
from vedette.alerting.settings.routes import RouteSettings
from vedette.alerting.settings.shared import GlobalSettings
from vedette.alerting.templates import Library
from vedette.config.config import ConfigWarning
from vedette.config.elsewhere import Tracing
from vedette.config.fields import FileGlob
from vedette.config.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertingFile(Settings):
    """An alertmanager.yml."""

    global_: Annotated[GlobalSettings, Field(alias="global")] = GlobalSettings()
    """Defaults for all routes and receivers."""
    templates: tuple[FileGlob, ...] = ()
    """Files with templates; `*` matches any part of a file name."""
    route: RouteSettings | None = None
    """Root of the routing tree. Required."""
    inhibit_rules: tuple[InhibitRuleSettings, ...] = ()
    """Alerts that silence others."""
    receivers: tuple[ReceiverSettings, ...] = ()
    """Who can be told."""
    time_intervals: tuple[NamedIntervals, ...] = ()
    """Times for routes to refer to."""
    mute_time_intervals: tuple[NamedIntervals, ...] = ()
    """Older name of `time_intervals`."""
    tracing: Tracing | None = None
    """Where Alertmanager would send traces of itself."""


@dataclass(frozen=True, slots=True)
class AlertingConfig:
    """What the file means.

    Attributes:
        file: what it says, with paths made absolute.
        route: root of the routing tree.
        receivers: with everything that they take from `global`.
        intervals: by name, of both sections.
        warnings: what is accepted and has no effect, or is better written in another way.
        files: the files that were read, for watching.
        library: the templates, those of files included.
    """

    file: AlertingFile
    route: RouteSettings
    receivers: tuple[ReceiverSettings, ...]
    intervals: dict[str, NamedIntervals]
    warnings: tuple[ConfigWarning, ...] = ()
    files: tuple[str, ...] = field(default=())
    library: Library = field(default_factory=Library, compare=False, repr=False)

    @property
    def shared(self) -> GlobalSettings:
        """The section `global`."""
        return self.file.global_
