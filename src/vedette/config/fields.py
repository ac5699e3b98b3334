"""The kinds of values that options take: durations, sizes, URLs, paths, labels and so on.

Each reads the text of a YAML scalar as Prometheus does and says what it expected where it cannot.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar, cast
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, GetCoreSchemaHandler, PlainValidator, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from vedette.config.document import kind_of
from vedette.config.secrets import Secret, mask_url
from vedette.config.settings import Problem, raise_problems, wrong
from vedette.model.durations import Duration, Size, parse_duration, parse_size
from vedette.model.labels import LabelSet, label_set

_Choice = TypeVar("_Choice", bound=StrEnum)

_TRUE: Final = frozenset({"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y"})
_FALSE: Final = frozenset({"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N"})
_INT: Final = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]+|0[bB][01_]+|[0-9][0-9_]*)", re.ASCII)
_FLOAT: Final = re.compile(r"[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9_]+)(?:[eE][-+]?[0-9]+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class FileMark:
    """Marks options that name files: relative paths count from the directory of the configuration file."""

    glob: bool = False


def nearest(word: str, words: Iterable[str]) -> str:
    """The word that was probably meant, or ""."""
    found = difflib.get_close_matches(word, list(words), n=1, cutoff=0.6)
    return found[0] if found else ""


def choice_remedy(found: str, choices: Iterable[str]) -> str:
    """`Did you mean ...? Choose one of ...`."""
    names = [name for name in choices if name]
    meant = nearest(found.lower(), names) or nearest(found, names)
    hint = f"Did you mean `{meant}`? " if meant else ""
    return f"{hint}Use one of: {', '.join(names)}."


def choice(kind: type[_Choice], *, fold: bool = False) -> BeforeValidator:
    """A validator for the members of an enum; with `fold` in any case."""

    def read(found: object) -> object:
        if isinstance(found, kind):
            return found
        if isinstance(found, str):
            try:
                return kind(found.lower() if fold else found)
            except ValueError:
                pass
        raise wrong(f"{kind_of(found)} is not one of the choices", choice_remedy(str(found), kind))

    return BeforeValidator(read)


def _flag(found: object) -> bool:
    if isinstance(found, bool):
        return found
    if isinstance(found, str) and found in _TRUE | _FALSE:
        return found in _TRUE
    raise wrong(f"expected true or false, found {kind_of(found)}", "Write true or false, without quotes.")


def _integer(found: object) -> int:
    if isinstance(found, int) and not isinstance(found, bool):
        return found
    if isinstance(found, str) and len(found) <= _LONGEST_NUMBER:
        if _INT.fullmatch(found):
            return _read_int(found)
        if _FLOAT.fullmatch(found) and float(found).is_integer():
            return int(float(found))
    raise wrong(f"expected a whole number, found {kind_of(found)}")


_LONGEST_NUMBER: Final = 40


def _read_int(text: str) -> int:
    digits = text.lstrip("+-").replace("_", "").lower()
    base = {"0x": 16, "0o": 8, "0b": 2}.get(digits[:2])
    if base is not None:
        number = int(digits[2:], base)
    elif digits.startswith("0"):
        number = int(digits, 8)  # `010` is eight in YAML 1.1, which Prometheus reads
    else:
        number = int(digits)
    return -number if text.startswith("-") else number


def _count(found: object) -> int:
    try:
        number = _integer(found)
    except ValueError:
        raise wrong(f"expected a whole number, found {kind_of(found)}") from None
    if not 0 <= number < 1 << 64:
        raise wrong(f"expected a whole number from 0, found {kind_of(found)}")
    return number


def _number(found: object) -> float:
    if isinstance(found, (int, float)) and not isinstance(found, bool):
        return float(found)
    if isinstance(found, str) and len(found) <= _LONGEST_NUMBER and _FLOAT.fullmatch(found):
        return float(found.replace("_", ""))
    raise wrong(f"expected a number, found {kind_of(found)}")


def _duration(found: object) -> Duration:
    if isinstance(found, Duration):
        return found
    if not isinstance(found, str):
        raise wrong(f"expected a duration, found {kind_of(found)}", _DURATION_HINT)
    try:
        return Duration(parse_duration(found))
    except ValueError as exc:
        raise wrong(str(exc), _DURATION_HINT) from exc


_DURATION_HINT: Final = "Write whole numbers with the units y, w, d, h, m, s, ms, largest first: 15s, 1m30s, 30d."
_SIZE_HINT: Final = "Write a number with the unit B, KB, MB, GB or TB: 64MB."


def _positive_duration(found: object) -> Duration:
    duration = _duration(found)
    if duration.ms <= 0:
        raise wrong("expected a duration above zero", _DURATION_HINT)
    return duration


def _size(found: object) -> Size:
    if isinstance(found, Size):
        return found
    if not isinstance(found, str):
        raise wrong(f"expected a size, found {kind_of(found)}", _SIZE_HINT)
    try:
        return Size(parse_size(found))
    except ValueError as exc:
        raise wrong(str(exc), _SIZE_HINT) from exc


def _positive_size(found: object) -> Size:
    size = _size(found)
    if size.bytes <= 0:
        raise wrong("expected a size above zero", _SIZE_HINT)
    return size


def _secret(found: object) -> Secret:
    if isinstance(found, Secret):
        return found
    if isinstance(found, str):
        return Secret(found)
    raise wrong(f"expected a secret's text, found {'a mapping' if isinstance(found, dict) else 'a list'}")


def url_problem(url: str) -> str:
    """Why a text is no URL; "" where it is one. What has no scheme passes, as in Prometheus."""
    if any(ord(char) <= 0x20 or ord(char) == 0x7F for char in url):
        return "a URL has no spaces or control characters"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as exc:
        return str(exc)
    if not parts.scheme and ":" in url.partition("/")[0]:
        return "the first path segment has a colon; write http:// or https:// in front"
    if re.search(r"%(?![0-9a-fA-F]{2})", parts.netloc + parts.path):
        return "a % is not followed by two hexadecimal digits"
    return ""


def _url(found: str) -> str:
    problem = url_problem(found)
    if problem:
        raise wrong(f'"{mask_url(found)}" is not a URL: {problem}', "Write it like http://host:9090/path.")
    return found


def _http_url(found: str) -> str:
    url = _url(found)
    if not url:
        return url  # as if it were not there; who needs it says so
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise wrong(f"the URL scheme of \"{mask_url(url)}\" must be 'http' or 'https'")
    if not parts.hostname:
        raise wrong(f'the host is missing in the URL "{mask_url(url)}"', "Write it like http://host:9090/path.")
    return url


def _labels(found: object) -> LabelSet:
    if isinstance(found, tuple):
        return cast("LabelSet", found)
    if not isinstance(found, dict):
        raise wrong(f"expected label names with their values, found {kind_of(found)}")
    pairs: dict[str, str] = {}
    problems: list[Problem] = []
    for name, value in cast("dict[str, Any]", found).items():
        if not name or not _is_text(name):
            problems.append(Problem((name,), f'"{name}" is not a valid label name'))
        elif not isinstance(value, str):
            problems.append(Problem((name,), f"the value of a label is text, not {kind_of(value)}"))
        else:
            pairs[name] = value
    raise_problems(problems)
    return label_set(pairs)


def _is_text(text: str) -> bool:
    return not any(0xD800 <= ord(char) <= 0xDFFF for char in text)


def _label_name(name: str) -> str:
    if not name or not _is_text(name):
        raise wrong(f'"{name}" is not a valid label name')
    return name


@dataclass(frozen=True, slots=True)
class MappingOf:
    """Validates a mapping into sorted pairs, which are frozen and comparable."""

    value: Any

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Pydantic's hook."""
        del source
        read = core_schema.dict_schema(core_schema.str_schema(), handler.generate_schema(self.value))
        return core_schema.no_info_after_validator_function(_pairs, read)


