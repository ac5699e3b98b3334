"""How much is taken in and how much a query may ask for: `limits` and `query`."""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vedette.config.fields import Count, Interval, Positive, PositiveSize
from vedette.config.settings import Problem, Settings
from vedette.model.durations import Duration, Size


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits(Settings):
    """What is taken in. Whatever is refused is counted by reason in `vedette_samples_dropped_total`.

    A job's own limits (`sample_limit` and so on) fail the whole scrape, as in Prometheus; these refuse what
    is too much, and protect Vedette itself.
    """

    series: Positive = 500_000
    """Series that are kept, of all sources and all of retention; further ones are refused (`reason="series_limit"`)."""
    series_per_target: Count = 0
    """Series of one target; further ones are refused (`reason="target_series_limit"`). 0: any number."""
    labels_per_series: Positive = 128
    """Labels of a series; a series with more is refused (`reason="label_count"`)."""
    label_name_length: Positive = 1024
    """Bytes of a label name; a series with a longer one is refused (`reason="label_name_length"`)."""
    label_value_length: Positive = 4096
    """Bytes of a label value; a series with a longer one is refused (`reason="label_value_length"`)."""
    body_size: PositiveSize = Size(64 << 20)
    """Largest exposition of a target, uncompressed, where its job sets no `body_size_limit`; a scrape with a larger
    one fails (`vedette_scrapes_failed_total{reason="body_size"}`)."""
    exemplars: Count = 100_000
    """Exemplars in memory; older ones are on the disk alone (`vedette_exemplars_stored`). 0: none are kept."""
    ingest_queue: PositiveSize = Size(64 << 20)
    """Received and not yet committed data; when it is full, pushes are refused with 503 (`vedette_ingest_queue_bytes`)
    and scrapes wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query(Settings):
    """What a query may ask for. A refusal names the limit."""

    lookback_delta: Interval = Duration(300_000)
    """How old the sample of an instant may be."""
    timeout: Interval = Duration(120_000)
    """How long a query may take."""
    concurrency: Positive = 20
    """Queries at a time; further ones wait (`vedette_query_waiting`)."""
    max_samples: Positive = 50_000_000
    """Samples that a query may hold at a time."""
    max_series: Positive = 500_000
    """Series that a selector may find."""
    max_points: Positive = 11_000
    """Points of each series of a range query."""
    default_step: Interval = Duration(60_000)
    """Step of a subquery that states none."""

    def problems(self) -> Iterable[Problem]:
        """Limits that leave something to answer."""
        if self.max_series > self.max_samples:
            yield Problem(("max_series",), "max_series is greater than max_samples")
