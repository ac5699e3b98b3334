"""Environment variables in configuration values.

`${NAME}` stands for the variable's value, `${NAME:-text}` for `text` where the variable is unset or
empty, and `$${` for a literal `${`. Names are letters, digits and underscores and do not start with a
digit, so that `$1` and `${1}` of relabelling mean what they always meant. What a variable holds is text:
it is never read as YAML, and it is not expanded again.

Prometheus' own rule for `external_labels` is `expand_label`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

_VARIABLE = re.compile(r"\$(\$\{)|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_LABEL_VARIABLE = re.compile(r"\$(?:(\$)|\{([A-Za-z0-9_]+)(?::-([^}]*))?\}|([A-Za-z0-9_]+))")

_RELABELLING: Final = frozenset({"regex", "replacement", "target_label"})
"""Options whose `${name}` refers to a group of the regular expression."""


class UnsetVariableError(Exception):
    """A variable without a default is not set.

    Attributes:
        name: the variable.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def is_verbatim(path: Sequence[str | int]) -> bool:
    """Whether the value at a path has its own rules for `$`: relabelling and external labels."""
    return bool(path) and (path[-1] in _RELABELLING or tuple(path[:2]) == ("global", "external_labels"))


def expand(text: str, env: Mapping[str, str]) -> str:
    """A value with its variables replaced.

    Raises:
        UnsetVariableError: one without a default is not set.
    """
    if "${" not in text:
        return text

    def value(found: re.Match[str]) -> str:
        if found[1]:
            return "${"
        name, default = found[2], found[3]
        if default is not None:
            return env.get(name) or default
        if name not in env:
            raise UnsetVariableError(name)
        return env[name]

    return _VARIABLE.sub(value, text)


def expand_label(text: str, env: Mapping[str, str], unset: Callable[[str], None]) -> str:
    """The value of an external label, as Prometheus expands it.

    `$NAME` and `${NAME}` stand for variables and `$$` for a dollar sign; an unset variable is empty and
    `unset` hears of it. `${NAME:-text}` works too.
    """
    if "$" not in text:
        return text

    def value(found: re.Match[str]) -> str:
        if found[1]:
            return "$"
        name = found[2] or found[4]
        held = env.get(name, "") or found[3]
        if held is None:
            unset(name)
        return held or ""

    return _LABEL_VARIABLE.sub(value, text)
