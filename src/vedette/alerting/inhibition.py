"""Inhibition: while one alert is firing, others that follow from it are not told of.

A rule names sources and targets. A target is inhibited while some source is firing that has the same values in
the rule's `equal` labels (both may lack a label). An alert that is both a source and a target of a rule is
not inhibited by alerts for which the same is true; so no alert inhibits itself. Sources that are silenced or
inhibited themselves count all the same.

Source: Alertmanager's `inhibit`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from vedette.alerting.matchers import LabelMatcher, all_match, parse_matchers
from vedette.alerting.routing import old_matchers
from vedette.alerting.settings.inhibition import InhibitRuleSettings

_MOST_NAMED: Final = 5
"""How many sources are named for an inhibited alert; there may be thousands."""


@dataclass(frozen=True, slots=True)
class InhibitSource:
    """Alerts that inhibit, and what they share with their targets."""

    matchers: tuple[LabelMatcher, ...]
    equal: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InhibitRule:
    """A rule.

    Attributes:
        name: as configured, or `rule N` with its place from 1.
        sources: kinds of alerts that must all be firing.
        targets: what the inhibited alerts pass.
    """

    name: str
    sources: tuple[InhibitSource, ...]
    targets: tuple[LabelMatcher, ...]


@dataclass(frozen=True, slots=True)
class Inhibited:
    """Why an alert is inhibited.

    Attributes:
        rule: name of the rule.
        sources: fingerprints of some alerts that inhibit it.
    """

    rule: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """An alert under a rule that it is a target of: where to look for each of the rule's sources.

    Attributes:
        lookups: index of the source in `Inhibitor`, values of the equal labels, whether alerts that are also targets
            of the rule are left out.
    """

    rule: str
    lookups: tuple[tuple[int, tuple[str, ...], bool], ...]


@dataclass(slots=True)
class _Firing:
    ends_ms: int
    also_target: bool


class Inhibitor:
    """The alerts that inhibit, found by what they share with their targets."""

    def __init__(self, rules: Iterable[InhibitRule]) -> None:
        self._rules = tuple(rules)
        self._index: list[dict[tuple[str, ...], dict[str, _Firing]]] = []
        self._first: list[int] = []
        for rule in self._rules:
            self._first.append(len(self._index))
            self._index += [{} for _ in rule.sources]

    def put(self, fingerprint: str, labels: Mapping[str, str], ends_ms: int) -> None:
        """Take note of an alert and of when it ends."""
        for rule, first in zip(self._rules, self._first, strict=True):
            for place, source in enumerate(rule.sources, first):
                if all_match(source.matchers, labels):
                    sharing = self._index[place].setdefault(_values(source, labels), {})
                    known = sharing.get(fingerprint)
                    if known is None:
                        sharing[fingerprint] = _Firing(ends_ms, all_match(rule.targets, labels))
                    else:
                        known.ends_ms = ends_ms

    def drop(self, fingerprint: str, labels: Mapping[str, str]) -> None:
        """Forget an alert."""
        for rule, first in zip(self._rules, self._first, strict=True):
            for place, source in enumerate(rule.sources, first):
                values = _values(source, labels)
                sharing = self._index[place].get(values)
                if sharing is not None and sharing.pop(fingerprint, None) is not None and not sharing:
                    del self._index[place][values]

    def targets(self, labels: Mapping[str, str]) -> tuple[Target, ...]:
        """The rules under which an alert can be inhibited. They depend on its labels only, and can be kept."""
        return tuple(
            Target(
                rule.name,
                tuple(
                    (place, _values(source, labels), all_match(source.matchers, labels))
                    for place, source in enumerate(rule.sources, first)
                ),
            )
            for rule, first in zip(self._rules, self._first, strict=True)
            if all_match(rule.targets, labels)
        )

    def inhibited(self, targets: tuple[Target, ...], now_ms: int) -> Inhibited | None:
        """Why an alert is inhibited at a time, by the first rule that does it; None if it is not."""
        for target in targets:
            found: list[str] = []
            for place, values, leave_out in target.lookups:
                sharing = self._index[place].get(values)
                firing = self._firing(sharing, now_ms, leave_out=leave_out) if sharing else []
                if not firing:
                    break
                found += firing
            else:
                return Inhibited(target.rule, tuple(dict.fromkeys(found)))
        return None

    @staticmethod
    def _firing(sharing: dict[str, _Firing], now_ms: int, *, leave_out: bool) -> list[str]:
        found: list[str] = []
        for fingerprint, one in sharing.items():
            if one.ends_ms > now_ms and not (leave_out and one.also_target):
                found.append(fingerprint)
                if len(found) == _MOST_NAMED:
                    break
        return found


def build_inhibit_rules(settings: Iterable[InhibitRuleSettings]) -> tuple[InhibitRule, ...]:
    """The rules of a configuration."""
    return tuple(_build(one, number) for number, one in enumerate(settings, 1))


def _build(settings: InhibitRuleSettings, number: int) -> InhibitRule:
    if settings.sources:
        sources = tuple(
            InhibitSource(tuple(one for text in source.matchers for one in parse_matchers(text).matchers), source.equal)
            for source in settings.sources
        )
    else:
        own = old_matchers(settings.source_match, settings.source_match_re, settings.source_matchers)
        sources = (InhibitSource(own, settings.equal),)
    targets = old_matchers(settings.target_match, settings.target_match_re, settings.target_matchers)
    return InhibitRule(settings.name or f"rule {number}", sources, targets)


def _values(source: InhibitSource, labels: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(labels.get(name, "") for name in source.equal)
