"""The routing tree: which routes an alert takes, and why.

An alert enters at the root and goes down to the first child whose matchers it passes, and further on to the
following ones where that child says `continue`. Where no child takes it, the node itself does.

Source: Alertmanager's `dispatch/route.go`; the keys are part of its webhook body and deduplication keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from vedette.alerting.matchers import (
    LabelMatcher,
    all_match,
    format_matchers,
    label_matcher,
    parse_matchers,
    sort_matchers,
)
from vedette.alerting.settings.routes import GROUP_BY_ALL, RouteSettings
from vedette.lang.promql.strings import quote
from vedette.model.labels import LabelSet
from vedette.model.matchers import MatchOp


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """A node of the tree, with what it inherits.

    Attributes:
        key: the matchers on the way down; two routes may have the same.
        id: unique: the key with the places among the siblings.
        receiver: who is told.
        group_by: labels to group by.
        group_by_all: every alert is a group of its own.
        group_wait_ms: how long a new group waits for company.
        group_interval_ms: how often a group tells what changed.
        repeat_interval_ms: how often it is repeated while nothing changes.
        matchers: what an alert has to pass to come here from the node above.
        mute_intervals: names of time intervals in which nothing is sent.
        active_intervals: names of time intervals outside of which nothing is sent.
        goes_on: alerts that match look at the following siblings too.
        hold_flapping: flapping alerts count as firing.
        labels: templates of the notification's labels.
        routes: the nodes below.
    """

    key: str
    id: str
    receiver: str
    group_by: tuple[str, ...]
    group_by_all: bool
    group_wait_ms: int
    group_interval_ms: int
    repeat_interval_ms: int
    matchers: tuple[LabelMatcher, ...] = ()
    mute_intervals: tuple[str, ...] = ()
    active_intervals: tuple[str, ...] = ()
    goes_on: bool = False
    hold_flapping: bool = False
    labels: tuple[tuple[str, str], ...] = ()
    routes: tuple[Route, ...] = ()

    def match(self, labels: Mapping[str, str]) -> list[Route]:
        """The routes that an alert takes, in the order of the file; none where it does not match here."""
        if not all_match(self.matchers, labels):
            return []
        found: list[Route] = []
        for child in self.routes:
            taken = child.match(labels)
            found += taken
            if taken and not child.goes_on:
                break
        return found or [self]

    def walk(self) -> Iterator[Route]:
        """The node and all below it."""
        yield self
        for child in self.routes:
            yield from child.walk()

    def group_labels(self, labels: LabelSet) -> LabelSet:
        """The labels that an alert shares with its group."""
        if self.group_by_all:
            return labels
        return tuple(pair for pair in labels if pair[0] in self.group_by)

    def group_key(self, group_labels: LabelSet) -> str:
        """The name of a group in the notification log, the API and deduplication keys."""
        return f"{self.key}:{format_group_labels(group_labels)}"


class GroupId(NamedTuple):
    """What makes a group: the route that made it, and the labels its alerts share."""

    route_id: str
    labels: LabelSet


@dataclass(frozen=True, slots=True)
class Step:
    """A node that an alert came by.

    Attributes:
        route: the node.
        depth: 0 for the root.
        matched: whether the alert passed its matchers.
        refused_by: the first matcher that it did not pass; None if it passed all.
        taken: whether the alert is handled here.
    """

    route: Route
    depth: int
    matched: bool
    refused_by: LabelMatcher | None
    taken: bool


def explain(root: Route, labels: Mapping[str, str]) -> list[Step]:
    """The nodes that an alert came by, in the order of the file; others were not looked at."""
    steps: list[Step] = []
    _explain(root, labels, 0, steps)
    return steps


def build_routes(settings: RouteSettings) -> Route:
    """The tree of a configuration."""
    return _build(settings, None, 0)


def format_group_labels(labels: LabelSet) -> str:
    """`{alertname="DiskFull", cluster="eu1"}`."""
    return "{" + ", ".join(f"{name}={quote(value)}" for name, value in labels) + "}"


def old_matchers(
    equal: tuple[tuple[str, str], ...], regex: tuple[tuple[str, str], ...], texts: tuple[str, ...]
) -> tuple[LabelMatcher, ...]:
    """Matchers from the older and the newer form together. Regular expressions of the older form show their anchors."""
    return (
        *(label_matcher(name, MatchOp.EQUAL, value) for name, value in equal),
        *(label_matcher(name, MatchOp.REGEX, f"^(?:{value})$") for name, value in regex),
        *(one for text in texts for one in parse_matchers(text).matchers),
    )


_DEFAULTS: Final = Route(
    key="",
    id="",
    receiver="",
    group_by=(),
    group_by_all=False,
    group_wait_ms=30_000,
    group_interval_ms=300_000,
    repeat_interval_ms=4 * 3_600_000,
)


def _build(settings: RouteSettings, parent: Route | None, position: int) -> Route:
    above = parent or _DEFAULTS
    matchers = sort_matchers(old_matchers(settings.match, settings.match_re, settings.matchers))
    text = format_matchers(matchers)
    names = settings.group_by
    by_all = names is not None and GROUP_BY_ALL in names
    hold = settings.hold_flapping
    node = Route(
        key=text if parent is None else f"{parent.key}/{text}",
        id=text if parent is None else f"{parent.id}/{text}/{position}",
        receiver=settings.receiver or above.receiver,
        group_by=above.group_by if names is None or by_all else names,
        group_by_all=by_all or (names is None and above.group_by_all),
        group_wait_ms=above.group_wait_ms if settings.group_wait is None else settings.group_wait.ms,
        group_interval_ms=above.group_interval_ms if settings.group_interval is None else settings.group_interval.ms,
        repeat_interval_ms=(
            above.repeat_interval_ms if settings.repeat_interval is None else settings.repeat_interval.ms
        ),
        matchers=matchers,
        mute_intervals=settings.mute_time_intervals,
        active_intervals=settings.active_time_intervals,
        goes_on=settings.continue_,
        hold_flapping=above.hold_flapping if hold is None else hold,
        labels=tuple(sorted({**dict(above.labels), **dict(settings.labels)}.items())),
    )
    children = tuple(_build(child, node, index) for index, child in enumerate(settings.routes))
    object.__setattr__(node, "routes", children)  # children need their parent first
    return node


def _explain(route: Route, labels: Mapping[str, str], depth: int, steps: list[Step]) -> bool:
    """Add the steps below a node; whether the alert matched it."""
    refused = next((one for one in route.matchers if not one.matches(labels.get(one.name, ""))), None)
    place = len(steps)
    steps.append(Step(route, depth, refused is None, refused, taken=False))
    if refused is not None:
        return False
    below = False
    for child in route.routes:
        matched = _explain(child, labels, depth + 1, steps)
        below = below or matched
        if matched and not child.goes_on:
            break
    if not below:
        steps[place] = Step(route, depth, matched=True, refused_by=None, taken=True)
    return True
