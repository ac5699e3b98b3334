"""The kinds of values that alerting's options take besides those of the rest of the configuration.

Each reads the text of a YAML scalar as Alertmanager does. URLs that hold a token are secrets: they are checked
and never shown, not even in the error about them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Final, cast
from urllib.parse import urlsplit

from pydantic import AfterValidator, PlainValidator, WithJsonSchema

from vedette.alerting.matchers import MatcherError, label_matcher, parse_matchers
from vedette.config.document import kind_of
from vedette.config.fields import MappingOf, url_problem
from vedette.config.secrets import REDACTED, Secret, mask_url
from vedette.config.settings import Problem, raise_problems, wrong
from vedette.model.durations import MAX_DURATION_MS, Duration
from vedette.model.labels import is_legacy_label_name
from vedette.model.matchers import MatchOp

_GO_PART: Final = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_GO_UNITS_NS: Final = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_GO_HINT: Final = "Write it like 10s, 1m30s or 1h."
_URL_HINT: Final = "Write it like https://host/path."


@dataclass(frozen=True, slots=True)
class TemplateMark:
    """Marks options that are templates, for those who check or expand them.

    Attributes:
        html: whether the text is HTML, and what it shows is escaped.
    """

    html: bool = False


class FrozenMapping(tuple[tuple[str, Any], ...]):
    """A mapping of unknown content, frozen: pairs in the order of the file."""

    __slots__ = ()


class TypedText(str):
    """A scalar's text that also knows what YAML makes of it.

    Attributes:
        meant: text, number, bool or None.
    """

    __slots__ = ("meant",)
    meant: Any


def typed_text(text: str, meant: Any) -> TypedText:
    """A scalar's text with its meaning."""
    typed = TypedText(text)
    typed.meant = meant
    return typed


def freeze(found: object) -> Any:
    """Any content, so that it cannot change and can be compared."""
    if isinstance(found, TypedText):
        return found.meant
    if isinstance(found, FrozenMapping):
        return found
    if isinstance(found, dict):
        return FrozenMapping((name, freeze(value)) for name, value in cast("dict[str, Any]", found).items())
    if isinstance(found, (list, tuple)):
        return tuple(freeze(item) for item in cast("list[Any]", found))
    return found


def thaw(frozen: Any) -> Any:
    """What was frozen, as dict, list and scalars."""
    if isinstance(frozen, FrozenMapping):
        return {name: thaw(value) for name, value in frozen}
    if isinstance(frozen, tuple):
        return [thaw(item) for item in cast("tuple[Any, ...]", frozen)]
    return frozen


def http_url_problem(url: str) -> str:
    """Why a text is no http:// or https:// URL with a host; "" where it is one."""
    problem = url_problem(url)
    if problem:
        return problem
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        return f'unsupported scheme "{parts.scheme}" for URL'
    return "" if parts.hostname else "missing host for URL"


def _http_url(found: str) -> str:
    problem = http_url_problem(found)
    if problem:
        raise wrong(f'"{mask_url(found)}" is not a URL: {problem}', _URL_HINT)
    return found


def _text(found: object, what: str) -> str:
    if not isinstance(found, str):
        raise wrong(f"expected {what}, found {'a mapping' if isinstance(found, dict) else 'a list'}")
    return found


def _secret_url(found: object) -> Secret:
    if isinstance(found, Secret):
        return found
    url = _text(found, "a URL")
    problem = "" if url == REDACTED else http_url_problem(url)
    if problem:
        # Other problems quote parts of the URL, and any part may be the secret.
        known = ("unsupported scheme", "missing host")
        raise wrong(f"not a URL: {problem}" if problem.startswith(known) else "not a URL", _URL_HINT)
    return Secret(url)


def _secret_template_url(found: object) -> Secret:
    return Secret(found) if isinstance(found, str) and "{{" in found else _secret_url(found)


def _host_port(found: str) -> str:
    if not found:
        return found
    host, colon, port = found.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon:
        raise wrong(f'address "{found}": missing port in address', "Write host:port.")
    if not bracketed and (":" in host or "[" in host or "]" in host):
        raise wrong(f'address "{found}": too many colons in address', "Write an IPv6 address in brackets.")
    if not port:
        raise wrong(f'address "{found}": port cannot be empty', "Write host:port.")
    return found