def _pairs(found: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(found.items()))


def _not_empty(found: tuple[Any, ...]) -> tuple[Any, ...]:
    if not found:
        raise wrong("the list is empty")
    return found


def _checked(check: Callable[[str], str]) -> AfterValidator:
    return AfterValidator(check)


Flag = Annotated[bool, BeforeValidator(_flag), WithJsonSchema({"type": "boolean"})]
Count = Annotated[int, BeforeValidator(_count), WithJsonSchema({"type": "integer", "minimum": 0})]
Positive = Annotated[int, BeforeValidator(_count), Field(ge=1), WithJsonSchema({"type": "integer", "minimum": 1})]
Integer = Annotated[int, BeforeValidator(_integer), WithJsonSchema({"type": "integer"})]
Number = Annotated[float, BeforeValidator(_number), WithJsonSchema({"type": "number"})]
Port = Annotated[
    int, BeforeValidator(_count), Field(le=65535), WithJsonSchema({"type": "integer", "minimum": 0, "maximum": 65535})
]
DurationOption = Annotated[
    Duration, PlainValidator(_duration), WithJsonSchema({"type": "string", "format": "duration"})
]
Interval = Annotated[
    Duration, PlainValidator(_positive_duration), WithJsonSchema({"type": "string", "format": "duration"})
]
SizeOption = Annotated[Size, PlainValidator(_size), WithJsonSchema({"type": "string", "format": "size"})]
PositiveSize = Annotated[Size, PlainValidator(_positive_size), WithJsonSchema({"type": "string", "format": "size"})]
SecretOption = Annotated[Secret, PlainValidator(_secret), WithJsonSchema({"type": "string", "format": "secret"})]
Url = Annotated[str, _checked(_url), WithJsonSchema({"type": "string", "format": "url"})]
HttpUrl = Annotated[str, _checked(_http_url), WithJsonSchema({"type": "string", "format": "url"})]
FileName = Annotated[str, FileMark(), WithJsonSchema({"type": "string", "format": "path"})]
FileGlob = Annotated[str, FileMark(glob=True), WithJsonSchema({"type": "string", "format": "glob"})]
LabelName = Annotated[str, _checked(_label_name)]
Labels = Annotated[
    LabelSet,
    PlainValidator(_labels),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "string"}}),
]
Texts = Annotated[tuple[tuple[str, str], ...], MappingOf(str)]
TextLists = Annotated[tuple[tuple[str, tuple[str, ...]], ...], MappingOf(tuple[str, ...])]
Secrets = Annotated[tuple[tuple[str, Secret], ...], MappingOf(SecretOption)]
SecretLists = Annotated[tuple[tuple[str, tuple[Secret, ...]], ...], MappingOf(tuple[SecretOption, ...])]
NotEmpty = AfterValidator(_not_empty)
