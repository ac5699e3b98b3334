"""Relabelling rules: what to change about a label set, or whether to keep it.

The settings of `relabel_configs`, `metric_relabel_configs`, `write_relabel_configs` and
`alert_relabel_configs`, with Prometheus' rules. They are applied by `vedette.ingest.relabel`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

import re2
from pydantic import AfterValidator, WithJsonSchema

from vedette.config.fields import Count, LabelName, choice
from vedette.config.settings import Problem, Settings, wrong
from vedette.model.labels import is_legacy_label_name

DEFAULT_REGEX: Final = "(.*)"
DEFAULT_SEPARATOR: Final = ";"
DEFAULT_REPLACEMENT: Final = "$1"

_LEGACY_TEMPLATE = re.compile(r"(?:(?:[a-zA-Z_]|\$(?:\{\w+\}|\w+))+\w*)+", re.ASCII)
"""A label name with references to groups, under the legacy rules."""


class NameScheme(StrEnum):
    """Which metric and label names are valid."""

    UNSET = ""
    """As in the global section."""
    UTF8 = "utf8"
    """Any UTF-8 text."""
    LEGACY = "legacy"
    """Letters, digits and underscores (and colons in metric names)."""


class Action(StrEnum):
    """What a rule does."""

    REPLACE = "replace"
    KEEP = "keep"
    DROP = "drop"
    KEEPEQUAL = "keepequal"
    DROPEQUAL = "dropequal"
    HASHMOD = "hashmod"
    LABELMAP = "labelmap"
    LABELDROP = "labeldrop"
    LABELKEEP = "labelkeep"
    LOWERCASE = "lowercase"
    UPPERCASE = "uppercase"


_WITH_TARGET = frozenset(
    {Action.REPLACE, Action.HASHMOD, Action.LOWERCASE, Action.UPPERCASE, Action.KEEPEQUAL, Action.DROPEQUAL}
)
_WITHOUT_REPLACEMENT = frozenset({Action.LOWERCASE, Action.UPPERCASE, Action.KEEPEQUAL, Action.DROPEQUAL})


def compile_regex(pattern: str) -> re2.Pattern:
    """A rule's regular expression, anchored at both ends; `.` matches a newline too.

    Raises:
        ValueError: RE2 does not take it.
    """
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 8 << 20
    try:
        return re2.compile(f"^(?s:{pattern})$", options)
    except re2.error as exc:
        reason = exc.args[0].decode() if exc.args and isinstance(exc.args[0], bytes) else str(exc)
        raise ValueError(reason) from exc


def _regex(pattern: str) -> str:
    try:
        compile_regex(pattern)
    except ValueError as exc:
        raise wrong(f'"{pattern}" is not a regular expression: {exc}', "The syntax is RE2's.") from exc
    return pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class RelabelRule(Settings):
    """One relabelling rule."""

    source_labels: tuple[LabelName, ...] = ()
    """Labels whose values are joined by `separator` and matched against `regex`; an absent label is empty."""
    separator: str = DEFAULT_SEPARATOR
    """What joins the values of the source labels."""
    regex: Annotated[str, AfterValidator(_regex), WithJsonSchema({"type": "string", "format": "regex"})] = DEFAULT_REGEX
    """RE2 expression that has to match from start to end."""
    modulus: Count = 0
    """What `hashmod` divides by."""
    target_label: str = ""
    """Label that is written; for `replace` it may refer to groups: `${1}`."""
    replacement: str = DEFAULT_REPLACEMENT
    """What is written, with references to groups: `$1`, `${1}`, `${name}`."""
    action: Annotated[Action, choice(Action, fold=True)] = Action.REPLACE
    """What to do."""

    def problems(self) -> Iterable[Problem]:
        """What an action needs and what it does not take."""
        action = self.action
        if action is Action.HASHMOD and not self.modulus:
            yield Problem(("action",), "relabel configuration for hashmod requires non-zero modulus", "Add `modulus`.")
        if action in _WITH_TARGET and not self.target_label:
            text = f"relabel configuration for {action} action requires 'target_label' value"
            yield Problem(("action",), text, "Add `target_label`.")
        if action in (Action.KEEPEQUAL, Action.DROPEQUAL):
            text = f"{action} action requires only 'source_labels' and 'target_label', and no other fields"
            for name in self._changed("regex", "modulus", "separator", "replacement"):
                yield Problem((name,), text, f"Remove `{name}`.")
        elif action in _WITHOUT_REPLACEMENT:
            for name in self._changed("replacement"):
                yield Problem((name,), f"'replacement' can not be set for {action} action", "Remove it.")
        if action in (Action.LABELDROP, Action.LABELKEEP):
            text = f"{action} action requires only 'regex', and no other fields"
            for name in self._changed("source_labels", "target_label", "modulus", "separator", "replacement"):
                yield Problem((name,), text, f"Remove `{name}`.")

    def scheme_problems(self, scheme: NameScheme) -> Iterable[Problem]:
        """Label names that are not valid under a naming scheme."""
        target, action = self.target_label, self.action
        invalid: tuple[str, str] | None = None
        valid = is_label_template if action is Action.REPLACE else is_label_name
        if target and action in _WITH_TARGET and not valid(target, scheme):
            invalid = ("target_label", target)
        elif action is Action.LABELMAP and not is_label_template(self.replacement, scheme, variable=True):
            invalid = ("replacement", self.replacement)
        if invalid is not None:
            yield Problem((invalid[0],), f"\"{invalid[1]}\" is invalid '{invalid[0]}' for {action} action")

    def _changed(self, *names: str) -> list[str]:
        fields = type(self).__dataclass_fields__
        return [name for name in names if getattr(self, name) != fields[name].default]


def is_label_name(name: str, scheme: NameScheme) -> bool:
    """Whether a label may have this name."""
    return is_legacy_label_name(name) if scheme is NameScheme.LEGACY else bool(name)


def is_label_template(template: str, scheme: NameScheme, *, variable: bool = False) -> bool:
    """Whether a template can make label names; `variable`: its references count as such even without any."""
    if scheme is not NameScheme.LEGACY:
        return bool(template)
    if "$" in template or variable:
        return _LEGACY_TEMPLATE.fullmatch(template) is not None
    return is_legacy_label_name(template)
