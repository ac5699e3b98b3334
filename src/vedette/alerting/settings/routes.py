"""`route`: the tree that says where an alert goes, with whom, and when.

Source: Alertmanager's `config.Route`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from vedette.alerting.settings.fields import EqualLabels, MatcherText, RegexLabels, Templates, label_name_problem
from vedette.config.fields import DurationOption, Flag
from vedette.config.settings import Problem, Settings
from vedette.model.durations import Duration
from vedette.model.labels import is_legacy_label_name

GROUP_BY_ALL: Final = "..."


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteSettings(Settings):
    """A node of the routing tree. What it does not say is as in the node above."""

    receiver: str = ""
    """Who is told."""
    group_by: tuple[str, ...] | None = None
    """Labels whose values an alert shares with those it is sent with; `...` for all: each alert by itself."""
    match: EqualLabels = ()
    """Labels with the value they must have. Older form of `matchers`."""
    match_re: RegexLabels = ()
    """Labels with the regular expression they must match. Older form of `matchers`."""
    matchers: tuple[MatcherText, ...] = ()
    """What an alert's labels have to pass."""
    mute_time_intervals: tuple[str, ...] = ()
    """Time intervals in which nothing is sent."""
    active_time_intervals: tuple[str, ...] = ()
    """Time intervals outside of which nothing is sent."""
    continue_: Annotated[Flag, Field(alias="continue")] = False
    """Look at the following routes too."""
    routes: tuple[RouteSettings, ...] = ()
    """Nodes below; the first one that matches gets the alert."""
    group_wait: DurationOption | None = None
    """How long a new group waits for company. 30s where no route says it."""
    group_interval: DurationOption | None = None
    """How often a group tells what changed. 5m where no route says it."""
    repeat_interval: DurationOption | None = None
    """How often it is repeated while nothing changes. 4h where no route says it."""
    labels: Templates = ()
    """Labels for the notification, as templates."""
    hold_flapping: Flag | None = None
    """Tell nothing of the ups and downs of a flapping alert: it counts as firing until it is quiet. Vedette's own."""

    def problems(self) -> Iterable[Problem]:
        """Groupings that make sense, and intervals that pass."""
        yield from self._group_by_problems()
        for name in ("group_interval", "repeat_interval"):
            if getattr(self, name) == Duration(0):
                yield Problem((name,), f"{name} cannot be zero", "Give it a duration, or remove it.")
        for name, _ in self.labels:
            if not is_legacy_label_name(name):
                yield Problem(("labels", name), f'invalid label name "{name}" in route labels')

    def _group_by_problems(self) -> Iterable[Problem]:
        seen: set[str] = set()
        names = self.group_by or ()
        for index, name in enumerate(names):
            if name == GROUP_BY_ALL:
                if len(set(names)) > 1:
                    text = "cannot have wildcard group_by (`...`) and other labels at the same time"
                    yield Problem(("group_by", index), text, "Remove `...` or the other labels.")
                continue
            if label_name_problem(name):
                yield Problem(("group_by", index), f"{label_name_problem(name)} in group_by list")
            if name in seen:
                yield Problem(("group_by", index), f'duplicated label "{name}" in group_by', "Remove it.")
            seen.add(name)
