"""Where YAML's null and types mean something in an alertmanager.yml, before its options are read.

Alertmanager reads a null label value as the empty text, refuses a null regular expression and a null integration,
and keeps numbers and flags apart from texts inside of structures that go out as JSON.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from vedette.alerting.settings.fields import typed_text
from vedette.config.document import Document, Value
from vedette.model.errors import ConfigError

_TEXTS: Final = frozenset({"match", "source_match", "target_match", "headers", "labels", "attributes", "custom_fields"})
_PATTERNS: Final = frozenset({"match_re", "source_match_re", "target_match_re"})
_TYPED: Final = frozenset(
    {("webhook_configs", "payload"), ("pagerduty_configs", "details"), ("jira_configs", "fields")}
)
_LONGEST_NUMBER: Final = 40

Place = tuple[int, int]


def prepare(document: Document, raw: bytes) -> None:
    """Give nulls their meaning and scalars of free structures their type; what is refused becomes an error."""
    meanings: dict[Place, Any] | None = None
    for section, key, value in _entries(document.root, ""):
        if key in _TEXTS and isinstance(value.content, dict):
            for one in value.content.values():
                one.content = "" if one.content is None else one.content
        elif key in _PATTERNS and isinstance(value.content, dict):
            for name, one in value.content.items():
                if one.content is None:
                    _refuse(document, one, f'invalid regexp value for "{name}"', "Write a regular expression.")
        elif key.endswith("_configs") and isinstance(value.content, list):
            kind = key.removesuffix("_configs")
            for one in value.content:
                if one.content is None:
                    _refuse(document, one, f"missing {kind} config", "Fill the entry in, or remove it.")
        if (section, key) in _TYPED:
            meanings = _meanings(raw) if meanings is None else meanings
            _give_types(value, meanings)


def _entries(value: Value, section: str) -> Iterator[tuple[str, str, Value]]:
    """All entries of mappings, with the nearest `*_configs` that they stand in."""
    if isinstance(value.content, dict):
        for key, child in value.content.items():
            yield section, key, child
            yield from _entries(child, key if key.endswith("_configs") else section)
    elif isinstance(value.content, list):
        for child in value.content:
            yield from _entries(child, section)


def _refuse(document: Document, value: Value, problem: str, remedy: str) -> None:
    value.broken = True
    at = document.at(value.key_line, value.key_column)
    document.errors.append(ConfigError(at=at, problem=problem, remedy=remedy))


def _give_types(value: Value, meanings: dict[Place, Any]) -> None:
    for child in value.children():
        _give_types(child, meanings)
    if value.content is None or isinstance(value.content, str):
        text = value.content or ""
        value.content = typed_text(text, meanings.get((value.line, value.column), value.content))


def _meanings(raw: bytes) -> dict[Place, Any]:
    """What YAML makes of each scalar, by the scalar's place."""
    yaml = YAML(typ="safe", pure=True)
    try:
        root = yaml.compose(raw.decode("utf-8-sig", "replace"))
    except YAMLError:
        return {}
    found: dict[Place, Any] = {}
    seen: set[int] = set()
    waiting: list[Node] = [] if root is None else [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, ScalarNode):
            found[node.start_mark.line + 1, node.start_mark.column + 1] = _meaning(node)
        elif isinstance(node, SequenceNode):
            waiting.extend(node.value)
        elif isinstance(node, MappingNode):
            waiting.extend(child for _, child in node.value)
    return found


def _meaning(node: ScalarNode) -> Any:
    text = str(node.value)
    kind = str(node.tag).rpartition(":")[2]
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() in ("true", "yes", "on")
    if kind in ("int", "float") and len(text) <= _LONGEST_NUMBER:
        try:
            return int(text.replace("_", ""), 0) if kind == "int" else float(text.replace("_", ""))
        except ValueError:
            return text  # `.inf`, `010`: as it is written
    return text
