"""JSON Schema of `vedette.yml`, for editors; the reference in the documentation is made from it.

In an editor with YAML language support: `# yaml-language-server: $schema=...` in the first line.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
from enum import Enum
from functools import cache
from typing import Any, Final, TypeVar, cast

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from vedette.config.config import VedetteFile
from vedette.config.discovery.registry import FOREIGN_KEYS, GATHERED, SUPPORTED, Discovering
from vedette.config.http_client import HttpClient
from vedette.config.render import as_mapping
from vedette.config.secrets import Secret
from vedette.config.settings import Settings, ordered_fields
from vedette.model.durations import Duration, Size

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE: Final = "#/$defs/"
_Kind = TypeVar("_Kind", bound=Settings)

PATTERNS: Final = {
    "duration": "^(0|([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?|.*\\$\\{.*)$",
    "size": "^(0|[-+]?([0-9.]+[KMGTPEk]?i?B)+|.*\\$\\{.*)$",
}
"""Regular expressions of the formats that editors can check; a value with `${VARIABLE}` passes."""


def json_schema() -> dict[str, Any]:
    """The schema of `vedette.yml`."""
    schema = _schema_of(VedetteFile)
    definitions: dict[str, Any] = schema.pop("$defs", {})
    for kind in (*SUPPORTED.values(), HttpClient):
        own = _schema_of(kind)
        for name, definition in own.pop("$defs", {}).items():
            definitions.setdefault(name, definition)
        definitions[kind.__name__] = own
    _describe(schema, VedetteFile)
    for kind in _settings_classes():
        if kind.__name__ in definitions:
            _describe(definitions[kind.__name__], kind)
    for value in (schema, *definitions.values()):
        _tidy(value)
    return {
        "$schema": _DIALECT,
        "title": "vedette.yml",
        **{key: value for key, value in schema.items() if key != "title"},
        "$defs": dict(sorted(definitions.items())),
    }


@cache
def documentation(kind: type[Settings]) -> dict[str, str]:
    """What is written below each field of a class, its ancestors' fields included."""
    found: dict[str, str] = {}
    for one in reversed(kind.__mro__):
        if issubclass(one, Settings):
            found.update(_own_documentation(one))
    return found


class _Schema(GenerateJsonSchema):
    """Writes defaults as people write them."""

    def encode_default(self, dft: Any) -> Any:
        """The default in YAML's terms."""
        match dft:
            case Duration() | Size():
                return str(dft)
            case Secret():
                return dft.value
            case Settings():
                return as_mapping(dft, defaults=False)
            case Enum():
                return dft.value
            case tuple():
                return [self.encode_default(item) for item in cast("tuple[Any, ...]", dft)]
            case _:
                return dft


def _schema_of(kind: type[_Kind]) -> dict[str, Any]:
    return TypeAdapter(kind).json_schema(by_alias=True, ref_template=_REFERENCE + "{model}", schema_generator=_Schema)


def _describe(schema: dict[str, Any], kind: type[Settings]) -> None:
    """Add the documentation of a class and its options."""
    schema["description"] = inspect.getdoc(kind) or ""
    properties: dict[str, Any] = schema.get("properties", {})
    found_by: dict[str, Any] = {}
    if issubclass(kind, Discovering):
        properties.pop(GATHERED, None)
        for key, one in SUPPORTED.items():
            found_by[key] = {
                "type": "array",
                "items": {"$ref": _REFERENCE + one.__name__},
                "description": inspect.getdoc(one) or "",
            }
        for key, name in FOREIGN_KEYS.items():
            text = f"Accepted and not supported: Vedette has no service discovery of the kind {name}."
            found_by[key] = {"type": "array", "items": {"type": "object"}, "description": text}
    texts = documentation(kind)
    for field in ordered_fields(kind):
        option = properties.pop(field.name.removesuffix("_"), None)
        if option is not None:
            option["description"] = texts.get(field.name, "")
            properties[field.name.removesuffix("_")] = option
    for key, option in found_by.items():
        properties.pop(key, None)
        properties[key] = option


def _tidy(schema: Any) -> None:
    """Remove titles that only repeat the name, add patterns, allow null where Prometheus does."""
    if isinstance(schema, list):
        for item in cast("list[Any]", schema):
            _tidy(item)
    if not isinstance(schema, dict):
        return
    node = cast("dict[str, Any]", schema)
    if isinstance(node.get("title"), str):
        node.pop("title")
    pattern = PATTERNS.get(str(node.get("format", "")))
    if pattern is not None and node.get("type") == "string":
        node["pattern"] = pattern
    if node.get("format") in ("secret", "path", "glob", "size", "duration", "url", "regex"):
        node["x-format"] = node.pop("format")
    for value in node.values():
        _tidy(value)


@cache
def _settings_classes() -> tuple[type[Settings], ...]:
    """All settings classes, in the order of their definition."""
    found: dict[type[Settings], None] = {}

    def visit(kind: type[Settings]) -> None:
        for one in kind.__subclasses__():
            # A class with slots is made anew by the decorator; the first version has no documentation of its own.
            if dataclasses.is_dataclass(one) and "__dataclass_fields__" in vars(one):
                found[one] = None
            visit(one)

    visit(Settings)
    return tuple(found)


@cache
def _own_documentation(kind: type[Settings]) -> dict[str, str]:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    except (OSError, TypeError):
        return {}
    body = tree.body[0]
    if not isinstance(body, ast.ClassDef):
        return {}
    found: dict[str, str] = {}
    for statement, after in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
            and isinstance(after.value.value, str)
        ):
            found[statement.target.id] = " ".join(after.value.value.split())
    return found
