"""Tell a store what metrics are: their types, units and help texts, from time to time (version 1.0 only).

Version 2.0 carries them with the samples. They are not queued: what a store did not get it gets the next time.
"""

from __future__ import annotations

from typing import Final

from vedette.collect.remote_write.client import StoreClient
from vedette.collect.remote_write.delivery import Fate
from vedette.collect.remote_write.settings import SendingContext, StoreSettings
from vedette.collect.remote_write.threads import run_to_end
from vedette.config import WriteMessage
from vedette.model.samples import Metadata
from vedette.wire.compression import Encoding, compress
from vedette.wire.remote_write import encode_metadata_v1

_ATTEMPTS: Final = 3


async def tell(client: StoreClient, settings: StoreSettings, context: SendingContext) -> None:
    """Send metadata until cancelled; return at once where that is not wanted."""
    config = settings.config.metadata_config
    if not config.send or settings.config.protobuf_message is not WriteMessage.V1:
        return
    while True:
        await context.clock.sleep(config.send_interval.s)
        known = [entries[0] for _, entries in context.metadata.families()]
        for start in range(0, len(known), config.max_samples_per_send):
            part = known[start : start + config.max_samples_per_send]
            await _send(part, client, settings, context)


async def _send(part: list[Metadata], client: StoreClient, settings: StoreSettings, context: SendingContext) -> None:
    metrics = settings.metrics
    body = await run_to_end(context.executor, lambda: compress(encode_metadata_v1(part), Encoding.SNAPPY))
    for attempt in range(_ATTEMPTS):
        outcome = await client.post(body, attempt=attempt)
        metrics.metadata.inc(len(part))
        metrics.metadata_bytes.inc(len(body))
        if outcome.fate is Fate.SENT:
            return
        if outcome.fate is Fate.REFUSED or attempt == _ATTEMPTS - 1:
            break
        metrics.metadata_retried.inc(len(part))
        pause_s = settings.config.queue_config.max_backoff.s
        await context.clock.sleep(max(pause_s, outcome.retry_after_s))
    metrics.metadata_failed.inc(len(part))