def parse_go_duration(text: str) -> int:
    """Milliseconds of a duration as Go's `time.ParseDuration` reads it: `1.5h`, `1m30s`, `0`.

    Raises:
        ValueError: it is none.
    """
    sign = -1 if text.startswith("-") else 1
    body = text[1:] if text[:1] in ("+", "-") and text else text
    if body == "0":
        return 0
    total = Decimal(0)
    pos = 0
    while body and pos < len(body) <= 100:
        found = _GO_PART.match(body, pos)
        if found is None:
            break
        total += Decimal(found[1]) * _GO_UNITS_NS[found[2]]
        pos = found.end()
    if not body or pos < len(body):
        raise ValueError(f'time: invalid duration "{text[:100]}"')
    ms = int(total / 10**6)
    if ms > MAX_DURATION_MS:
        raise ValueError(f'time: duration out of range "{text[:100]}"')
    return sign * ms


def _go_duration(found: object) -> Duration:
    if isinstance(found, Duration):
        return found
    try:
        return Duration(parse_go_duration(_text(found, "a duration")))
    except ValueError as exc:
        raise wrong(str(exc), _GO_HINT) from exc


def _matcher_text(found: str) -> str:
    try:
        parse_matchers(found)
    except MatcherError as exc:
        raise wrong(str(exc), 'Write it like severity="critical" or team=~"a|b".') from exc
    return found


def label_name_problem(name: str) -> str:
    """Why a text is no label name; "" where it is one.

    Any UTF-8 is, but for what starts with an ASCII character that is neither letter nor `_`: no exposition, rule
    or agent makes such names, and a mistyped list entry looks like one.
    """
    if not name or any(0xD800 <= ord(char) <= 0xDFFF for char in name):
        return f'invalid label name "{name}"'
    return f'invalid label name "{name}"' if name[0].isascii() and not (name[0].isalpha() or name[0] == "_") else ""


def _equal_labels(found: object) -> tuple[tuple[str, str], ...]:
    return _label_map(found, lambda _: None)


def _regex_labels(found: object) -> tuple[tuple[str, str], ...]:
    def check(text: str) -> None:
        label_matcher("", MatchOp.REGEX, text)

    return _label_map(found, check)


def _label_map(found: object, check: Callable[[str], None]) -> tuple[tuple[str, str], ...]:
    if isinstance(found, tuple):
        return cast("tuple[tuple[str, str], ...]", found)
    if not isinstance(found, dict):
        raise wrong(f"expected label names with their values, found {kind_of(found)}", "Write `name: value` below it.")
    problems: list[Problem] = []
    for name, value in cast("dict[str, Any]", found).items():
        if not is_legacy_label_name(name):
            problems.append(
                Problem((name,), f'invalid label name "{name}"', "Use `matchers`, with the name in quotes.")
            )
        elif not isinstance(value, str):
            problems.append(Problem((name,), f"the value of a label is text, not {kind_of(value)}"))
        else:
            try:
                check(value)
            except MatcherError as exc:
                problems.append(Problem((name,), str(exc)))
    raise_problems(problems)
    return tuple(sorted(cast("dict[str, str]", found).items()))


AlertingUrl = Annotated[str, AfterValidator(_http_url), WithJsonSchema({"type": "string", "format": "url"})]
SecretUrl = Annotated[Secret, PlainValidator(_secret_url), WithJsonSchema({"type": "string", "format": "secret"})]
SecretTemplateUrl = Annotated[
    Secret,
    PlainValidator(_secret_template_url),
    WithJsonSchema({"type": "string", "format": "secret"}),
    TemplateMark(),
]
HostPort = Annotated[str, AfterValidator(_host_port)]
GoDuration = Annotated[Duration, PlainValidator(_go_duration), WithJsonSchema({"type": "string", "format": "duration"})]
MatcherText = Annotated[str, AfterValidator(_matcher_text)]
EqualLabels = Annotated[tuple[tuple[str, str], ...], PlainValidator(_equal_labels), WithJsonSchema({"type": "object"})]
RegexLabels = Annotated[tuple[tuple[str, str], ...], PlainValidator(_regex_labels), WithJsonSchema({"type": "object"})]
Template = Annotated[str, TemplateMark()]
HtmlTemplate = Annotated[str, TemplateMark(html=True)]
Templates = Annotated[tuple[tuple[str, str], ...], MappingOf(Template)]
Anything = Annotated[Any, PlainValidator(freeze), WithJsonSchema({})]
