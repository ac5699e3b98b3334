"""Vedette's own metrics: what `/metrics` shows, and the source that stores them."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, generate_latest

from vedette.wire.exposition import Format, LayoutParser, ParsedScrape


def open_self_metrics(registry: CollectorRegistry) -> Callable[[int], ParsedScrape]:
    """A collection of the registry: encoded and parsed as if it had been scraped."""
    parser = LayoutParser()

    def collect(_now_ms: int) -> ParsedScrape:
        return parser.parse(generate_latest(registry), Format.TEXT)

    return collect
