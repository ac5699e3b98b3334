"""Relative paths in a configuration: they count from the directory of the file in which they stand."""

from __future__ import annotations

import dataclasses
import os.path
from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, TypeVar, cast, get_args, get_origin, get_type_hints

from vedette.config.fields import FileMark
from vedette.config.settings import Settings

_Some = TypeVar("_Some", bound=Settings)


def join_directory(settings: _Some, directory: str) -> _Some:
    """Settings whose relative paths start at `directory`."""
    files = _file_fields(type(settings))
    names = [field.name for field in dataclasses.fields(settings)]
    joined = {name: _joined(getattr(settings, name), directory, file=name in files) for name in names}
    return dataclasses.replace(settings, **joined)


def named_files(settings: Settings) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """All files that settings name (not patterns), with the paths of their options."""
    files = _file_fields(type(settings))
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        yield from _named(value, (field.name.removesuffix("_"),), file=field.name in files and not files[field.name])


def _joined(value: Any, directory: str, *, file: bool) -> Any:
    if isinstance(value, Settings):
        return join_directory(value, directory)
    if isinstance(value, tuple):
        return tuple(_joined(item, directory, file=file) for item in cast("tuple[Any, ...]", value))
    if file and isinstance(value, str) and value and not value.startswith("/"):
        return os.path.join(directory, value)  # noqa: PTH118 - a text, as the user wrote it
    return value


def _named(value: Any, path: tuple[str | int, ...], *, file: bool) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, Settings):
        for below, name in named_files(value):
            yield (*path, *below), name
    elif isinstance(value, tuple):
        for index, item in enumerate(cast("tuple[Any, ...]", value)):
            yield from _named(item, (*path, index), file=file)
    elif file and isinstance(value, str) and value:
        yield path, value


@cache
def _file_fields(kind: type[Settings]) -> dict[str, bool]:
    """Fields that name files, and whether they are patterns."""
    marks = {name: _mark(annotation) for name, annotation in get_type_hints(kind, include_extras=True).items()}
    return {name: mark.glob for name, mark in marks.items() if mark is not None}


def _mark(annotation: Any) -> FileMark | None:
    if get_origin(annotation) is Annotated:
        for argument in get_args(annotation)[1:]:
            if isinstance(argument, FileMark):
                return argument
    for argument in get_args(annotation):
        mark = _mark(argument)
        if mark is not None:
            return mark
    return None
