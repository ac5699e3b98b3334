"""The rules between the sections of an alertmanager.yml, and what receivers take from `global`.

Source: Alertmanager's `config.Config.UnmarshalYAML`, with its messages.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from vedette.alerting.matchers import parse_matchers
from vedette.alerting.receivers.kind import HttpIntegration, Integration
from vedette.alerting.receivers.registry import KINDS, ReceiverSettings, entry_key
from vedette.alerting.settings.file import AlertingFile
from vedette.alerting.settings.intervals import NamedIntervals
from vedette.alerting.settings.routes import RouteSettings
from vedette.alerting.settings.shared import GlobalSettings
from vedette.collect.http_client import check_options
from vedette.config.fields import nearest
from vedette.config.settings import Problem

Path = tuple[str | int, ...]


def fill_receiver(receiver: ReceiverSettings, shared: GlobalSettings) -> ReceiverSettings:
    """A receiver with everything that its integrations take from `global`, and its name among its labels."""
    lists: dict[str, Any] = {"labels": tuple(sorted({"name": receiver.name, **dict(receiver.labels)}.items()))}
    for kind in KINDS:
        listed: tuple[Integration, ...] = getattr(receiver, entry_key(kind.kind))
        lists[entry_key(kind.kind)] = tuple(one.filled(shared) for one in listed)
    return dataclasses.replace(receiver, **lists)


def file_problems(file: AlertingFile) -> Iterator[Problem]:
    """What is wrong although each section by itself is valid."""
    for index, receiver in enumerate(file.receivers):
        for kind, number, settings in fill_receiver(receiver, file.global_).entries():
            path = ("receivers", index, entry_key(kind), number)
            yield from (_below(path, problem) for problem in settings.filled_problems())
            yield from (_below(path, problem) for problem in _http_problems(settings))
    yield from _double_names("receivers", file.receivers, "notification config name")
    intervals = (*file.mute_time_intervals, *file.time_intervals)
    split = len(file.mute_time_intervals)
    yield from _double_intervals(intervals, split)
    if file.route is None:
        yield Problem((), "no route provided in config", "Add `route:` with a `receiver`.")
        return
    yield from _root_problems(file.route)
    receivers = _Names("receivers", (one.name for one in file.receivers))
    names = _Names("time_intervals", (one.name for one in intervals))
    for path, route in walk_routes(file.route, ("route",)):
        yield from _route_problems(path, route, receivers, names)


def file_warnings(file: AlertingFile) -> Iterator[Problem]:
    """What has no effect here, or is better written in another way; the remedy is part of the text."""
    for index, receiver in enumerate(file.receivers):
        for kind, number, settings in receiver.entries():
            if not settings.delivered:
                text = (
                    f'receiver "{receiver.name}": `{entry_key(kind)}` is accepted, but Vedette does not send to it; '
                    "what only goes there is told to nobody"
                )
                yield Problem(("receivers", index, entry_key(kind), number), text)
    if file.tracing is not None:
        yield Problem(("tracing",), "`tracing` has no effect: Vedette does not send traces of itself")
    yield from _matcher_notes(file)


def walk_routes(route: RouteSettings, path: Path) -> Iterator[tuple[Path, RouteSettings]]:
    """A route and all below it, with their paths."""
    yield path, route
    for index, child in enumerate(route.routes):
        yield from walk_routes(child, (*path, "routes", index))


class _Names:
    """The names that a section defines, and what to write instead of one that it does not.

    Similar names are looked for a few times only: that is slow, and a file may be wrong a thousand times.
    """

    def __init__(self, section: str, names: Iterable[str]) -> None:
        self._section = section
        self._names = dict.fromkeys(names)
        self._searches = 20

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def remedy(self, name: str) -> str:
        """What to do about an undefined name."""
        known = list(itertools.islice(self._names, 1000))
        if not known:
            return f"Define it under `{self._section}:`."
        self._searches -= 1
        similar = nearest(name, known) if self._searches >= 0 else ""
        shown = [f"{similar} (similar)"] if similar else []
        shown += [one for one in known if one != similar][: 5 - len(shown)]
        return f"Define it under `{self._section}:`, or use one that exists: {', '.join(shown)}."


def _http_problems(settings: Integration) -> Iterator[Problem]:
    """Why no HTTP client can be made of an integration's options."""
    if isinstance(settings, HttpIntegration) and settings.http_config is not None:
        try:
            check_options(settings.http_config)
        except ValueError as exc:
            yield Problem(("http_config",), str(exc))


def _below(path: Path, problem: Problem) -> Problem:
    return Problem((*path, *problem.path), problem.text, problem.remedy)


def _double_names(section: str, named: Iterable[ReceiverSettings], what: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, one in enumerate(named):
        if one.name in seen:
            yield Problem((section, index, "name"), f'{what} "{one.name}" is not unique', "Rename or join them.")
        seen.add(one.name)


def _double_intervals(intervals: tuple[NamedIntervals, ...], split: int) -> Iterator[Problem]:
    seen: set[str] = set()
    for number, one in enumerate(intervals):
        if one.name in seen:
            old = number < split
            path = ("mute_time_intervals", number, "name") if old else ("time_intervals", number - split, "name")
            what = "mute time interval" if old else "time interval"
            yield Problem(path, f'{what} "{one.name}" is not unique', "Rename or join them.")
        seen.add(one.name)


def _root_problems(root: RouteSettings) -> Iterator[Problem]:
    if not root.receiver:
        yield Problem(("route",), "root route must specify a default receiver", "Add `receiver`.")
    all_alerts = "It is the route of all alerts that no other one takes: move this to a route below it."
    for name in ("match", "match_re", "matchers"):
        if getattr(root, name):
            yield Problem(("route", name), "root route must not have any matchers", all_alerts)
    if root.mute_time_intervals:
        path = ("route", "mute_time_intervals")
        yield Problem(path, "root route must not have any mute time intervals", all_alerts)
    if root.active_time_intervals:
        path = ("route", "active_time_intervals")
        yield Problem(path, "root route must not have any active time intervals", all_alerts)
    if root.continue_:
        yield Problem(("route", "continue"), "cannot have continue in root route", "Remove it.")


def _route_problems(path: Path, route: RouteSettings, receivers: _Names, names: _Names) -> Iterator[Problem]:
    if route.receiver and route.receiver not in receivers:
        text = f'undefined receiver "{route.receiver}" used in route'
        yield Problem((*path, "receiver"), text, receivers.remedy(route.receiver))
    for option in ("mute_time_intervals", "active_time_intervals"):
        for index, name in enumerate(getattr(route, option)):
            if name not in names:
                text = f'undefined time interval "{name}" used in route'
                yield Problem((*path, option, index), text, names.remedy(name))


def _matcher_notes(file: AlertingFile) -> Iterator[Problem]:
    texts: list[tuple[Path, str]] = []
    if file.route is not None:
        for path, route in walk_routes(file.route, ("route",)):
            texts += [((*path, "matchers", index), text) for index, text in enumerate(route.matchers)]
    for number, rule in enumerate(file.inhibit_rules):
        for option in ("source_matchers", "target_matchers"):
            listed: tuple[str, ...] = getattr(rule, option)
            texts += [(("inhibit_rules", number, option, index), text) for index, text in enumerate(listed)]
        for place, source in enumerate(rule.sources):
            path = ("inhibit_rules", number, "sources", place, "matchers")
            texts += [((*path, index), text) for index, text in enumerate(source.matchers)]
    for path, text in texts:
        note = parse_matchers(text).note
        if note:
            yield Problem(path, f"matcher {text}: {note}")
