"""What the settings of all kinds of receivers have in common.

A kind's class states its options with their defaults, checks what it can by itself (`problems`), and takes from
`global` what it does not say (`filled`, then `filled_problems`). Delivery is elsewhere; `delivered` says whether
there is one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator

from vedette.alerting.cron import Cron, parse_cron
from vedette.alerting.settings.intervals import LocationName
from vedette.alerting.settings.shared import GlobalSettings
from vedette.config.fields import Flag
from vedette.config.http_client import HttpClient
from vedette.config.settings import Problem, Settings

_SCHEDULES = {"hourly": "0 * * * *", "daily": "0 8 * * *"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestSettings(Settings):
    """One message about everything since the last one, instead of a message at once."""

    schedule: str = ""
    """`hourly`, `daily` (at 8:00) or a cron expression. Required."""
    location: LocationName = ""
    """Time zone of the schedule, e.g. Europe/Berlin; UTC where it is not set."""

    def problems(self) -> Iterable[Problem]:
        """A schedule that happens."""
        try:
            self.cron()
        except ValueError as exc:
            text = str(exc) if self.schedule else "the schedule of the digest is missing"
            yield Problem(("schedule",), text, "Write hourly, daily or a cron expression such as 0 8 * * mon-fri.")

    def cron(self) -> Cron:
        """When it is due.

        Raises:
            ValueError: the schedule is none.
        """
        return parse_cron(_SCHEDULES.get(self.schedule, self.schedule), self.location)


def _digest(found: object) -> object:
    return {"schedule": found} if isinstance(found, str) else found


DigestOption = Annotated[DigestSettings | None, BeforeValidator(_digest)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration(Settings):
    """A way to tell somebody: one entry of a receiver.

    Attributes:
        kind: its name in `<kind>_configs`.
        delivered: whether Vedette sends to it. What is only accepted is reported as a warning.
        structures: options that take any structure.
    """

    kind: ClassVar[str] = ""
    delivered: ClassVar[bool] = True
    structures: ClassVar[tuple[str, ...]] = ()

    send_resolved: Flag = True
    """Tell when alerts have ended, too."""
    digest: DigestOption = None
    """One message for many: `hourly`, `daily` or a cron expression; with a time zone
    `{schedule: daily, location: Europe/Berlin}`. Vedette's own."""

    def filled(self, shared: GlobalSettings) -> Self:
        """With what it takes from `global`."""
        return dataclasses.replace(self, **self.taken(shared))

    def taken(self, shared: GlobalSettings) -> dict[str, Any]:
        """Options that are taken from `global`, with their values."""
        del shared
        return {}

    def filled_problems(self) -> Iterable[Problem]:
        """What is wrong even with what `global` says."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpIntegration(Integration):
    """A way to tell somebody by HTTP."""

    http_config: HttpClient | None = None
    """HTTP requests; as in `global` where it is not set."""

    def taken(self, shared: GlobalSettings) -> dict[str, Any]:
        """The HTTP client."""
        return {"http_config": self.http_config or shared.http_config}


def first(settings: Settings, shared: GlobalSettings, **options: str) -> dict[str, Any]:
    """For each option its value, or that of the option of `global` that is named for it."""
    return {name: getattr(settings, name) or getattr(shared, other) for name, other in options.items()}


def pair(settings: Settings, shared: GlobalSettings, names: tuple[str, str], others: tuple[str, str]) -> dict[str, Any]:
    """A secret and its file; both from `global` where neither is set."""
    own = {name: getattr(settings, name) for name in names}
    return own if any(own.values()) else dict(zip(names, (getattr(shared, other) for other in others), strict=True))


def needed(settings: Settings, text: str, *names: str, remedy: str = "") -> Iterable[Problem]:
    """A problem where none of some options is set."""
    if not any(getattr(settings, name) for name in names):
        yield Problem((), text, remedy or f"Add `{names[0]}`.")


def with_slash(url: str) -> str:
    """A URL whose path ends in a slash."""
    head, mark, query = url.partition("?")
    return (head if head.endswith("/") else head + "/") + mark + query
