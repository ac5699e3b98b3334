"""Decode remote-read requests (`prometheus.ReadRequest`).

    ReadRequest { repeated Query queries = 1; repeated ResponseType accepted_response_types = 2; }
    Query { int64 start_timestamp_ms = 1; int64 end_timestamp_ms = 2; repeated LabelMatcher matchers = 3;
            ReadHints hints = 4; }
    LabelMatcher { Type type = 1; string name = 2; string value = 3; }
    ReadHints { int64 step_ms = 1; string func = 2; int64 start_ms = 3; int64 end_ms = 4;
                repeated string grouping = 5; bool by = 6; int64 range_ms = 7; }

Source: prompb/remote.proto and prompb/types.proto of Prometheus.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Final

from vedette.model.errors import DecodeError, LimitExceededError, VedetteError
from vedette.model.matchers import Matcher, MatchOp
from vedette.wire.remote_write.protobuf import Field, read_fields, signed

MAX_PARTS: Final = 10_000
"""Queries, matchers and groupings of one request together; people's queries have a few dozen."""

_OPERATORS: Final = (MatchOp.EQUAL, MatchOp.NOT_EQUAL, MatchOp.REGEX, MatchOp.NOT_REGEX)
"""By their numbers in LabelMatcher."""


class UnsupportedResponseError(VedetteError):
    """The client accepts no form of answer that Vedette can give: answer 400."""


class ResponseType(IntEnum):
    """The forms of an answer: all samples in one message, or a stream of compressed chunks."""

    SAMPLES = 0
    STREAMED_XOR_CHUNKS = 1


@dataclass(frozen=True, slots=True)
class ReadHints:
    """What the client is going to do with the samples; may be ignored.

    Attributes:
        start_ms: of the time that it will look at.
        end_ms: of the same, inclusive.
        step_ms: between steps of a range query; 0 for an instant query.
        function: the surrounding function or aggregation; empty for none.
        grouping: labels that it groups by.
        by: whether `grouping` is what is kept or what is dropped.
        range_ms: of the surrounding range selector; 0 for none.
    """

    start_ms: int = 0
    end_ms: int = 0
    step_ms: int = 0
    function: str = ""
    grouping: tuple[str, ...] = ()
    by: bool = False
    range_ms: int = 0


@dataclass(frozen=True, slots=True)
class ReadQuery:
    """All samples of the series that pass all matchers, from start to end inclusive, in milliseconds.

    The matchers' regular expressions have not been compiled yet.
    """

    start_ms: int = 0
    end_ms: int = 0
    matchers: tuple[Matcher, ...] = ()
    hints: ReadHints | None = None


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """Some queries, to be answered in their order.

    Attributes:
        queries: what is asked for.
        accepted: numbers of response types, the preferred first; may be empty or name unknown ones.
    """

    queries: tuple[ReadQuery, ...] = ()
    accepted: tuple[int, ...] = ()


@dataclass(slots=True)
class _Budget:
    """How many parts may still come."""

    left: int = field(default=MAX_PARTS)

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise LimitExceededError(
                limit="max_parts_per_read_request", allowed=MAX_PARTS, found=None, what="queries and matchers"
            )


def decode_read_request(body: bytes) -> ReadRequest:
    """Decode a body that is unpacked already.

    Raises:
        DecodeError: it is malformed, holds an unknown kind of matcher or a text that is not UTF-8.
        LimitExceededError: it holds more than `MAX_PARTS` queries and matchers.
    """
    budget = _Budget()
    queries: list[ReadQuery] = []
    accepted: list[int] = []
    for part in read_fields(body, 0, len(body)):
        budget.spend()
        match part.number, part.wire_type:
            case 1, 2:
                queries.append(_query(body, part, budget))
            case 2, 0:
                accepted.append(_int32(part.start))
            case 2, 2:
                accepted.extend(_packed(body, part, budget))
            case _:
                pass
    return ReadRequest(tuple(queries), tuple(accepted))


def negotiate_response(accepted: tuple[int, ...]) -> ResponseType:
    """The first accepted form that Vedette gives; samples for clients that do not say.

    Raises:
        UnsupportedResponseError: there is none.
    """
    if not accepted:
        return ResponseType.SAMPLES
    known = {kind.value: kind for kind in ResponseType}
    for number in accepted:
        if number in known:
            return known[number]
    raise UnsupportedResponseError(
        f"none of the accepted response types {list(accepted[:10])} is supported; "
        f"{', '.join(f'{kind.name} ({kind.value})' for kind in ResponseType)} are"
    )


def _query(body: bytes, message: Field, budget: _Budget) -> ReadQuery:
    query = ReadQuery()
    matchers: list[Matcher] = []
    for part in read_fields(body, message.start, message.end):
        match part.number, part.wire_type:
            case 1, 0:
                query = replace(query, start_ms=signed(part.start))
            case 2, 0:
                query = replace(query, end_ms=signed(part.start))
            case 3, 2:
                budget.spend()
                matchers.append(_matcher(body, part))
            case 4, 2:
                budget.spend()
                query = replace(query, hints=_hints(body, part, query.hints or ReadHints(), budget))
            case _:
                pass
    return replace(query, matchers=tuple(matchers))


def _matcher(body: bytes, message: Field) -> Matcher:
    kind, name, value = 0, "", ""
    for part in read_fields(body, message.start, message.end):
        match part.number, part.wire_type:
            case 1, 0:
                kind = _int32(part.start)
            case 2, 2:
                name = _text(body, part)
            case 3, 2:
                value = _text(body, part)
            case _:
                pass
    if not 0 <= kind < len(_OPERATORS):
        raise DecodeError(f'the matcher on label "{name[:100]}" is of the unknown type {kind}; 0 to 3 are known')
    return Matcher(name, _OPERATORS[kind], value)


def _hints(body: bytes, message: Field, hints: ReadHints, budget: _Budget) -> ReadHints:
    grouping = list(hints.grouping)
    for part in read_fields(body, message.start, message.end):
        match part.number, part.wire_type:
            case 1, 0:
                hints = replace(hints, step_ms=signed(part.start))
            case 2, 2:
                hints = replace(hints, function=_text(body, part))
            case 3, 0:
                hints = replace(hints, start_ms=signed(part.start))
            case 4, 0:
                hints = replace(hints, end_ms=signed(part.start))
            case 5, 2:
                budget.spend()
                grouping.append(_text(body, part))
            case 6, 0:
                hints = replace(hints, by=part.start != 0)
            case 7, 0:
                hints = replace(hints, range_ms=signed(part.start))
            case _:
                pass
    return replace(hints, grouping=tuple(grouping))


def _packed(body: bytes, message: Field, budget: _Budget) -> Iterator[int]:
    """The numbers of a packed field."""
    value = shift = 0
    for position in range(message.start, message.end):
        byte = body[position]
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            budget.spend()
            yield _int32(value)
            value = shift = 0
        elif shift >= 70:
            break
    if shift:
        raise DecodeError(f"the list of accepted response types at byte {message.start} is malformed")


def _int32(value: int) -> int:
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


def _text(body: bytes, part: Field) -> str:
    raw = body[part.start : part.end]
    try:
        return raw.decode()
    except UnicodeDecodeError as exc:
        raise DecodeError(f"a text at byte {part.start} is not UTF-8: {raw[:100]!r}") from exc
