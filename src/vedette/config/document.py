"""YAML text as a tree that remembers where each key and value stands.

Scalars stay text (or None for YAML's null): what a text means, a number or a duration, is decided by the
option that it is given to, as in Go, so that `password: 0123` is a password and not a number. Anchors,
aliases and merge keys work. Duplicate keys are errors, and so are tags of languages, and the work is
bounded: by the size of the text, the depth of nesting and the number of values after aliases.

All errors of a text are reported at once where the text can be read at all.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from vedette.config.environment import is_verbatim
from vedette.config.secrets import mask_line
from vedette.model.errors import ConfigError, ConfigErrors, Location

MAX_BYTES: Final = 4 << 20
MAX_VALUES: Final = 500_000
MAX_DEPTH: Final = 64

Path = Sequence[str | int]
"""Keys and list indexes from the root to a value."""

_YAML_TAGS: Final = "tag:yaml.org,2002:"
_MERGE: Final = "<<"
_KINDS: Final = frozenset(
    f"{_YAML_TAGS}{kind}"
    for kind in ("null", "str", "bool", "int", "float", "timestamp", "binary", "merge", "value", "map", "seq")
)
"""Tags that say no more than what a text is; all others stand for objects of some language."""


@dataclass(slots=True, eq=False)
class Value:
    """A node of the tree.

    Attributes:
        content: a scalar's text, None for null, or the entries of a mapping or a list.
        line: where the value starts, from 1.
        column: likewise.
        key_line: where its key starts; the value's own place in a list.
        key_column: likewise.
        broken: an error about it is already known.
        dropped: left out, so that the rest can be checked without it.
    """

    content: str | dict[str, Value] | list[Value] | None
    line: int
    column: int
    key_line: int
    key_column: int
    broken: bool = False
    dropped: bool = False

    def plain(self) -> Any:
        """The value as dict, list and str; keys whose value is null are left out."""
        match self.content:
            case dict() as entries:
                return {k: v.plain() for k, v in entries.items() if v.content is not None and not v.dropped}
            case list() as items:
                return [item.plain() for item in items if not item.dropped]
            case scalar:
                return scalar

    def children(self) -> list[Value]:
        """The values right below."""
        match self.content:
            case dict() as entries:
                return list(entries.values())
            case list() as items:
                return items
            case _:
                return []


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A file's content with its places.

    Attributes:
        file: path, for messages.
        lines: its text.
        root: a mapping, empty for an empty file.
        errors: what is wrong with the tree itself, e.g. a key that is there twice.
    """

    file: str
    lines: tuple[str, ...]
    root: Value
    errors: list[ConfigError] = field(default_factory=list[ConfigError])

    def find(self, path: Path) -> Value:
        """The value at a path; where a step leads nowhere (a missing option), the step is skipped."""
        return self.trail(path)[-1]

    def trail(self, path: Path) -> list[Value]:
        """The values on the way to a path, the root first. Dropped values do not count."""
        values = [self.root]
        for step in path:
            match values[-1].content:
                case dict() as entries if step in entries and not entries[str(step)].dropped:
                    values.append(entries[str(step)])
                case list() as items if isinstance(step, int):
                    there = [item for item in items if not item.dropped]
                    if step < len(there):
                        values.append(there[step])
                case _:
                    pass
        return values

    def locate(self, path: Path, *, key: bool = False) -> Location:
        """The place of a value, or of its key."""
        value = self.find(path)
        if key:
            return self.at(value.key_line, value.key_column)
        return self.at(value.line, value.column)

    def at(self, line: int, column: int) -> Location:
        """A place with its text, secrets masked."""
        return location(self.file, self.lines, line, column)


def location(file: str, lines: Sequence[str], line: int, column: int) -> Location:
    """A place in a file with its text, secrets masked."""
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    return Location(file, line, column, mask_line(text)[:200])


