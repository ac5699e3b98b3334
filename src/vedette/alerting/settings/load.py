"""Reading an alertmanager.yml: all that is wrong with it at once, each with its place and its remedy."""

from __future__ import annotations

import dataclasses
import itertools
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from vedette.alerting.receivers.registry import KINDS, ReceiverSettings, entry_key
from vedette.alerting.settings.file import AlertingConfig, AlertingFile
from vedette.alerting.settings.prepare import prepare
from vedette.alerting.settings.resolve import file_problems, file_warnings, fill_receiver
from vedette.alerting.settings.templates import read_library, template_errors, template_warnings
from vedette.config.alerts import AlertmanagerText
from vedette.config.config import ConfigWarning
from vedette.config.diagnosis import place_of, read_settings
from vedette.config.document import MAX_BYTES, Document, Value, parse_document
from vedette.config.paths import join_directory
from vedette.config.secrets import REDACTED
from vedette.config.settings import Problem
from vedette.model.errors import ConfigError, ConfigErrors, Location

_MOST_PROBLEMS: Final = 1000
_NOBODY: Final = "{route: {receiver: nobody, group_by: [alertname]}, receivers: [{name: nobody}]}"
_NAMED: Final = ("receivers", "time_intervals", "mute_time_intervals")
_SECRET_URL: Final = re.compile(r"""((?:^|[\s{,"'])(?:\w*_)?url["']?\s*:\s*)\S.*""")


def load_alerting(path: str | Path) -> AlertingConfig:
    """Read a file.

    Raises:
        ConfigErrors: with everything that is wrong.
    """
    try:
        with Path(path).open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as exc:
        problem = f"the file cannot be read: {exc.strerror or exc}"
        raise ConfigErrors([ConfigError(at=Location(str(path)), problem=problem)]) from exc
    return parse_alerting(raw, file=str(path))


def read_alerting(found: AlertmanagerText | None) -> AlertingConfig:
    """What Vedette's configuration says about alerts; where it says nothing, nobody is told of any.

    Raises:
        ConfigErrors: with everything that is wrong.
    """
    if found is None:
        return parse_alerting(_NOBODY, file="built-in configuration")
    return parse_alerting(found.text, file=found.file, expand=found.expand, section=found.section)


def parse_alerting(
    text: str | bytes, *, file: str, expand: Callable[[str], str] | None = None, section: str = ""
) -> AlertingConfig:
    """Read a text; `file` names it in messages and says where relative paths start.

    Args:
        text: the YAML.
        file: its path.
        expand: applied to every scalar, e.g. to fill in environment variables; Alertmanager itself has no such thing.
        section: the key below which it stands; empty where it is the whole text.

    Raises:
        ConfigErrors: with everything that is wrong.
    """
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    try:
        return _parse(raw, file, expand, section)
    except ConfigErrors as exc:
        raise ConfigErrors(_shown(exc.errors)) from exc


def _parse(raw: bytes, file: str, expand: Callable[[str], str] | None, section: str) -> AlertingConfig:
    document = parse_document(raw, file=file, expand=expand)
    if section:
        document = dataclasses.replace(document, root=document.find((section,)))
    prepare(document, raw)
    settings, errors = read_settings(document, AlertingFile)
    settings = settings or AlertingFile()
    for problem in itertools.islice(file_problems(settings), _MOST_PROBLEMS):
        # A part that is left out because it is wrong must not be missed as well.
        if not (errors and _follows(document, problem)):
            errors.append(_located(document, problem))
    whole = _absolute(settings, os.path.dirname(file))  # noqa: PTH120 - a text, as the user wrote it
    library, unread = read_library(whole.templates)
    errors += unread
    errors += itertools.islice(template_errors(document, settings, library), _MOST_PROBLEMS)
    if errors or whole.route is None:
        raise ConfigErrors(errors)
    warnings = [ConfigWarning(_located(document, one).at, one.text) for one in file_warnings(settings)]
    warnings += itertools.islice(template_warnings(document, whole, library), _MOST_PROBLEMS)
    warnings.sort(key=lambda one: one.at.line)
    return AlertingConfig(
        file=whole,
        route=whole.route,
        receivers=tuple(fill_receiver(one, whole.global_) for one in whole.receivers),
        intervals={one.name: one for one in (*whole.mute_time_intervals, *whole.time_intervals)},
        warnings=tuple(warnings),
        files=(file, *library.paths),
        library=library,
    )


def _follows(document: Document, problem: Problem) -> bool:
    """Whether a problem may come from a part that was left out because it is wrong."""
    if problem.text.startswith("undefined"):
        name = problem.text.split('"')[1]
        return any(name in _names(document, section) for section in _NAMED)
    trail = document.trail(problem.path)
    if any(child.dropped for child in trail[-1].children()):
        return True
    if len(problem.path) < 4 or problem.path[0] != "receivers":
        return False
    # What an integration misses may stand in `global`, mistyped.
    kind = str(problem.path[2]).removesuffix("_configs")
    prefix = "smtp_" if kind == "email" else f"{kind}_"
    return any(one.dropped for key, one in _section(document, "global").items() if key.startswith(prefix))


def _names(document: Document, section: str) -> set[str]:
    """The names that a section defines, also where the rest of an entry is wrong."""
    content = document.root.content
    value = content.get(section) if isinstance(content, dict) else None
    entries = [one.content for one in value.children()] if value is not None else []
    return {str(one["name"].content) for one in entries if isinstance(one, dict) and "name" in one}


def _section(document: Document, name: str) -> dict[str, Value]:
    content = document.root.content
    value = content.get(name) if isinstance(content, dict) else None
    return value.content if value is not None and isinstance(value.content, dict) else {}


def _absolute(settings: AlertingFile, directory: str) -> AlertingFile:
    """Settings whose relative paths start at a directory."""
    joined = join_directory(settings, directory)
    receivers = tuple(map(_with_structures, joined.receivers, settings.receivers))
    return dataclasses.replace(joined, receivers=receivers)


def _with_structures(joined: ReceiverSettings, before: ReceiverSettings) -> ReceiverSettings:
    """A receiver with its free structures as they were: they hold no paths, and lose their shape with the others."""
    lists: dict[str, Any] = {}
    for kind in KINDS:
        key = entry_key(kind.kind)
        if kind.structures:
            lists[key] = tuple(
                dataclasses.replace(one, **{name: getattr(old, name) for name in kind.structures})
                for one, old in zip(getattr(joined, key), getattr(before, key), strict=True)
            )
    return dataclasses.replace(joined, **lists)


def _located(document: Document, problem: Problem) -> ConfigError:
    at = place_of(document, document.find(problem.path))
    return ConfigError(at=at, problem=problem.text, remedy=problem.remedy)


def _shown(errors: Iterable[ConfigError]) -> list[ConfigError]:
    """Errors in the order of the file, each once, their quotes without addresses that hold a token."""
    shown: dict[str, ConfigError] = {}
    for error in sorted(errors, key=lambda one: (one.at.file, one.at.line, one.at.column)):
        text = _SECRET_URL.sub(rf"\1{REDACTED}", error.at.text)
        at = Location(error.at.file, error.at.line, error.at.column, text)
        masked = ConfigError(at=at, problem=error.problem, remedy=error.remedy)
        shown.setdefault(str(masked), masked)
    return list(shown.values())
