"""What a store is sent to with, and what all stores share."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass

from vedette.collect.http_client import Fetcher
from vedette.collect.remote_write.intake import Labelling
from vedette.collect.remote_write.metrics import StoreMetrics
from vedette.collect.remote_write.spool import SpoolLimits
from vedette.config import RemoteWrite
from vedette.ingest.metadata import MetadataStore
from vedette.model.clock import Clock
from vedette.store.head import SeriesIndex


@dataclass(frozen=True, slots=True)
class SendingContext:
    """What all stores share.

    Attributes:
        index: what slots mean.
        metadata: what is known of families.
        clock: the time.
        executor: for work on files.
        limits: of each store's spool.
    """

    index: SeriesIndex
    metadata: MetadataStore
    clock: Clock
    executor: Executor
    limits: SpoolLimits


@dataclass(frozen=True, slots=True, eq=False)
class StoreSettings:
    """How to send to a store.

    Attributes:
        config: its section of the configuration.
        labelling: how it wants its labels.
        fetcher: its connections.
        metrics: where to count.
    """

    config: RemoteWrite
    labelling: Labelling
    fetcher: Fetcher
    metrics: StoreMetrics
