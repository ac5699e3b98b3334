"""Back-fill: samples of any age within retention, from a file in the text format or OpenMetrics."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import numpy as np

from vedette.ingest.metadata import MetadataStore
from vedette.ingest.writer import MetricsWriter
from vedette.model.errors import DecodeError
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
        dropped: dict[str, int] = {}
        reason_of = {parsed.new_rows[position][0]: reason for position, reason, _ in refused}
        for row, reason in reason_of.items():
            count = int((parsed.rows == row).sum())
            self.writer.refuse(_SOURCE, reason, count)
            dropped[reason.value] = dropped.get(reason.value, 0) + count
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
        for reason, count in taken.dropped.items():
            dropped[reason.value] = dropped.get(reason.value, 0) + count
        return {"samples": taken.stored, "series": len(found) - len(refused), "dropped": dropped}


def _parse(body: bytes) -> ParsedScrape:
    ends = body.rstrip().endswith(b"# EOF")
    parsed = LayoutParser(max_series=5_000_000).parse(body, Format.OPENMETRICS if ends else Format.TEXT)
    if (parsed.times_ms == NO_TIME).any():
        labels = dict(parsed.new_rows).get(int(parsed.rows[np.argmax(parsed.times_ms == NO_TIME)]))
        raise DecodeError(f"a sample of {labels} has no time; an import needs one for every sample")
    return parsed
