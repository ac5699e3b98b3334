"""From a document to settings, or to all that is wrong with it: places, offending values, remedies.

What is wrong is left out and the rest is checked again, so that one mistake does not hide another: an
unknown option does not hide that two others contradict each other.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterable
from functools import cache
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from vedette.config.discovery.registry import DISCOVERY_KEYS, SUPPORTED, Discovering
from vedette.config.document import Document, Value, kind_of
from vedette.config.fields import nearest
from vedette.config.secrets import is_secret_name, mask_url
from vedette.config.settings import PROBLEM, UNKNOWN, VALUE, Settings
from vedette.model.errors import ConfigError, Location

_Root = TypeVar("_Root", bound=Settings)

_ROUNDS: Final = 12
"""How often what is wrong is left out before giving up on the rest."""

_LONGEST_QUOTE: Final = 60

_EXPECTED: Final = {
    "string_type": ("expected text", ""),
    "tuple_type": ("expected a list", "Start each entry with `- `."),
    "list_type": ("expected a list", "Start each entry with `- `."),
    "dict_type": ("expected a mapping", "Write `name: value` entries below it."),
    "dataclass_type": ("expected a mapping", "Write `name: value` entries below it."),
    "dataclass_exact_type": ("expected a mapping", "Write `name: value` entries below it."),
}


def adapter(root: type[_Root]) -> TypeAdapter[_Root]:
    """The validator of a settings class; built once."""
    return _adapter(root)


@cache
def _adapter(root: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(root)


def read_settings(document: Document, root: type[_Root]) -> tuple[_Root | None, list[ConfigError]]:
    """What a document says, as settings.

    Returns:
        The settings without what is wrong (None where nothing can be said), and all errors. Values that
        are wrong are marked as dropped in the document.
    """
    errors = list(document.errors)
    _drop_broken(document.root)
    for number in range(_ROUNDS):
        try:
            return adapter(root).validate_python(document.root.plain()), errors
        except ValidationError as exc:
            found = exc.errors(include_url=False)
        # Places are found before anything is dropped, because dropping shifts the indexes of lists.
        trails = [document.trail(error["loc"]) for error in found]
        for error, trail in zip(found, trails, strict=True):
            if not (number and _follows(trail)):
                errors.append(_diagnose(document, root, error, trail))
        for trail in trails:
            _drop(trail)
    return None, errors


def option_names(kind: type[Settings]) -> frozenset[str]:
    """The keys that a settings class takes."""
    names = {_key(field.name) for field in dataclasses.fields(kind)}
    if issubclass(kind, Discovering):
        names = (names - {"discovery"}) | DISCOVERY_KEYS
    return frozenset(names)


def _key(field: str) -> str:
    return field.removesuffix("_")


def place_of(document: Document, value: Value) -> Location:
    """Where to point at: a scalar, or the key of nothing and of what is written below it."""
    if isinstance(value.content, str):
        return document.at(value.line, value.column)
    return document.at(value.key_line, value.key_column)


def _follows(trail: list[Value]) -> bool:
    """Whether an error in a later round may come from what was left out before."""
    return any(child.dropped for child in trail[-1].children())


def _drop_broken(value: Value) -> None:
    value.dropped = value.broken
    for child in value.children():
        _drop_broken(child)


def _drop(trail: list[Value]) -> None:
    if len(trail) == 1:
        trail[0].content = {}  # the root itself is wrong: nothing of it can be checked further
    trail[-1].dropped = len(trail) > 1


def _diagnose(document: Document, root: type[Settings], error: ErrorDetails, trail: list[Value]) -> ConfigError:
    path = error["loc"]
    value = trail[-1]
    name = next((str(step) for step in reversed(path) if isinstance(step, str)), "")
    at = place_of(document, value)
    context = error.get("ctx", {})
    if error["type"] == PROBLEM:
        return ConfigError(at=at, problem=str(context["problem"]), remedy=str(context["remedy"]))
    if error["type"] == VALUE:
        return ConfigError(at=at, problem=f"{name}: {context['problem']}", remedy=str(context["remedy"]))
    if error["type"] == UNKNOWN:
        at = document.at(value.key_line, value.key_column)
        # The value is not the matter, and may be a secret under a misspelt name.
        head = at.text.find(name, at.column - 1) + len(name)
        shown = Location(at.file, at.line, at.column, f"{at.text[:head]}: …" if at.text.strip() else "")
        remedy = str(context.get("remedy", "")) or _meant(name, class_at(root, path[:-1]))
        return ConfigError(at=shown, problem=f"unknown option `{name}`", remedy=remedy)
    if error["type"] == "missing":
        return ConfigError(at=at, problem=f"`{_key(name)}` is missing", remedy=f"Add `{_key(name)}`.")
    if value.content is None:
        text = f"empty or null {_entry_of(path)}"
        return ConfigError(at=at, problem=text, remedy="Fill it in or remove it.")
    expected, remedy = _EXPECTED.get(error["type"], (error["msg"].lower(), ""))
    found = "something else" if is_secret_name(name) else mask_url(kind_of(value.content))
    if len(found) > _LONGEST_QUOTE:
        found = f"{found[:_LONGEST_QUOTE]}…"
    return ConfigError(at=at, problem=f"{name}: {expected}, found {found}", remedy=remedy)


def _entry_of(path: tuple[int | str, ...]) -> str:
    names = [str(step) for step in path if isinstance(step, str)]
    match names[-1] if names else "":
        case "scrape_configs":
            return "scrape config section"
        case name if name.endswith("relabel_configs"):
            return f"relabeling rule in {name}"
        case name:
            return f"entry in {name}"


def _meant(name: str, kind: type[Settings] | None) -> str:
    meant = nearest(name, sorted(option_names(kind))) if kind is not None else ""
    return f"Did you mean `{meant}`?" if meant else "Remove it, or indent it below the section it belongs to."


def class_at(root: type[Settings], path: Iterable[int | str]) -> type[Settings] | None:
    """The settings class that a path leads to; None where it leads to something else."""
    here: Any = root
    for step in path:
        if isinstance(step, int):
            here = next((arg for arg in get_args(here) if arg is not Ellipsis), None)
        elif isinstance(here, type) and issubclass(here, Settings):
            here = _field_type(here, step)
        elif get_origin(here) is tuple:
            # A mapping that is kept as pairs: its values' type is the second of the pair.
            pair = get_args(here)[0]
            here = _bare(get_args(pair)[1]) if get_origin(pair) is tuple else None
    return here if isinstance(here, type) and issubclass(here, Settings) else None


def _field_type(kind: type[Settings], key: str) -> Any:
    if issubclass(kind, Discovering) and key in SUPPORTED:
        return tuple[SUPPORTED[key], ...]
    if key not in option_names(kind):
        return kind  # a step of validation that is none of the document
    hints = _hints(kind)
    return _bare(hints.get(key) or hints.get(f"{key}_"))


@cache
def _hints(kind: type[Settings]) -> dict[str, Any]:
    return get_type_hints(kind)


def _bare(annotation: Any) -> Any:
    """An annotation without `| None`."""
    if get_origin(annotation) in (typing.Union, types.UnionType):
        return next((arg for arg in get_args(annotation) if arg is not type(None)), None)
    return annotation
