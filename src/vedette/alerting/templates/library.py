"""The texts of notifications: Alertmanager's default templates, the users' own, and what receivers make of them.

Templates of users replace default ones of the same name. What a text becomes is kept, so that only its first
notification reads it.

Source: Alertmanager's `template/template.go`.
"""

from __future__ import annotations

import functools
import glob
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Final

from vedette.alerting.templates.data import route_label
from vedette.alerting.templates.functions import FUNCTIONS
from vedette.lang.gotemplate import (
    STRING,
    TIME,
    Budget,
    Function,
    FunctionError,
    Functions,
    Limits,
    MissingKey,
    Template,
    TemplateError,
    TemplateSet,
    TemplateSyntaxError,
    Typed,
    duration,
)
from vedette.model.errors import ConfigError, ConfigErrors, Location

_PACKAGE: Final = "vedette.alerting.templates"
_ACTION: Final = "{{"
_DEFAULT_FILES: Final = ("default.tmpl", "email.tmpl")
_TEXTS_KEPT: Final = 1024
_LONGEST_QUOTE: Final = 200
_MAX_BYTES: Final = 4 << 20
_MS_NS: Final = 1_000_000
LIMITS: Final = Limits()


def _here(*_: object) -> None:
    """Stands for a function of one notification, so that texts can be parsed before."""


_KNOWN: Final[Functions] = {
    **FUNCTIONS,
    "routeLabels": Function(_here, (STRING,)),
    "since": Function(_here, (TIME,)),
}


class Library:
    """Templates, and the texts that use them."""

    def __init__(
        self, files: Iterable[tuple[str, str]] = (), *, patterns: Iterable[str] = (), paths: Iterable[str] = ()
    ) -> None:
        """Take the default templates, and those of some files.

        Args:
            files: names and contents, later ones before earlier ones.
            patterns: those that found files.
            paths: where the files are, for watching.

        Raises:
            TemplateSyntaxError: a file cannot be read; the message names it.
        """
        self.patterns = frozenset(patterns)
        self.paths = tuple(paths)
        self._text = TemplateSet(_KNOWN, missing_key=MissingKey.ZERO)
        self._html = TemplateSet(_KNOWN, html=True, missing_key=MissingKey.ZERO)
        for name, content in (*_default_files(), *files):
            self._text.parse(name, content)
            self._html.parse(name, content)
        # A cache of its own for each set of templates, so that a reload forgets the old ones.
        self._parsed = functools.lru_cache(maxsize=_TEXTS_KEPT)(self._parse)

    def names(self) -> frozenset[str]:
        """Of all templates that texts can use."""
        return self._text.names()

    def check(self, text: str, *, html: bool = False) -> TemplateError | None:
        """What is wrong with a text; None if nothing is."""
        if _ACTION not in text:
            return None
        try:
            self._template(text, html=html).prepare()
        except TemplateError as exc:
            return exc
        return None

    def missing(self, text: str) -> frozenset[str]:
        """Names of templates that a text would use and that do not exist.

        Raises:
            TemplateSyntaxError: the text cannot be read.
        """
        return self._template(text, html=False).missing() if _ACTION in text else frozenset()

    def render(self, text: str, data: Any, *, now_ms: int, limits: Limits = LIMITS) -> str:
        """What a text of a receiver gives.

        Args:
            text: the text; with templates or without.
            data: what `.` is: usually from `notification_data`.
            now_ms: the time, milliseconds since the epoch.
            limits: what it may use.

        Raises:
            TemplateError: the text cannot be read or executed; the message is Alertmanager's.
        """
        if _ACTION not in text:
            return text
        return self._execute(text, data, now_ms, limits, html=False)

    def render_html(self, text: str, data: Any, *, now_ms: int, limits: Limits = LIMITS) -> str:
        """The same for a text of HTML: values are escaped by where they stand.

        Raises:
            TemplateError: as `render`.
        """
        return self._execute(text, data, now_ms, limits, html=True) if text else ""

    def _execute(self, text: str, data: Any, now_ms: int, limits: Limits, *, html: bool) -> str:
        template = self._template(text, html=html)
        return template.execute(data, limits, functions=_Notification(self, data, now_ms).functions())

    def _template(self, text: str, *, html: bool) -> Template:
        found = self._parsed(text, html)
        if isinstance(found, TemplateSyntaxError):
            raise TemplateSyntaxError(str(found), line=found.line, column=found.column)
        return found

    def _parse(self, text: str, html: bool) -> Template | TemplateSyntaxError:  # noqa: FBT001 - a cache's key
        try:
            return (self._html if html else self._text).clone().parse("", text)
        except TemplateSyntaxError as exc:
            return exc

    def expand_within(self, budget: Budget, text: str, data: object, functions: Functions) -> str:
        """A text as a part of another one.

        Raises:
            TemplateError: as `render`.
        """
        return self._template(text, html=False).execute_within(budget, data, functions=functions)


