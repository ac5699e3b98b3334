"""Which format a target is asked for, and which one it answers in.

Source: prometheus/prometheus, scrape/scrape.go (`acceptHeader`) and model/textparse/interface.go
(`extractMediaType`), which reads media types with Go's `mime.ParseMediaType`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from vedette.model.errors import DecodeError
from vedette.wire.exposition.entries import Format


class ScrapeProtocol(StrEnum):
    """What may be asked for, by its name in `scrape_protocols`."""

    PROTOBUF = "PrometheusProto"
    TEXT_0_0_4 = "PrometheusText0.0.4"
    TEXT_1_0_0 = "PrometheusText1.0.0"
    OPENMETRICS_0_0_1 = "OpenMetricsText0.0.1"
    OPENMETRICS_1_0_0 = "OpenMetricsText1.0.0"

    @property
    def written_in(self) -> Format:
        """The format in which it is answered."""
        return _FORMATS[self]


_FORMATS: Final = {
    ScrapeProtocol.PROTOBUF: Format.PROTOBUF,
    ScrapeProtocol.TEXT_0_0_4: Format.TEXT,
    ScrapeProtocol.TEXT_1_0_0: Format.TEXT,
    ScrapeProtocol.OPENMETRICS_0_0_1: Format.OPENMETRICS,
    ScrapeProtocol.OPENMETRICS_1_0_0: Format.OPENMETRICS,
}

_HEADERS: Final = {
    ScrapeProtocol.PROTOBUF: (
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
    ),
    ScrapeProtocol.TEXT_0_0_4: "text/plain;version=0.0.4",
    ScrapeProtocol.TEXT_1_0_0: "text/plain;version=1.0.0",
    ScrapeProtocol.OPENMETRICS_0_0_1: "application/openmetrics-text;version=0.0.1",
    ScrapeProtocol.OPENMETRICS_1_0_0: "application/openmetrics-text;version=1.0.0",
}

_ESCAPING_IS_KNOWN_TO: Final = frozenset({ScrapeProtocol.TEXT_1_0_0, ScrapeProtocol.OPENMETRICS_1_0_0})

DEFAULT_PROTOCOLS: Final = (
    ScrapeProtocol.OPENMETRICS_1_0_0,
    ScrapeProtocol.OPENMETRICS_0_0_1,
    ScrapeProtocol.TEXT_1_0_0,
    ScrapeProtocol.TEXT_0_0_4,
)
"""`scrape_protocols` where the configuration does not say."""


def accept_header(protocols: Sequence[ScrapeProtocol] = DEFAULT_PROTOCOLS, *, escaping: str = "allow-utf-8") -> str:
    """The Accept header that asks for some protocols, best first.

    Args:
        protocols: without repetitions.
        escaping: how the target shall write names beyond the legacy character set: `allow-utf-8`,
            `underscores`, `dots` or `values` (`metric_name_escaping_scheme`).
    """
    weight = len(_HEADERS) + 1
    wishes: list[str] = []
    for protocol in protocols:
        escaped = f";escaping={escaping}" if protocol in _ESCAPING_IS_KNOWN_TO else ""
        wishes.append(f"{_HEADERS[protocol]}{escaped};q=0.{weight}")
        weight -= 1
    return ",".join([*wishes, f"*/*;q=0.{weight}"])


@dataclass(frozen=True, slots=True)
class ChosenFormat:
    """How a body is to be read.

    Attributes:
        format: as which format.
        warning: why the fallback had to be used; empty where it had not.
    """

    format: Format
    warning: str


def choose_format(content_type: str, fallback: ScrapeProtocol | None) -> ChosenFormat:
    """How the body of a response with this Content-Type is to be read.

    Args:
        content_type: the header's value; empty where there was none.
        fallback: `fallback_scrape_protocol`.

    Raises:
        DecodeError: the header names no format that is known, and there is no fallback.
    """
    if not content_type:
        problem = "non-compliant scrape target sending blank Content-Type"
    else:
        try:
            media_type = _parse_media_type(content_type)
        except ValueError as exc:
            problem = f'could not parse received Content-Type "{_shown(content_type)}": {exc}'
        else:
            if media_type in _MEDIA_TYPES:
                return ChosenFormat(Format(media_type), "")
            problem = f'received unsupported Content-Type "{_shown(content_type)}"'
    if fallback is None:
        raise DecodeError(f"{problem} and no fallback_scrape_protocol specified for target")
    return ChosenFormat(fallback.written_in, f'{problem}, using fallback_scrape_protocol "{fallback.written_in.value}"')


_MEDIA_TYPES: Final = frozenset(kind.value for kind in Format)
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]*+")
_QUOTED = re.compile(r'"((?:[^"\\\r\n]|\\.)*+)"')
_SHOWN_LENGTH: Final = 100


def _parse_media_type(text: str) -> str:
    base, _, rest = text.partition(";")
    media_type = base.lower().strip()
    _check_media_type(media_type)
    parameters: dict[str, str] = {}
    while rest.strip():
        name, value, rest = _parse_parameter(rest)
        if parameters.setdefault(name, value) != value:
            raise ValueError("duplicate parameter name")
    return media_type


def _check_media_type(media_type: str) -> None:
    kind = _token(media_type)
    if not kind:
        raise ValueError("no media type")
    rest = media_type[len(kind) :]
    if not rest:
        return
    if not rest.startswith("/"):
        raise ValueError("expected slash after first token")
    subtype = _token(rest[1:])
    if not subtype:
        raise ValueError("expected token after slash")
    if rest[1 + len(subtype) :]:
        raise ValueError("unexpected content after media subtype")


def _parse_parameter(text: str) -> tuple[str, str, str]:
    """Name and value of the parameter at the start, and what follows its semicolon."""
    text = text.lstrip()
    name = _token(text)
    rest = text[len(name) :].lstrip()
    if not name or not rest.startswith("="):
        raise ValueError("invalid media parameter")
    rest = rest[1:].lstrip()
    quoted = _QUOTED.match(rest)
    value = quoted[1] if quoted else _token(rest)
    rest = rest[quoted.end() if quoted else len(value) :].lstrip()
    if (not value and quoted is None) or (rest and not rest.startswith(";")):
        raise ValueError("invalid media parameter")
    return name.lower(), value, rest[1:]


def _token(text: str) -> str:
    found = _TOKEN.match(text)
    return found[0] if found else ""


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN_LENGTH else text[:_SHOWN_LENGTH] + "..."
