"""Templates in labels and annotations, as rules need them: checked when a file is read, expanded for each alert.

The template language itself is behind `Templates` (`vedette.rules.templates`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from vedette.model.labels import LabelSet
from vedette.rules.definitions import Pairs

_ACTION: Final = "{{"
_LIVE: Final = ("query", "now", "tmpl", "template")
"""Words without which a template gives the same whenever it is expanded with the same data."""

TemplateQuery = Callable[[str, int], Sequence[tuple[LabelSet, float]]]
"""The function `query`: evaluates an expression at a time in milliseconds; raises `VedetteError`."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What templates can ask beyond the alert itself.

    Attributes:
        external_labels: those of the configuration.
        external_url: where people reach this server.
        query: the function `query`; None where there is nothing to ask.
    """

    external_labels: LabelSet = ()
    external_url: str = ""
    query: TemplateQuery | None = None


@dataclass(frozen=True, slots=True)
class AlertData:
    """What the templates of one alert are expanded with.

    Attributes:
        labels: of the series that the expression gave, its metric name included.
        value: of that series.
        at_ms: time of the evaluation.
        around: what is the same for all alerts.
    """

    labels: LabelSet
    value: float
    at_ms: int
    around: Surroundings = field(default_factory=Surroundings)


class Templates(Protocol):
    """A template language."""

    def check(self, text: str, alert: str) -> str:
        """What is wrong with a template of this alert; empty if nothing is."""
        ...

    def expand(self, text: str, alert: str, data: AlertData) -> str:
        """The text that a template gives; what fails stands in it as `<error expanding template: ...>`."""
        ...


class NoTemplates:
    """Takes every text as it is: for what only looks at rules."""

    def check(self, text: str, alert: str) -> str:
        """See `Templates.check`."""
        del text, alert
        return ""

    def expand(self, text: str, alert: str, data: AlertData) -> str:
        """See `Templates.expand`."""
        del alert, data
        return text


def has_actions(pairs: Pairs) -> bool:
    """Whether any of these texts is a template and not what it says."""
    return any(_ACTION in text for _, text in pairs)


def is_live(pairs: Pairs) -> bool:
    """Whether these templates may ask the store or the clock."""
    return any(_ACTION in text and any(word in text for word in _LIVE) for _, text in pairs)


def expand_pairs(templates: Templates, pairs: Pairs, alert: str, data: AlertData) -> Pairs:
    """All texts expanded."""
    return tuple((name, templates.expand(text, alert, data) if _ACTION in text else text) for name, text in pairs)
