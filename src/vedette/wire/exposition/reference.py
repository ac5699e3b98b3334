"""A whole exposition read entry by entry: exact, slow, and the judge of `layout`'s quick path."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from vedette.wire.exposition import openmetrics, text
from vedette.wire.exposition.entries import (
    CommentEntry,
    EndEntry,
    Entry,
    Fault,
    Format,
    MetadataEntry,
    SampleEntry,
    TextFormat,
    TypeContext,
    context_after,
)

Reader = Callable[[bytes, int, TypeContext], Entry]


def reader_of(exposition: TextFormat) -> Reader:
    """What reads one entry of a format."""
    match exposition:
        case Format.TEXT:
            return text.read_entry
        case Format.OPENMETRICS:
            return openmetrics.read_entry


def prepared(body: bytes, exposition: TextFormat) -> bytes:
    """The body as the readers take it: the text format's last line may lack its line break."""
    return body + b"\n" if exposition is Format.TEXT and not body.endswith(b"\n") else body


def read_entries(body: bytes, exposition: TextFormat) -> Iterator[SampleEntry | MetadataEntry]:
    """The samples and metadata of an exposition, in order.

    Raises:
        DecodeError: it does not follow its format; names the line.
    """
    read = reader_of(exposition)
    data = prepared(body, exposition)
    at = 0
    context = TypeContext.OTHER
    while True:
        try:
            entry = read(data, at, context)
        except Fault as fault:
            raise fault.located(data) from None
        match entry:
            case EndEntry():
                return
            case CommentEntry():
                pass
            case MetadataEntry():
                context = context_after(entry, context)
                yield entry
            case SampleEntry():
                yield entry
        at = entry.end
