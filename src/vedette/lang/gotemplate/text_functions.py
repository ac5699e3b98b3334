"""Functions on texts that the templates of Prometheus and of Alertmanager both have."""

from __future__ import annotations

from typing import Final

from vedette.lang.gotemplate.html.escapers import safe_html
from vedette.lang.gotemplate.kinds import BY_CHARACTER, STRING, Function, Functions
from vedette.lang.gotemplate.letters import lower, upper
from vedette.lang.gotemplate.limits import Budget
from vedette.lang.gotemplate.regexps import matches, replace_all


def _match(budget: Budget, pattern: str, text: str) -> bool:
    return matches(pattern, text, budget)


def _replace_all(budget: Budget, pattern: str, replacement: str, text: str) -> str:
    return replace_all(pattern, replacement, text, budget)


TEXT_FUNCTIONS: Final[Functions] = {
    "match": Function(_match, (STRING, STRING), budgeted=True),
    "reReplaceAll": Function(_replace_all, (STRING, STRING, STRING), budgeted=True),
    "safeHtml": Function(safe_html, (STRING,)),
    "toLower": Function(lower, (STRING,), effort=BY_CHARACTER),
    "toUpper": Function(upper, (STRING,), effort=BY_CHARACTER),
}