class _Notification:
    """The functions of one notification."""

    def __init__(self, library: Library, data: Any, now_ms: int) -> None:
        self._library = library
        self._data = data
        self._now_ns = now_ms * _MS_NS
        self._within: list[str] = []

    def functions(self) -> Functions:
        """By name."""
        return {
            "since": Function(self._since, (TIME,)),
            "routeLabels": Function(self._route_label, (STRING,), budgeted=True),
        }

    def _since(self, at: Typed) -> Typed:
        return duration(self._now_ns - at.value.ns)

    def _route_label(self, budget: Budget, name: str) -> str:
        """A label of the route, whose template may use others, but not itself."""
        if name in self._within:
            raise FunctionError(f"route labels use each other in a circle: {' -> '.join([*self._within, name])}")
        text = route_label(self._data, name)
        if _ACTION not in text:
            return text
        self._within.append(name)
        budget.enter()
        try:
            return self._library.expand_within(budget, text, self._data, self.functions())
        except TemplateError as exc:
            raise FunctionError(str(exc)) from exc
        finally:
            budget.depth += 1
            self._within.pop()


@functools.cache
def _default_files() -> tuple[tuple[str, str], ...]:
    folder = resources.files(_PACKAGE)
    return tuple((name, folder.joinpath(name).read_text("utf-8")) for name in _DEFAULT_FILES)


def load_library(patterns: Sequence[str]) -> Library:
    """The default templates, and those of all files that match.

    Args:
        patterns: absolute paths, with `*` and `?` in file names.

    Raises:
        ConfigErrors: with everything that is wrong.
    """
    found = {pattern: sorted(glob.glob(pattern)) for pattern in patterns}  # noqa: PTH207 - absolute patterns
    paths = [path for pattern in patterns for path in found[pattern]]
    files: list[tuple[str, str]] = []
    errors: list[ConfigError] = []
    for path in paths:
        try:
            content = _read(path)
        except (OSError, ValueError) as exc:
            problem = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
            errors.append(ConfigError(at=Location(path), problem=f"the file cannot be read: {problem}"))
            continue
        try:
            # Alone, so that the error is this file's.
            TemplateSet(_KNOWN).parse(Path(path).name, content)
        except TemplateSyntaxError as exc:
            lines = content.split("\n")
            line = lines[exc.line - 1].rstrip() if 0 < exc.line <= len(lines) else ""
            at = Location(path, exc.line, exc.column, line[:_LONGEST_QUOTE])
            errors.append(ConfigError(at=at, problem=str(exc)))
        files.append((Path(path).name, content))
    if errors:
        raise ConfigErrors(errors)
    return Library(files, patterns=(pattern for pattern in patterns if found[pattern]), paths=paths)


def _read(path: str) -> str:
    with Path(path).open("rb") as stream:
        raw = stream.read(_MAX_BYTES + 1)
    if len(raw) > _MAX_BYTES:
        raise ValueError(f"it is longer than {_MAX_BYTES:,} bytes")
    return raw.decode("utf-8", "replace")
