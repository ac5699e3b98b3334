"""Back-fill: samples of any age within retention, from a file in the text format or OpenMetrics."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass

import numpy as np

from vedette.ingest.limits import Drop
from vedette.ingest.metadata import MetadataStore
from vedette.ingest.writer import MetricsWriter
from vedette.model.errors import DecodeError
from vedette.model.labels import format_labels
from vedette.wire.exposition import NO_TIME, Format, LayoutParser, ParsedScrape

_SOURCE = "import"


@dataclass(frozen=True, slots=True)
class Backfill:
    """Takes chunks of a file. Each stands for itself."""

    writer: MetricsWriter
    metadata: MetadataStore

    async def take(self, body: bytes) -> dict[str, object]:
        """Store a chunk and wait until it is on the disk.

        Returns:
            `samples` stored, `series` in the chunk, and samples `dropped` by reason.

        Raises:
            DecodeError: it does not follow its format, or a sample has no time.
            OverloadedError: come back later.
        """
        parsed = await asyncio.to_thread(_parse, body)
        slots = np.full(int(parsed.rows.max(initial=-1)) + 1, -1, np.int64)
        found, refused = self.writer.resolve(_SOURCE, [labels for _, labels in parsed.new_rows])
        slots[[row for row, _ in parsed.new_rows]] = found
        self.metadata.describe(parsed.metadata)
        of_sample = slots[parsed.rows]
        known = of_sample >= 0
        counts = np.bincount(parsed.rows, minlength=len(slots))
        dropped: Counter[str] = Counter()
        for position, reason, _ in refused:
            dropped[reason.value] += int(counts[parsed.new_rows[position][0]])
        for reason, count in dropped.items():
            self.writer.refuse(_SOURCE, Drop(reason), count)
        taken = self.writer.take(
            _SOURCE,
            of_sample[known],
            parsed.times_ms[known],
            parsed.values[known],
            patience_ms=250,
            sender_retries=True,
            backfill=True,
        )
        await self.writer.committed(taken)
        dropped.update({reason.value: count for reason, count in taken.dropped.items()})
        return {"samples": taken.stored, "series": len(found) - len(refused), "dropped": dict(dropped)}


def _parse(body: bytes) -> ParsedScrape:
    ends = body.rstrip().endswith(b"# EOF")
    parsed = LayoutParser(max_series=5_000_000).parse(body, Format.OPENMETRICS if ends else Format.TEXT)
    if (parsed.times_ms == NO_TIME).any():
        labels = dict(parsed.new_rows)[int(parsed.rows[np.argmax(parsed.times_ms == NO_TIME)])]
        raise DecodeError(f"a sample of {format_labels(labels)} has no time; an import needs one for every sample")
    return parsed