def parse_document(raw: bytes, *, file: str, expand: Callable[[str], str] | None = None) -> Document:
    """Read a YAML file whose root is a mapping.

    Args:
        raw: the file's bytes.
        file: its path, for messages.
        expand: applied to scalar values outside of relabelling's `regex`, `replacement` and
            `target_label`; a ValueError of it is an error at that value.

    Raises:
        ConfigErrors: the text cannot be read at all. What can be read in part has `errors`.
    """
    document = parse_tree(raw, file=file, expand=expand)
    if document.root.content is None:
        document.root.content = {}
    if not isinstance(document.root.content, dict):
        problem = "a configuration is a mapping of sections, and this is " + kind_of(document.root.content)
        raise ConfigErrors([ConfigError(at=document.locate(()), problem=problem)])
    return document


def parse_tree(raw: bytes, *, file: str, expand: Callable[[str], str] | None = None) -> Document:
    """As `parse_document`, for any root."""
    text = _decode(raw, file)
    lines = tuple(text.splitlines())
    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as exc:
        raise ConfigErrors([_syntax_error(exc, file, lines)]) from exc
    except ReaderError as exc:
        before = text[: int(exc.position)]
        at = location(file, lines, before.count("\n") + 1, len(before) - before.rfind("\n"))
        problem = f"the character U+{ord(text[int(exc.position)]):04X} is not allowed in YAML"
        raise ConfigErrors([ConfigError(at=at, problem=problem, remedy="Remove it.")]) from exc
    except RecursionError as exc:
        problem = f"nested too deeply (more than {MAX_DEPTH} levels)"
        raise ConfigErrors([ConfigError(at=Location(file), problem=problem)]) from exc
    except (YAMLError, ValueError) as exc:
        raise ConfigErrors([ConfigError(at=Location(file), problem=f"not readable as YAML: {exc}")]) from exc
    document = Document(file, lines, Value(None, 1, 1, 1, 1))
    if node is not None:
        _Builder(document, expand).fill(document.root, node, ())
    return document


def kind_of(content: object) -> str:
    """What a value is, in words."""
    match content:
        case None:
            return "empty"
        case dict():
            return "a mapping"
        case list() | tuple():
            return "a list"
        case _:
            return f'"{content}"'


def _decode(raw: bytes, file: str) -> str:
    if len(raw) > MAX_BYTES:
        problem = f"the file has {len(raw):,} bytes, and {MAX_BYTES:,} are allowed"
        remedy = "Split it: list parts under `include:` or `scrape_config_files:`."
        raise ConfigErrors([ConfigError(at=Location(file), problem=problem, remedy=remedy)])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        before = raw[: exc.start]
        line, column = before.count(b"\n") + 1, exc.start - before.rfind(b"\n")
        problem = f"the byte 0x{raw[exc.start]:02x} is not UTF-8"
        remedy = "Save the file as UTF-8."
        raise ConfigErrors([ConfigError(at=Location(file, line, column), problem=problem, remedy=remedy)]) from exc


def _syntax_error(exc: MarkedYAMLError, file: str, lines: tuple[str, ...]) -> ConfigError:
    mark = exc.problem_mark or exc.context_mark
    at = location(file, lines, mark.line + 1, mark.column + 1) if mark is not None else Location(file)
    parts = [part for part in (exc.context, exc.problem) if part]
    problem = "not readable as YAML: " + ", ".join(str(part) for part in parts)
    remedy = ""
    if r"'\t'" in problem:
        remedy = "Indent with spaces; YAML does not allow tabs there."
    elif "mapping values are not allowed" in problem:
        remedy = "Quote a value that holds a colon, or check the indentation."
    elif "another document" in problem:
        remedy = "Remove the line `---`: a configuration is one document."
    return ConfigError(at=at, problem=problem, remedy=remedy)


