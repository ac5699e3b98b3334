"""Templates and sets of them: parse once, execute often.

Templates of one set may use each other. A later definition replaces an earlier one, unless there is nothing in it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from vedette.lang.gotemplate.builtins import BUILTINS
from vedette.lang.gotemplate.errors import TemplateExecutionError
from vedette.lang.gotemplate.execution import MissingKey, execute_tree
from vedette.lang.gotemplate.html.escape import escape_trees
from vedette.lang.gotemplate.html.escapers import ESCAPERS
from vedette.lang.gotemplate.kinds import Functions
from vedette.lang.gotemplate.limits import Budget, Limits
from vedette.lang.gotemplate.literals import quote
from vedette.lang.gotemplate.nodes import Nodes, invocations
from vedette.lang.gotemplate.parser import parse_trees

_MISSING_KEYS: Final = {
    "missingkey=default": MissingKey.DEFAULT,
    "missingkey=invalid": MissingKey.DEFAULT,
    "missingkey=zero": MissingKey.ZERO,
    "missingkey=error": MissingKey.ERROR,
}


def missing_key_of(options: Iterable[str]) -> MissingKey:
    """What Go's template options say of missing keys; the last one counts.

    Raises:
        ValueError: an option is unknown.
    """
    found = MissingKey.DEFAULT
    for option in options:
        if option not in _MISSING_KEYS:
            raise ValueError(f"unrecognized option: {option}")
        found = _MISSING_KEYS[option]
    return found


class TemplateSet:
    """Templates that may use each other.

    Attributes:
        functions: what they may call besides Go's own functions.
        html: whether they write HTML, and escape what they are given.
        missing_key: what an entry is that a map does not have.
    """

    def __init__(
        self, functions: Functions, *, html: bool = False, missing_key: MissingKey = MissingKey.DEFAULT
    ) -> None:
        self.functions = functions
        self.html = html
        self.missing_key = missing_key
        self._known = _Names(functions)
        self._trees: dict[str, Nodes] = {}

    def parse(self, name: str, text: str) -> Template:
        """Add the templates of a text; the text's own template has the given name.

        Raises:
            TemplateSyntaxError: the text cannot be read; the set is as it was.
        """
        trees = parse_trees(name, text, self._known)
        for found, root in trees.items():
            if found not in self._trees or not root.is_empty():
                self._trees[found] = root
        return Template(name, self)

    def clone(self) -> TemplateSet:
        """A set with the same templates, to which others can be added."""
        copy = TemplateSet(self.functions, html=self.html, missing_key=self.missing_key)
        copy._trees = dict(self._trees)
        return copy

    def names(self) -> frozenset[str]:
        """Of all templates."""
        return frozenset(self._trees)

    def template(self, name: str) -> Template:
        """A template by name.

        Raises:
            TemplateExecutionError: there is none.
        """
        if name not in self._trees:
            raise TemplateExecutionError(f"template: no template {quote(name)} in the set")
        return Template(name, self)

    def trees(self) -> Mapping[str, Nodes]:
        """The templates as they are now."""
        return dict(self._trees)


class Template:
    """A template of a set, as the set was when it was first executed."""

    def __init__(self, name: str, among: TemplateSet) -> None:
        self.name = name
        self._set = among
        self._lock = threading.Lock()
        self._program: _Program | None = None
        self._problem = ""

    def prepare(self) -> None:
        """Do now what the first execution would do, which is to find out where values stand in HTML.

        Raises:
            TemplateExecutionError: it cannot be told, or would be unsafe.
        """
        self._prepared()

    def missing(self) -> frozenset[str]:
        """Names of templates that this one, or one that it uses, would use and that do not exist."""
        trees = self._set.trees()
        seen, waiting = {self.name}, [self.name]
        while waiting:
            root = trees.get(waiting.pop())
            used = {node.name for node in invocations(root)} if root is not None else set[str]()
            waiting += used - seen
            seen |= used
        return frozenset(seen - trees.keys())

    def execute(self, data: Any, limits: Limits | None = None, *, functions: Functions | None = None) -> str:
        """What the template gives.

        Args:
            data: what `.` and `$` are: plain Python values and `Typed` ones.
            limits: what it may use.
            functions: stand instead of those of the set that have the same names, for this execution.

        Raises:
            TemplateExecutionError: with Go's message; or a limit was reached.
        """
        return self.execute_within(Budget(limits or Limits()), data, functions=functions)

    def execute_within(self, budget: Budget, data: Any, *, functions: Functions | None = None) -> str:
        """The same as a part of another execution.

        Raises:
            TemplateExecutionError: as `execute`.
        """
        program = self._prepared()
        known = program.functions if functions is None else {**program.functions, **functions}
        return execute_tree(program.name, program.trees, known, data, missing_key=self._set.missing_key, budget=budget)

    def _prepared(self) -> _Program:
        with self._lock:
            if self._program is None and not self._problem:
                try:
                    self._program = self._prepare()
                except TemplateExecutionError as exc:
                    # It will not become better.
                    self._problem = str(exc)
        if self._program is None:
            raise TemplateExecutionError(self._problem)
        return self._program

    def _prepare(self) -> _Program:
        trees = self._set.trees()
        if not self._set.html:
            return _Program(self.name, trees, self._set.functions)
        return _Program(self.name, escape_trees(self.name, trees), {**self._set.functions, **ESCAPERS})


@dataclass(frozen=True, slots=True)
class _Program:
    """What is executed."""

    name: str
    trees: Mapping[str, Nodes]
    functions: Functions


class _Names:
    """Which functions there are."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions

    def __contains__(self, name: object) -> bool:
        return name in self._functions or name in BUILTINS


def parse(
    name: str,
    text: str,
    functions: Functions,
    *,
    html: bool = False,
    missing_key: MissingKey = MissingKey.DEFAULT,
) -> Template:
    """A template from its text.

    Args:
        name: for messages.
        text: the text; it may define further templates.
        functions: what it may call besides Go's own functions.
        html: whether it writes HTML, and escapes what it is given by where it stands.
        missing_key: what an entry is that a map does not have.

    Raises:
        TemplateSyntaxError: the text cannot be read.
    """
    return TemplateSet(functions, html=html, missing_key=missing_key).parse(name, text)
