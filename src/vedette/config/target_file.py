"""Target groups that others write: the files of `file_sd_configs` and the answers of `http_sd_configs`.

A list of groups with `targets` and `labels`, in YAML or JSON (which YAML contains).
"""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from pydantic import ValidationError

from vedette.config.diagnosis import adapter, read_settings
from vedette.config.discovery import TargetGroup
from vedette.config.document import Document, Value, kind_of, parse_tree
from vedette.config.settings import UNKNOWN, Settings
from vedette.model.errors import ConfigError, ConfigErrors, Location


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFile(Settings):
    """The content of a target file."""

    groups: tuple[TargetGroup, ...] = ()
    """Its groups."""


def parse_target_groups(raw: bytes, *, file: str) -> tuple[TargetGroup, ...]:
    """The groups of a file or of an answer; nothing but JSON where the name ends in .json.

    Raises:
        ConfigErrors: with everything that is wrong and, for YAML, its places.
    """
    if file.lower().endswith(".json"):
        return parse_json_groups(raw, source=file)
    tree = parse_tree(raw, file=file)
    if tree.root.content is None:
        return ()
    if not isinstance(tree.root.content, list):
        problem = f"expected a list of target groups, found {kind_of(tree.root.content)}"
        raise ConfigErrors([ConfigError(at=tree.locate(()), problem=problem, remedy="Start each group with `- `.")])
    document = Document(tree.file, tree.lines, Value({"groups": tree.root}, 1, 1, 1, 1), tree.errors)
    settings, errors = read_settings(document, TargetFile)
    if errors or settings is None:
        raise ConfigErrors(errors)
    return settings.groups


def parse_json_groups(raw: bytes, *, source: str) -> tuple[TargetGroup, ...]:
    """As `parse_target_groups`, for JSON; `source` names it in messages.

    Raises:
        ConfigErrors: with everything that is wrong, named by the number of the group.
    """
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError as exc:
        problem = f"not readable as JSON: {exc.msg}"
        at = Location(source, exc.lineno, exc.colno)
        raise ConfigErrors([ConfigError(at=at, problem=problem)]) from exc
    try:
        return adapter(TargetFile).validate_python({"groups": found}).groups
    except ValidationError as exc:
        errors = [
            ConfigError(at=Location(source), problem=f"{_place(error['loc'])}: {_text(error)}")
            for error in exc.errors(include_url=False)
        ]
        raise ConfigErrors(errors) from exc


def _place(path: tuple[int | str, ...]) -> str:
    match path:
        case ("groups", int() as number, *rest):
            return ".".join([f"group {number}", *map(str, rest)])
        case _:
            return "the list of groups"


def _text(error: object) -> str:
    match error:
        case {"ctx": {"problem": str() as problem}}:
            return problem
        case {"type": str() as kind} if kind == UNKNOWN:
            return "unknown option; a group has `targets` and `labels`"
        case {"msg": str() as message}:
            return message.lower()
        case _:
            return "not a target group"
