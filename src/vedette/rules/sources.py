"""Which rule files there are: the patterns of `rule_files`, and all that the files say.

As in Prometheus a pattern may match nothing: files come later, or with another deployment.
"""

from __future__ import annotations

import glob
from collections.abc import Iterable
from dataclasses import dataclass

from vedette.config import NameScheme
from vedette.rules.definitions import RuleFile, RuleGroup
from vedette.rules.expansion import Templates
from vedette.rules.files import load_rules


@dataclass(frozen=True, slots=True)
class RuleSources:
    """All rules that a configuration names.

    Attributes:
        files: in order, each once.
        unmatched: patterns that match no file.
    """

    files: tuple[RuleFile, ...] = ()
    unmatched: tuple[str, ...] = ()

    @property
    def groups(self) -> tuple[RuleGroup, ...]:
        """The groups of all files."""
        return tuple(group for file in self.files for group in file.groups)


def read_sources(
    patterns: Iterable[str], *, templates: Templates | None = None, scheme: NameScheme = NameScheme.UTF8
) -> RuleSources:
    """Read all rule files.

    Args:
        patterns: of paths; relative ones count from the working directory.
        templates: the language of labels and annotations; None where they are not to be checked.
        scheme: which names are valid.

    Raises:
        ConfigErrors: with everything that is wrong with any of them.
    """
    paths: dict[str, None] = {}
    unmatched: list[str] = []
    for pattern in patterns:
        found = sorted(glob.glob(pattern))  # noqa: PTH207 - patterns may be absolute
        if not found:
            unmatched.append(pattern)
        paths.update(dict.fromkeys(found))
    return RuleSources(load_rules(paths, templates=templates, scheme=scheme), tuple(unmatched))
