"""Expand one template with Prometheus' functions.

A text is parsed once and kept: rules expand the same few texts for many series every few seconds.

Source: Prometheus' `template/template.go`; the messages are the same.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from vedette.lang.gotemplate import (
    ANY,
    HTML,
    STRING,
    Budget,
    Function,
    FunctionError,
    Functions,
    Limits,
    MissingKey,
    Template,
    TemplateExecutionError,
    TemplateSet,
    TemplateSyntaxError,
    Typed,
    parse,
)
from vedette.lang.gotemplate.literals import quote
from vedette.model.errors import VedetteError
from vedette.rules.expansion import TemplateQuery
from vedette.rules.templates.functions import FUNCTIONS, RESULT, sample

_TEXTS_KEPT: Final = 4096
_QUERY_STEPS: Final = 20_000
"""What a query counts, so that a template cannot ask without end."""
LIMITS: Final = Limits(output_bytes=1 << 20)


def _here(*_: Any) -> None:
    """Stands for a function of one expansion, so that texts can be parsed before."""


_KNOWN: Final[Functions] = {
    **FUNCTIONS,
    "externalURL": Function(_here),
    "now": Function(_here),
    "pathPrefix": Function(_here),
    "query": Function(_here, (STRING,)),
}


@dataclass(frozen=True, slots=True)
class Expansion:
    """What an expansion sees besides its data.

    Attributes:
        at_ms: the time of `now`, and at which queries are evaluated.
        external_url: of the server.
        query: the function `query`; None where there is nothing to ask.
        missing_key: what an entry is that a map does not have.
        limits: what it may use.
    """

    at_ms: int
    external_url: str = ""
    query: TemplateQuery | None = None
    missing_key: MissingKey = MissingKey.ZERO
    limits: Limits = LIMITS

    def functions(self) -> Functions:
        """The functions of this expansion."""
        return {
            "externalURL": Function(lambda: self.external_url),
            "now": Function(lambda: self.at_ms / 1000),
            "pathPrefix": Function(lambda: urlsplit(self.external_url).path),
            "query": Function(self._ask, (STRING,), cost=_QUERY_STEPS),
        }

    def _ask(self, expression: str) -> Typed:
        if self.query is None:
            raise FunctionError("there is nothing here that could be asked")
        try:
            found = self.query(expression, self.at_ms)
        except VedetteError as exc:
            raise FunctionError(str(exc)) from exc
        return Typed(RESULT, tuple(sample(labels, value) for labels, value in found))


def parsed(name: str, text: str, missing_key: MissingKey = MissingKey.ZERO) -> Template:
    """A text as a template.

    Raises:
        TemplateSyntaxError: it cannot be read.
    """
    found = _parsed(name, text, missing_key)
    if isinstance(found, str):
        raise TemplateSyntaxError(found)
    return found


@functools.lru_cache(maxsize=_TEXTS_KEPT)
def _parsed(name: str, text: str, missing_key: MissingKey) -> Template | str:
    try:
        return parse(name, text, _KNOWN, missing_key=missing_key)
    except TemplateSyntaxError as exc:
        return str(exc)


def expand_text(text: str, name: str, data: Any, expansion: Expansion) -> str:
    """What a template gives.

    Args:
        text: the template.
        name: for messages.
        data: what `.` is.
        expansion: what it sees besides.

    Raises:
        TemplateSyntaxError: `error parsing template ...`.
        TemplateExecutionError: `error executing template ...`.
    """
    try:
        template = parsed(name, text, expansion.missing_key)
    except TemplateSyntaxError as exc:
        raise TemplateSyntaxError(f"error parsing template {name}: {exc}") from exc
    return _executed(template, name, data, expansion, expansion.functions())


def expand_html(text: str, name: str, data: Any, expansion: Expansion, files: Mapping[str, str] | None = None) -> str:
    """What a template gives as HTML, with everything escaped by where it stands: a console.

    Args:
        text: the template.
        name: for messages.
        data: what `.` is.
        expansion: what it sees besides.
        files: further texts with templates that it may use, by file name.

    Raises:
        TemplateSyntaxError: `error parsing template ...`.
        TemplateExecutionError: `error executing template ...`.
    """
    known = {**_KNOWN, "tmpl": Function(_here, (STRING, ANY))}
    among = TemplateSet(known, html=True, missing_key=expansion.missing_key)
    try:
        template = among.parse(name, text)
    except TemplateSyntaxError as exc:
        raise TemplateSyntaxError(f"error parsing template {name}: {exc}") from exc
    try:
        for file, content in (files or {}).items():
            among.parse(file, content)
    except TemplateSyntaxError as exc:
        raise TemplateSyntaxError(f"error parsing template files for {name}: {exc}") from exc
    functions = dict(expansion.functions())
    # Each use of a template is a program of its own, made once.
    used: dict[str, Template] = {}

    def execute_named(budget: Budget, wanted: str, value: Any) -> Typed:
        if wanted not in used:
            if wanted not in among.names():
                raise FunctionError(f"html/template: {quote(wanted)} is undefined")
            used[wanted] = among.template(wanted)
        budget.enter()
        try:
            return Typed(HTML, used[wanted].execute_within(budget, value, functions=functions))
        except TemplateExecutionError as exc:
            raise FunctionError(str(exc)) from exc
        finally:
            budget.depth += 1

    functions["tmpl"] = Function(execute_named, (STRING, ANY), budgeted=True)
    return _executed(template, name, data, expansion, functions)


def _executed(template: Template, name: str, data: Any, expansion: Expansion, functions: Functions) -> str:
    try:
        return template.execute(data, expansion.limits, functions=functions)
    except TemplateExecutionError as exc:
        raise TemplateExecutionError(f"error executing template {name}: {exc}") from exc
