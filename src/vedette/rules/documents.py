"""The YAML document of a rule file: its groups wherever they stand, and places in its expressions.

A rule file is a mapping with `groups`; a Kubernetes object of the kind PrometheusRule has them below `spec`, and a List
of such objects has several. Of several YAML documents in one file only the first one counts, as in Prometheus.

Source: Prometheus' `model/rulefmt`, and the prometheus-operator's `PrometheusRule`.
"""

from __future__ import annotations

import re
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import DocumentEndEvent

from vedette.config.document import Document, Value, parse_tree
from vedette.model.errors import Location

_SEPARATOR: Final = re.compile(rb"^(?:---|\.\.\.)(?:[ \t\r\n]|$)", re.MULTILINE)

_OBJECT: Final = "PrometheusRule"
_LISTS: Final = frozenset({"List", f"{_OBJECT}List"})


def read_document(raw: bytes, file: str) -> tuple[Document, Location | None]:
    """The first YAML document of a rule file.

    Returns:
        The document, and where another one begins; None where there is none.

    Raises:
        ConfigErrors: the text cannot be read at all.
    """
    first = _first(raw)
    document = parse_tree(first, file=file)
    rest = raw[len(first) :]
    if not re.search(rb"^[^#\s]", _SEPARATOR.sub(b"", rest), re.MULTILINE):
        return document, None
    line = first.count(b"\n") + 1 + (len(rest[: len(rest) - len(rest.lstrip())].splitlines()))
    return document, Location(file, line, 1)


def _first(raw: bytes) -> bytes:
    """What the first document takes of a text."""
    if not any(found.start() for found in _SEPARATOR.finditer(raw)):
        return raw
    try:
        text = raw.decode("utf-8-sig")
        for event in YAML(typ="safe", pure=True).parse(text):
            if isinstance(event, DocumentEndEvent):
                return text[: event.end_mark.index].encode("utf-8", "surrogatepass")
    except (YAMLError, ValueError, RecursionError):
        pass  # what is wrong is said where the tree is made
    return raw


def group_lists(document: Document) -> list[tuple[Value, bool]]:
    """The mappings that have `groups`, each with whether it is the `spec` of a Kubernetes object."""
    root = document.root
    kind = _scalar(root, "kind")
    if kind in _LISTS:
        items = _child(root, "items")
        objects = items.content if items is not None and isinstance(items.content, list) else []
        specs = [_child(item, "spec") for item in objects if _scalar(item, "kind") in (_OBJECT, "")]
        return [(spec, True) for spec in specs if spec is not None]
    if kind == _OBJECT:
        spec = _child(root, "spec")
        return [] if spec is None else [(spec, True)]
    return [(root, False)]


def place_in_text(document: Document, value: Value, offset: int) -> Location:
    """The place of a character of a scalar's text; the scalar's own where the two cannot be matched."""
    text = value.content
    lines = document.lines
    if isinstance(text, str) and 0 < value.line <= len(lines):
        offset = min(offset, len(text.rstrip()))  # the end of the text is where it can be seen
        row, column = text.count("\n", 0, offset), offset - (text.rfind("\n", 0, offset) + 1)
        written = lines[value.line - 1][value.column - 1 :]
        if written.startswith(("|", ">")):
            wanted = text.split("\n")[row]
            number = value.line + row
            if number < len(lines) and wanted.strip() and lines[number].rstrip().endswith(wanted.rstrip()):
                indent = len(lines[number].rstrip()) - len(wanted.rstrip())
                return document.at(number + 1, indent + column + 1)
        elif row == 0:
            quotes = 1 if written[:1] in ("'", '"') else 0
            if written[quotes : quotes + column] == text[:column]:
                return document.at(value.line, value.column + quotes + column)
    return document.at(value.line, value.column)


def _child(value: Value, key: str) -> Value | None:
    return value.content.get(key) if isinstance(value.content, dict) else None


def _scalar(value: Value, key: str) -> str:
    child = _child(value, key)
    return child.content if child is not None and isinstance(child.content, str) else ""
