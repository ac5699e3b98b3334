"""`inhibit_rules`: alerts that silence others, because these follow from them.

Source: Alertmanager's `config/common/inhibitrule.go`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vedette.alerting.matchers import parse_matchers
from vedette.alerting.settings.fields import EqualLabels, MatcherText, RegexLabels, label_name_problem
from vedette.config.settings import Problem, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class InhibitSourceSettings(Settings):
    """One of several kinds of alerts that must all be firing."""

    matchers: tuple[MatcherText, ...] = ()
    """What the labels of the source have to pass. Required."""
    equal: tuple[str, ...] = ()
    """Labels that source and target must have with the same value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InhibitRuleSettings(Settings):
    """While a source is firing, its targets are not told of."""

    name: str = ""
    """Name of the rule."""
    source_match: EqualLabels = ()
    """Labels of the source with their values. Older form of `source_matchers`."""
    source_match_re: RegexLabels = ()
    """Labels of the source with regular expressions. Older form of `source_matchers`."""
    source_matchers: tuple[MatcherText, ...] = ()
    """What the labels of the source have to pass."""
    sources: tuple[InhibitSourceSettings, ...] = ()
    """Several sources that must all be firing, instead of one."""
    target_match: EqualLabels = ()
    """Labels of the target with their values. Older form of `target_matchers`."""
    target_match_re: RegexLabels = ()
    """Labels of the target with regular expressions. Older form of `target_matchers`."""
    target_matchers: tuple[MatcherText, ...] = ()
    """What the labels of the target have to pass."""
    equal: tuple[str, ...] = ()
    """Labels that source and target must have with the same value."""

    def problems(self) -> Iterable[Problem]:
        """One way to name sources, and labels that are labels."""
        if self.sources and (self.source_match or self.source_match_re or self.source_matchers or self.equal):
            text = "sources cannot be combined with source_match, source_match_re, source_matchers, or equal"
            yield Problem(("sources",), text, "Move these below `sources`.")
        for index, source in enumerate(self.sources):
            path = ("sources", index)
            matchers = [one for text in source.matchers for one in parse_matchers(text).matchers]
            if not matchers:
                yield Problem(path, f"source {index}: matchers must not be empty", "Add `matchers`.")
            elif all(one.matches("") for one in matchers):
                text = f"source {index}: at least one matcher must not match the empty string"
                yield Problem((*path, "matchers"), text)
            yield from _equal_problems(source.equal, "source equal list", (*path, "equal"))
        yield from _equal_problems(self.equal, "equal list", ("equal",))


def _equal_problems(names: tuple[str, ...], where: str, path: tuple[str | int, ...]) -> Iterable[Problem]:
    for index, name in enumerate(names):
        if label_name_problem(name):
            yield Problem((*path, index), f"{label_name_problem(name)} in {where}")
