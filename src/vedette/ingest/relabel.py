"""Relabelling: rules that rewrite a label set, or drop it.

Used on targets after discovery, on samples before they are stored, and on samples before they are sent
on. Rules are compiled once for a configuration; patterns that need no regular expression (a name, a choice
of names, a prefix, anything) are tested without one.

Pure. Source: Prometheus' model/relabel, Go's regexp.Expand and strings.ToLower; differences: none known.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import re2

from vedette.config.relabel import (
    DEFAULT_REGEX,
    DEFAULT_REPLACEMENT,
    Action,
    NameScheme,
    RelabelRule,
    compile_regex,
    is_label_name,
)
from vedette.model.labels import LabelSet

Rules = tuple["CompiledRule", ...]
"""What `compile_rules` makes and `relabel` applies."""

CompiledRule = Callable[[dict[str, str]], bool]
"""Changes labels in place; False drops the label set. No label has an empty value before or after."""

_REMEMBERED: Final = 4096
"""Outcomes of a regular expression that are remembered: the same few values come again and again."""

_LITERAL = re.compile(r"(?:[^\\.+*?()|\[\]{}^$]|\\[-.+*?()|\[\]{}^$/\\_:,; ])*")
_ESCAPE = re.compile(r"\\(.)")
_NAME = re.compile(r"\$(?:(\$)|\{(\w+)\}|(\w+))")


def compile_rules(rules: Iterable[RelabelRule], scheme: NameScheme = NameScheme.UTF8) -> Rules:
    """Rules ready to be applied.

    Args:
        rules: from a configuration, valid.
        scheme: which label names `replace` may make.
    """
    return tuple(_compile(rule, scheme) for rule in rules)


def relabel(labels: LabelSet, rules: Rules) -> LabelSet | None:
    """A label set after all rules, or None if one of them drops it."""
    if not rules:
        return labels
    changed = dict(labels)
    for rule in rules:
        if not rule(changed):
            return None
    return tuple(sorted(changed.items()))


def apply(labels: LabelSet, rules: Sequence[RelabelRule]) -> LabelSet | None:
    """Compile rules and apply them once."""
    return relabel(labels, compile_rules(rules))


def _compile(rule: RelabelRule, scheme: NameScheme) -> CompiledRule:  # noqa: PLR0911 - one case per action
    value = _source(rule)
    match rule.action:
        case Action.REPLACE:
            return _replace(rule, value, scheme)
        case Action.KEEP:
            matches = _test(rule.regex)
            return lambda labels: matches(value(labels))
        case Action.DROP:
            matches = _test(rule.regex)
            return lambda labels: not matches(value(labels))
        case Action.KEEPEQUAL:
            return lambda labels: labels.get(rule.target_label, "") == value(labels)
        case Action.DROPEQUAL:
            return lambda labels: labels.get(rule.target_label, "") != value(labels)
        case Action.HASHMOD:
            return _writer(rule.target_label, lambda labels: _hash_mod(value(labels), rule.modulus))
        case Action.LABELMAP:
            return _label_map(rule)
        case Action.LABELDROP:
            return _label_filter(rule, drop=True)
        case Action.LABELKEEP:
            return _label_filter(rule, drop=False)
        case Action.LOWERCASE:
            return _writer(rule.target_label, lambda labels: lower(value(labels)))
        case Action.UPPERCASE:
            return _writer(rule.target_label, lambda labels: upper(value(labels)))


def _source(rule: RelabelRule) -> Callable[[dict[str, str]], str]:
    """The values of the source labels, joined."""
    names, separator = rule.source_labels, rule.separator
    if not names:
        return lambda _: ""
    if len(names) == 1:
        name = names[0]
        return lambda labels: labels.get(name, "")
    return lambda labels: separator.join([labels.get(name, "") for name in names])


def _writer(target: str, value: Callable[[dict[str, str]], str]) -> CompiledRule:
    def write(labels: dict[str, str]) -> bool:
        text = value(labels)
        if text:
            labels[target] = text
        else:
            labels.pop(target, None)
        return True

    return write


def _replace(rule: RelabelRule, value: Callable[[dict[str, str]], str], scheme: NameScheme) -> CompiledRule:
    target, replacement = rule.target_label, rule.replacement
    if "$" not in target:
        if not is_label_name(target, scheme):
            return lambda _: True
        if rule.regex == DEFAULT_REGEX and replacement in (DEFAULT_REPLACEMENT, "${1}"):
            return _writer(target, value)
        if rule.regex == DEFAULT_REGEX and "$" not in replacement:
            return _writer(target, lambda _: replacement)
    expand = _expander(rule.regex, (target, replacement))

    def replace(labels: dict[str, str]) -> bool:
        texts = expand(value(labels))
        if texts is None:
            return True
        name, text = texts
        if not is_label_name(name, scheme):
            return True
        if text:
            labels[name] = text
        else:
            labels.pop(name, None)
        return True

    return replace


def _label_map(rule: RelabelRule) -> CompiledRule:
    expand = _expander(rule.regex, (rule.replacement,))

    def map_labels(labels: dict[str, str]) -> bool:
        for name, value in list(labels.items()):
            texts = expand(name)
            if texts is not None:
                labels[texts[0]] = value
        return True

    return map_labels


def _label_filter(rule: RelabelRule, *, drop: bool) -> CompiledRule:
    matches = _test(rule.regex)

    def filter_labels(labels: dict[str, str]) -> bool:
        for name in [name for name in labels if matches(name) is drop]:
            del labels[name]
        return True

    return filter_labels


def _hash_mod(text: str, modulus: int) -> str:
    digest = hashlib.md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
    return str(int.from_bytes(digest[8:], "big") % modulus)


def _test(pattern: str) -> Callable[[str], bool]:
    """Whether a text matches from start to end."""
    if pattern in (".*", DEFAULT_REGEX):
        return lambda _: True
    if pattern in (".+", "(.+)"):
        return bool
    choices = literals(pattern)
    if choices is not None:
        return choices.__contains__
    prefix = pattern.removesuffix(".*")
    if prefix != pattern and _LITERAL.fullmatch(prefix):
        start = _ESCAPE.sub(r"\1", prefix)
        return lambda text: text.startswith(start)
    compiled = compile_regex(pattern)

    @functools.lru_cache(maxsize=_REMEMBERED)
    def test(text: str) -> bool:
        return compiled.fullmatch(text) is not None

    return test


def literals(pattern: str) -> frozenset[str] | None:
    """The texts that a pattern matches, where these are one or more plain words: `a|b`, `(a|b)`, `(?:a|b)`."""
    inner = pattern
    for start in ("(?:", "("):
        if pattern.startswith(start) and pattern.endswith(")"):
            inner = pattern[len(start) : -1]
            break
    words = inner.split("|")
    # A word that ends in a backslash was cut at an escaped `|`.
    if not all(_LITERAL.fullmatch(word) for word in words):
        return None
    return frozenset(_ESCAPE.sub(r"\1", word) for word in words)


def _expander(pattern: str, templates: tuple[str, ...]) -> Callable[[str], tuple[str, ...] | None]:
    """Templates filled from a text that matches; None for one that does not."""
    compiled = compile_regex(pattern)
    parts = tuple(_parse_template(template, compiled) for template in templates)

    @functools.lru_cache(maxsize=_REMEMBERED)
    def expand(text: str) -> tuple[str, ...] | None:
        found = compiled.fullmatch(text)
        if found is None:
            return None
        groups = (text, *found.groups(""))
        return tuple("".join([part if isinstance(part, str) else groups[part] or "" for part in one]) for one in parts)

    return expand


def _parse_template(template: str, compiled: re2.Pattern) -> tuple[str | int, ...]:
    """A template of Go's regexp.Expand as texts and numbers of groups.

    `$name` reaches as far as there are letters, digits and underscores; a name that is no group is empty,
    `$$` is a dollar sign, and so is a `$` that nothing of the kind follows.
    """
    parts: list[str | int] = []
    at = 0
    for found in _NAME.finditer(template):
        parts.append(template[at : found.start()])
        at = found.end()
        name = found[2] or found[3]
        if found[1]:
            parts.append("$")
            continue
        number = _group_number(name, compiled)
        if number is not None:
            parts.append(number)
    parts.append(template[at:])
    return tuple(part for part in parts if part != "")


def _group_number(name: str, compiled: re2.Pattern) -> int | None:
    if name.isascii() and name.isdigit() and (name == "0" or not name.startswith("0")):
        return int(name) if len(name) < 9 and int(name) <= compiled.groups else None
    return compiled.groupindex.get(name)


def lower(text: str) -> str:
    """Lower case letter by letter, as in Go: `İ` becomes `i`, a final sigma is like any other."""
    if text.isascii():
        return text.lower()
    return "".join(["i" if char == "\u0130" else _single(char.lower(), char, char) for char in text])


def upper(text: str) -> str:
    """Upper case letter by letter, as in Go: `ß` stays."""
    if text.isascii():
        return text.upper()
    return "".join([_single(char.upper(), char.title(), char) for char in text])


def _single(first: str, second: str, otherwise: str) -> str:
    """The first that is one character."""
    if len(first) == 1:
        return first
    return second if len(second) == 1 else otherwise
