"""Read rule files: Prometheus' form and its rules of validity, with the place of everything that is wrong.

All errors of a file are reported at once, in Prometheus' words behind the place. Templates in labels and annotations
are checked here too, so that they do not fail for the first time when something is on fire.

Source: Prometheus' `model/rulefmt/rulefmt.go` (https://github.com/prometheus/prometheus/blob/main/model/rulefmt).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from vedette.config import ConfigWarning, NameScheme
from vedette.config.document import MAX_BYTES, Document, Value, kind_of
from vedette.config.fields import nearest
from vedette.lang.promql import describe_error, format_expr, parse
from vedette.lang.promql.ast import Expr, NumberLiteral
from vedette.model.durations import parse_duration
from vedette.model.errors import ConfigError, ConfigErrors, Location, QueryError
from vedette.model.labels import METRIC_NAME, is_legacy_label_name, is_legacy_metric_name
from vedette.rules.definitions import AlertingRule, Pairs, RecordingRule, Rule, RuleFile, RuleGroup, RuleType
from vedette.rules.documents import group_lists, place_in_text, read_document
from vedette.rules.expansion import NoTemplates, Templates

_FILE_KEYS: Final = ("groups",)
_GROUP_KEYS: Final = ("name", "interval", "query_offset", "limit", "labels", "rules", "type")
_KUBERNETES_GROUP_KEYS: Final = (*_GROUP_KEYS, "partial_response_strategy")
_RULE_KEYS: Final = ("record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations")
_DURATIONS: Final = "Write whole numbers with the units y, w, d, h, m, s, ms, largest first: 1m30s."
_NOTHING: Final = NumberLiteral(0.0)


def load_rules(
    paths: Iterable[str],
    *,
    templates: Templates | None = None,
    scheme: NameScheme = NameScheme.UTF8,
    ignore_unknown: bool = False,
) -> tuple[RuleFile, ...]:
    """Read several files.

    Raises:
        ConfigErrors: with everything that is wrong with any of them.
    """
    files: list[RuleFile] = []
    errors: list[ConfigError] = []
    for path in paths:
        try:
            files.append(
                parse_rules(read_bytes(path), path, templates=templates, scheme=scheme, ignore_unknown=ignore_unknown)
            )
        except ConfigErrors as exc:
            errors.extend(exc.errors)
    if errors:
        raise ConfigErrors(errors)
    return tuple(files)


def read_bytes(path: str) -> bytes:
    """A file's bytes, not many more than are allowed.

    Raises:
        ConfigErrors: it cannot be read.
    """
    try:
        with Path(path).open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as exc:
        problem = f"the file cannot be read: {exc.strerror or exc}"
        raise ConfigErrors([ConfigError(at=Location(path), problem=problem)]) from exc


def parse_rules(
    text: str | bytes,
    file: str,
    *,
    templates: Templates | None = None,
    scheme: NameScheme = NameScheme.UTF8,
    ignore_unknown: bool = False,
) -> RuleFile:
    """Read the content of a rule file.

    Args:
        text: the content.
        file: its path, for messages and as a part of the groups' identity.
        templates: the language of labels and annotations; None where they are not to be checked.
        scheme: which names are valid.
        ignore_unknown: whether keys that are not known are allowed.

    Raises:
        ConfigErrors: with everything that is wrong.
    """
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    document, second = read_document(raw, file)
    reader = _Reader(document, templates or NoTemplates(), scheme, ignore_unknown=ignore_unknown)
    groups = reader.groups()
    if reader.errors:
        raise ConfigErrors(sorted(reader.errors, key=lambda error: (error.at.line, error.at.column)))
    warnings = [] if second is None else [ConfigWarning(second, "only the first YAML document of a rule file counts")]
    return RuleFile(file, groups, tuple(warnings))


class _Reader:
    """Walks the tree of one file and collects what is wrong with it."""

    def __init__(self, document: Document, language: Templates, scheme: NameScheme, *, ignore_unknown: bool) -> None:
        self.errors = list(document.errors)
        self._document = document
        self._language = language
        self._legacy = scheme is NameScheme.LEGACY
        self._ignore_unknown = ignore_unknown
        # Said before each problem: which group and rule it is about.
        self._where = ""

    def groups(self) -> tuple[RuleGroup, ...]:
        """All groups of the file."""
        groups: list[RuleGroup] = []
        lines: dict[str, int] = {}
        for holder, kubernetes in group_lists(self._document):
            entries = self._mapping(holder, "a rule file", _FILE_KEYS)
            for value in self._items(entries.get("groups"), "groups"):
                group = self._group(value, _KUBERNETES_GROUP_KEYS if kubernetes else _GROUP_KEYS)
                first = lines.setdefault(group.name, group.at.line)
                if group.name and first != group.at.line:
                    problem = f'groupname: "{group.name}" is repeated in the same file'
                    self._fail(group.at, problem, f"Rename it, or join it with the one in line {first}.")
                groups.append(group)
        return tuple(groups)

    def _group(self, value: Value, keys: tuple[str, ...]) -> RuleGroup:
        self._where = ""
        entries = self._mapping(value, "a rule group", keys)
        name = self._text(entries, "name")
        at = self._place(entries["name"]) if "name" in entries else self._place(value)
        if not name:
            self._fail(at, "Groupname must not be empty", "Add `name`.")
        interval_ms = self._duration(entries, "interval")
        offset_ms = self._duration(entries, "query_offset")
        limit = self._integer(entries, "limit")
        labels = self._labels(entries.get("labels"))
        self._type(entries)
        rules: list[Rule] = []
        for number, rule in enumerate(self._items(entries.get("rules"), "rules"), 1):
            rules.append(self._rule(rule, f'group "{name}", rule {number}', labels))
        self._where = ""
        return RuleGroup(
            file=self._document.file,
            name=name,
            rules=tuple(rules),
            interval_ms=interval_ms or None,
            query_offset_ms=offset_ms,
            limit=limit,
            labels=labels,
            at=at,
        )

    def _type(self, entries: dict[str, Value]) -> None:
        text = self._text(entries, "type") or RuleType.METRICS
        if text == RuleType.LOGS:
            problem = "rules over logs are not evaluated yet"
            self._fail(self._place(entries["type"]), problem, "Leave the group out for now.")
        elif text != RuleType.METRICS:
            remedy = f"Use one of: {', '.join(RuleType)}."
            self._fail(self._place(entries["type"]), f'"{text}" is no type of rules', remedy)

    def _rule(self, value: Value, where: str, group_labels: Pairs) -> Rule:
        entries = value.content if isinstance(value.content, dict) else {}
        shown = [entries[key].content for key in ("alert", "record") if key in entries and entries[key].content]
        self._where = f'{where}, "{shown[0] if shown and isinstance(shown[0], str) else ""}": '
        entries = self._mapping(value, "a rule", _RULE_KEYS)
        record, alert = self._text(entries, "record"), self._text(entries, "alert")
        at = self._place(entries["alert" if alert else "record"]) if alert or record else self._place(value)
        if record and alert:
            self._fail(at, "only one of 'record' and 'alert' must be set", "Make two rules of it.")
        elif not record and not alert:
            self._fail(at, "one of 'record' or 'alert' must be set", "Add the name of what is recorded, or alerted.")
        expr = self._expression(entries, at)
        hold_ms, keep_ms = self._duration(entries, "for") or 0, self._duration(entries, "keep_firing_for") or 0
        labels = self._labels(entries.get("labels"))
        annotations = self._annotations(entries.get("annotations"))
        if record:
            self._recording(record, entries, [bool(annotations), bool(hold_ms), bool(keep_ms)])
        if alert:
            self._templates("label", entries.get("labels"), labels, alert)
            self._templates("annotation", entries.get("annotations"), annotations, alert)
        merged = tuple(sorted((dict(group_labels) | dict(labels)).items()))
        query = format_expr(expr)
        if not alert:
            return RecordingRule(name=record, expr=expr, query=query, labels=merged, at=at)
        return AlertingRule(
            name=alert,
            expr=expr,
            query=query,
            hold_ms=hold_ms,
            keep_firing_ms=keep_ms,
            labels=merged,
            annotations=annotations,
            says_hold="for" in entries,
            at=at,
        )

    def _recording(self, name: str, entries: dict[str, Value], present: list[bool]) -> None:
        for key, there in zip(("annotations", "for", "keep_firing_for"), present, strict=True):
            if there:
                place = self._document.at(entries[key].key_line, entries[key].key_column)
                self._fail(place, f"invalid field '{key}' in recording rule", "Remove it, or write `alert`.")
        at = self._place(entries["record"])
        if not _is_text(name) or (self._legacy and not is_legacy_metric_name(name)):
            self._fail(at, f"invalid recording rule name: {name}")
        if "{" in name or "}" in name:
            self._fail(at, f"braces present in the recording rule name; should it be in expr?: {name}")

    def _expression(self, entries: dict[str, Value], at: Location) -> Expr:
        text = self._text(entries, "expr")
        value = entries.get("expr")
        if not text or value is None:
            place = at if value is None else self._place(value)
            self._fail(place, "field 'expr' must be set in rule", "Add the expression.")
            return _NOTHING
        try:
            return parse(text)
        except QueryError as exc:
            place = place_in_text(self._document, value, 0 if exc.span is None else exc.span.start)
            self._fail(place, f"could not parse expression: {describe_error(text, exc)}")
        return _NOTHING

    def _labels(self, value: Value | None) -> Pairs:
        pairs = self._texts(value, "labels")
        for name, text in pairs:
            if not self._is_name(name) or name == METRIC_NAME:
                self._fail(self._key_place(value, name), f"invalid label name: {name}")
            if not _is_text(text):
                self._fail(self._key_place(value, name), f"invalid label value: {text}")
        return pairs

    def _annotations(self, value: Value | None) -> Pairs:
        pairs = self._texts(value, "annotations")
        for name, _ in pairs:
            if not self._is_name(name):
                self._fail(self._key_place(value, name), f"invalid annotation name: {name}")
        return pairs

    def _templates(self, kind: str, value: Value | None, pairs: Pairs, alert: str) -> None:
        for name, text in pairs:
            problem = self._language.check(text, alert)
            if problem and value is not None and isinstance(value.content, dict):
                self._fail(self._place(value.content[name]), f'{kind} "{name}": {problem}')

    # Parts of the tree

    def _mapping(self, value: Value, what: str, known: tuple[str, ...]) -> dict[str, Value]:
        if value.content is None:
            return {}
        if not isinstance(value.content, dict):
            self._fail(self._place(value), f"expected {what}, found {kind_of(value.content)}")
            return {}
        if not self._ignore_unknown:
            for key, entry in value.content.items():
                if key not in known:
                    at = self._document.at(entry.key_line, entry.key_column)
                    meant = nearest(key, known)
                    remedy = f"Did you mean `{meant}`?" if meant else "Remove it, or mind the indentation."
                    self._fail(at, f"field {key} not found in {what}", remedy)
        return value.content

    def _items(self, value: Value | None, name: str) -> list[Value]:
        if value is None or value.content is None:
            return []
        if not isinstance(value.content, list):
            problem = f"{name}: expected a list, found {kind_of(value.content)}"
            self._fail(self._place(value), problem, "Start each entry with `- `.")
            return []
        return value.content

    def _text(self, entries: dict[str, Value], key: str) -> str:
        value = entries.get(key)
        if value is None or value.content is None or value.broken:
            return ""
        if not isinstance(value.content, str):
            self._fail(self._place(value), f"{key}: expected text, found {kind_of(value.content)}")
            return ""
        return value.content

    def _texts(self, value: Value | None, what: str) -> Pairs:
        if value is None or value.content is None:
            return ()
        if not isinstance(value.content, dict):
            problem = f"{what}: expected names with texts, found {kind_of(value.content)}"
            self._fail(self._place(value), problem, "Write `name: text` entries below it.")
            return ()
        return tuple(sorted((name, self._text(value.content, name)) for name in value.content))

    def _duration(self, entries: dict[str, Value], key: str) -> int | None:
        return self._read(entries, key, parse_duration, _DURATIONS)

    def _integer(self, entries: dict[str, Value], key: str) -> int:
        return self._read(entries, key, _integer, "Write a whole number.") or 0

    def _read(self, entries: dict[str, Value], key: str, parse_text: Callable[[str], int], remedy: str) -> int | None:
        value = entries.get(key)
        if value is None or value.content is None:
            return None
        try:
            return parse_text(self._text(entries, key))
        except ValueError as exc:
            if isinstance(value.content, str):
                self._fail(self._place(value), f"{key}: {exc}", remedy)
            return None

    def _is_name(self, name: str) -> bool:
        return is_legacy_label_name(name) if self._legacy else bool(name) and _is_text(name)

    def _key_place(self, value: Value | None, key: str) -> Location:
        entry = value.content[key] if value is not None and isinstance(value.content, dict) else self._document.root
        return self._document.at(entry.key_line, entry.key_column)

    def _place(self, value: Value) -> Location:
        return self._document.at(value.line, value.column)

    def _fail(self, at: Location, problem: str, remedy: str = "") -> None:
        self.errors.append(ConfigError(at=at, problem=f"{self._where}{problem}", remedy=remedy))


def _is_text(text: str) -> bool:
    return not any(0xD800 <= ord(char) <= 0xDFFF for char in text)


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f'expected a whole number, found "{text[:40]}"') from None
