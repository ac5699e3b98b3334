"""Expositions: what targets say when they are scraped, and what Vedette says when it is.

`LayoutParser` reads the bodies of one target, scrape after scrape, into columns; `choose_format` and
`accept_header` settle the format. `read_entries` reads one body exactly, entry by entry (imports, checks);
`read_families` reads files in the text format strictly. `encode_text` and `encode_openmetrics` write.
"""

from vedette.wire.exposition.encoding import (
    OPENMETRICS_CONTENT_TYPE,
    TEXT_CONTENT_TYPE,
    TEXT_UTF8_CONTENT_TYPE,
    Family,
    Sample,
    encode_openmetrics,
    encode_text,
    untyped_families,
)
from vedette.wire.exposition.entries import Field, Format, MetadataEntry, SampleEntry, TextFormat
from vedette.wire.exposition.families import read_families
from vedette.wire.exposition.float_reading import parse_float
from vedette.wire.exposition.float_writing import format_float, format_openmetrics_float
from vedette.wire.exposition.layout import LayoutParser, ParsedScrape
from vedette.wire.exposition.negotiation import (
    DEFAULT_PROTOCOLS,
    ChosenFormat,
    ScrapeProtocol,
    accept_header,
    choose_format,
)
from vedette.wire.exposition.reference import read_entries
from vedette.wire.exposition.walk import NO_TIME

__all__ = [
    "DEFAULT_PROTOCOLS",
    "NO_TIME",
    "OPENMETRICS_CONTENT_TYPE",
    "TEXT_CONTENT_TYPE",
    "TEXT_UTF8_CONTENT_TYPE",
    "ChosenFormat",
    "Family",
    "Field",
    "Format",
    "LayoutParser",
    "MetadataEntry",
    "ParsedScrape",
    "Sample",
    "SampleEntry",
    "ScrapeProtocol",
    "TextFormat",
    "accept_header",
    "choose_format",
    "encode_openmetrics",
    "encode_text",
    "format_float",
    "format_openmetrics_float",
    "parse_float",
    "read_entries",
    "read_families",
    "untyped_families",
]
