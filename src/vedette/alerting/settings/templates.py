"""The templates of an alertmanager.yml: those in files, and those in the options of receivers and routes.

Alertmanager reads those of options when it sends, and then sends nothing. Here all of them are read with the file,
and what is wrong is an error at its line.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Annotated, Any, Final, NamedTuple, cast, get_args, get_origin, get_type_hints

from vedette.alerting.settings.fields import FrozenMapping, TemplateMark
from vedette.alerting.settings.file import AlertingFile
from vedette.alerting.templates import Library, load_library
from vedette.config.config import ConfigWarning
from vedette.config.diagnosis import place_of
from vedette.config.document import Document, Value
from vedette.config.fields import MappingOf, nearest
from vedette.config.secrets import Secret
from vedette.config.settings import Settings
from vedette.lang.gotemplate import TemplateError, TemplateSyntaxError
from vedette.model.errors import ConfigError, ConfigErrors, Location

Path = tuple[str | int, ...]

_ACTION: Final = "{{"
_FIRST_LINE: Final = "template: :1: "
_BLOCKS: Final = ("|", ">")
_REMEDY: Final = "Actions stand in {{ and }}; docs/reference/templates.md lists what they can say."


class TemplateText(NamedTuple):
    """A text that may be a template.

    Attributes:
        path: of its option.
        text: the text.
        html: whether it gives HTML.
        secret: whether nothing of it may be shown.
    """

    path: Path
    text: str
    html: bool
    secret: bool = False


class _Kind(NamedTuple):
    """What an option with templates holds."""

    html: bool
    pairs: bool


def read_library(patterns: Iterable[str]) -> tuple[Library, list[ConfigError]]:
    """The templates of all files, and what is wrong with them; then only the default ones."""
    try:
        return load_library(tuple(patterns)), []
    except ConfigErrors as exc:
        return Library(), list(exc.errors)


def template_errors(document: Document, file: AlertingFile, library: Library) -> Iterator[ConfigError]:
    """What is wrong with the templates of options."""
    for found in template_texts(file):
        problem = library.check(found.text, html=found.html)
        if problem is None:
            continue
        value = document.find(found.path)
        name = next(str(step) for step in reversed(found.path) if isinstance(step, str))
        if found.secret:
            # The message quotes parts of the text.
            yield ConfigError(at=place_of(document, value), problem=f"{name}: not a template", remedy=_REMEDY)
        else:
            # The place says which line.
            text = f"{name}: {str(problem).removeprefix(_FIRST_LINE)}"
            yield ConfigError(at=_place(document, value, found.text, problem), problem=text, remedy=_REMEDY)


def template_warnings(document: Document, file: AlertingFile, library: Library) -> Iterator[ConfigWarning]:
    """Templates that use others which do not exist, and patterns that no file matches."""
    for index, pattern in enumerate(file.templates):
        if pattern not in library.patterns:
            at = place_of(document, document.find(("templates", index)))
            yield ConfigWarning(at, f'no file matches "{pattern}"')
    names = library.names()
    for found in template_texts(file):
        for missing in library.missing(found.text):
            meant = nearest(missing, names)
            hint = f'; did you mean "{meant}"?' if meant else ""
            at = place_of(document, document.find(found.path))
            yield ConfigWarning(at, f'there is no template "{missing}"{hint}')


def template_texts(file: AlertingFile) -> Iterator[TemplateText]:
    """All texts with actions in receivers and routes."""
    parts: Iterable[tuple[Path, Settings]] = itertools.chain(
        ((("route",), file.route),) if file.route is not None else (),
        ((("receivers", index), receiver) for index, receiver in enumerate(file.receivers)),
    )
    for path, settings in parts:
        for found in _of_settings(settings, path):
            if _ACTION in found.text:
                yield found


def _of_settings(settings: Settings, path: Path) -> Iterator[TemplateText]:
    marked = _marked(type(settings))
    structures = cast("tuple[str, ...]", getattr(settings, "structures", ()))
    for one in dataclasses.fields(settings):
        below = (*path, one.name.removesuffix("_"))
        value = getattr(settings, one.name)
        if one.name in structures:
            yield from _of_structure(value, below)
        elif one.name in marked:
            yield from _of_option(value, below, marked[one.name])
        else:
            yield from _of_parts(value, below)


def _of_parts(value: Any, path: Path) -> Iterator[TemplateText]:
    if isinstance(value, Settings):
        yield from _of_settings(value, path)
    elif isinstance(value, tuple):
        for index, item in enumerate(cast("tuple[Any, ...]", value)):
            yield from _of_parts(item, (*path, index))


def _of_option(value: Any, path: Path, kind: _Kind) -> Iterator[TemplateText]:
    match value:
        case str():
            yield TemplateText(path, value, kind.html)
        case Secret():
            yield TemplateText(path, value.value, kind.html, secret=True)
        case tuple():
            for index, item in enumerate(cast("tuple[Any, ...]", value)):
                name, text = item if kind.pairs else (index, item)
                yield TemplateText((*path, name), text, kind.html)
        case _:
            return


def _of_structure(value: Any, path: Path) -> Iterator[TemplateText]:
    match value:
        case str():
            yield TemplateText(path, value, html=False)
        case FrozenMapping():
            for name, item in value:
                # Names are expanded as well.
                yield TemplateText((*path, name), name, html=False)
                yield from _of_structure(item, (*path, name))
        case tuple():
            for index, item in enumerate(cast("tuple[Any, ...]", value)):
                yield from _of_structure(item, (*path, index))
        case _:
            return


@cache
def _marked(kind: type[Settings]) -> dict[str, _Kind]:
    """Which options of a settings class are templates."""
    hints = get_type_hints(kind, include_extras=True)
    found = {name: _kind_of(annotation) for name, annotation in hints.items()}
    return {name: one for name, one in found.items() if one is not None}


def _kind_of(annotation: Any) -> _Kind | None:
    if get_origin(annotation) is Annotated:
        inner, *extras = get_args(annotation)
        for extra in extras:
            if isinstance(extra, TemplateMark):
                return _Kind(extra.html, pairs=False)
            if isinstance(extra, MappingOf):
                within = _kind_of(extra.value)
                return within and _Kind(within.html, pairs=True)
        return _kind_of(inner)
    return next((kind for kind in map(_kind_of, get_args(annotation)) if kind is not None), None)


def _place(document: Document, value: Value, text: str, problem: TemplateError) -> Location:
    """Where in the file something is wrong with a template, if its text stands there as it is."""
    whole = place_of(document, value)
    line = problem.line if isinstance(problem, TemplateSyntaxError) else 0
    wrong = text.split("\n")
    if not isinstance(problem, TemplateSyntaxError) or not 0 < line <= len(wrong):
        return whole
    block = document.lines[value.line - 1][value.column - 1 :].startswith(_BLOCKS)
    number = value.line + line if block else value.line
    if (line > 1 and not block) or number > len(document.lines):
        return whole
    start = document.lines[number - 1].find(wrong[line - 1], 0 if block else value.column - 1)
    return document.at(number, start + problem.column) if start >= 0 else whole