class _Builder:
    """Turns ruamel's nodes into values, bounded, collecting errors."""

    def __init__(self, document: Document, expand: Callable[[str], str] | None) -> None:
        self._document = document
        self._expand = expand
        self._open: set[int] = set()
        self._count = 0

    def fill(self, value: Value, node: Node, path: tuple[str | int, ...]) -> None:
        """Set a value's content from its node."""
        self._count += 1
        if self._count > MAX_VALUES:
            problem = f"more than {MAX_VALUES:,} values once aliases are followed"
            raise ConfigErrors([ConfigError(at=self._document.at(value.line, value.column), problem=problem)])
        if len(path) > MAX_DEPTH:
            problem = f"nested too deeply (more than {MAX_DEPTH} levels)"
            raise ConfigErrors([ConfigError(at=self._document.at(value.line, value.column), problem=problem)])
        if id(node) in self._open:
            self._fail(value, f"the alias *{node.anchor} stands inside of what it refers to", "Remove it.")
            return
        if isinstance(node, ScalarNode):
            self._scalar(value, node, path)
            return
        self._check_tag(value, node)
        self._open.add(id(node))
        if isinstance(node, SequenceNode):
            items: list[Value] = []
            value.content = items
            for index, child in enumerate(node.value):
                item = _placed(child, None)
                items.append(item)
                self.fill(item, child, (*path, index))
        elif isinstance(node, MappingNode):
            value.content = {}
            self._mapping(value.content, node, path)
        self._open.discard(id(node))

    def _mapping(self, entries: dict[str, Value], node: MappingNode, path: tuple[str | int, ...]) -> None:
        merges: list[tuple[Value, Node]] = []
        for key_node, child in node.value:
            value = _placed(child, key_node)
            if not isinstance(key_node, ScalarNode):
                self._fail(value, "a key is a word, not a mapping or a list", "Write `name: value`.")
                continue
            if key_node.value == _MERGE and key_node.style is None:
                merges.append((value, child))
                continue
            key = self._text(value, key_node, key=True)
            first = entries.get(key)
            if first is not None:
                problem = f"`{key}` is there twice, first in line {first.key_line}"
                self._fail(value, problem, "Join the two or remove one.", key=True)
                continue
            entries[key] = value
            self.fill(value, child, (*path, key))
        for value, child in merges:
            self._merge(entries, value, child, path)

    def _merge(self, entries: dict[str, Value], value: Value, node: Node, path: tuple[str | int, ...]) -> None:
        sources: list[Node] = list(node.value) if isinstance(node, SequenceNode) else [node]
        for source in sources:
            merged = _placed(source, None)
            self.fill(merged, source, (*path, _MERGE))
            if not isinstance(merged.content, dict):
                if not merged.broken:
                    self._fail(value, "`<<` merges mappings, and this is " + kind_of(merged.content), "")
                continue
            for key, entry in merged.content.items():
                entries.setdefault(key, entry)

    def _scalar(self, value: Value, node: ScalarNode, path: tuple[str | int, ...]) -> None:
        if node.tag == _YAML_TAGS + "null":
            # A null regular expression is the empty one, as in Prometheus; any other null stands for nothing.
            value.content = "" if path and path[-1] == "regex" else None
            return
        text = self._text(value, node)
        if self._expand is not None and not is_verbatim(path):
            try:
                text = self._expand(text)
            except ValueError as exc:
                problem, _, remedy = str(exc).partition("\n")
                self._fail(value, problem, remedy)
        value.content = text

    def _text(self, value: Value, node: ScalarNode, *, key: bool = False) -> str:
        tag = str(node.tag)
        self._check_tag(value, node, key=key)
        if tag == _YAML_TAGS + "binary":
            try:
                return base64.b64decode(node.value, validate=False).decode("utf-8")
            except (binascii.Error, UnicodeDecodeError):
                problem = f'!!binary "{node.value[:40]}" is not a valid name or text: it is not UTF-8'
                self._fail(value, problem, "Write the name itself.", key=key)
        return str(node.value)

    def _check_tag(self, value: Value, node: Node, *, key: bool = False) -> None:
        if str(node.tag) not in _KINDS:
            self._fail(value, f"the tag {node.tag} means nothing here", "Remove it.", key=key)

    def _fail(self, value: Value, problem: str, remedy: str, *, key: bool = False) -> None:
        value.broken = True
        line, column = (value.key_line, value.key_column) if key else (value.line, value.column)
        self._document.errors.append(ConfigError(at=self._document.at(line, column), problem=problem, remedy=remedy))


def _placed(node: Node, key: Node | None) -> Value:
    line, column = node.start_mark.line + 1, node.start_mark.column + 1
    if key is None:
        return Value(None, line, column, line, column)
    return Value(None, line, column, key.start_mark.line + 1, key.start_mark.column + 1)
