"""What sending says of itself, under Prometheus' names where it has them.

Source: Prometheus 3, `storage/remote/queue_manager.go`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_LABELS: Final = ("remote_name", "url")
_PREFIX: Final = "prometheus_remote_storage_"

REASONS: Final = ("dropped_series", "series_gone", "too_old", "queue_full", "damaged", "disk", "error")
"""Why samples are not sent: relabelling, a removed series, age, the queue's size, the disk, a bug."""


class SendingMetrics:
    """The metrics of all stores."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *more: str) -> Counter:
            return Counter(_PREFIX + name, text, (*_LABELS, *more), registry=registry)

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(_PREFIX + name, text, _LABELS, registry=registry)

        self.samples_in = Counter(_PREFIX + "samples_in", "Samples for other stores.", registry=registry)
        self.exemplars_in = Counter(_PREFIX + "exemplars_in", "Exemplars for other stores.", registry=registry)
        self.highest_timestamp = Gauge(
            _PREFIX + "highest_timestamp_in_seconds", "Newest time of any sample for other stores.", registry=registry
        )
        self.samples = counter("samples", "Samples sent, those that were not taken included.")
        self.samples_failed = counter("samples_failed", "Samples that the store refused for good.")
        self.samples_retried = counter("samples_retried", "Samples sent again.")
        self.samples_dropped = counter("samples_dropped", "Samples not sent, by reason.", "reason")
        self.samples_pending = gauge("samples_pending", "Samples that wait to be sent.")
        self.exemplars = counter("exemplars", "Exemplars sent.")
        self.exemplars_failed = counter("exemplars_failed", "Exemplars that the store refused for good.")
        self.exemplars_retried = counter("exemplars_retried", "Exemplars sent again.")
        self.metadata = counter("metadata", "Metadata sent.")
        self.metadata_failed = counter("metadata_failed", "Metadata that could not be sent.")
        self.metadata_retried = counter("metadata_retried", "Metadata sent again.")
        self.bytes = counter("bytes", "Bytes of samples sent, packed.")
        self.metadata_bytes = counter("metadata_bytes", "Bytes of metadata sent, packed.")
        self.duration = Histogram(
            _PREFIX + "sent_batch_duration_seconds", "Time to send a request.", _LABELS, registry=registry
        )
        self.highest_sent = gauge("queue_highest_sent_timestamp_seconds", "Newest time of any sample sent.")
        self.shards = gauge("shards", "Requests at a time, now.")
        self.shards_max = gauge("shards_max", "Requests at a time, at most.")
        self.shards_min = gauge("shards_min", "Requests at a time, at least.")
        self.shards_desired = gauge("shards_desired", "Requests at a time that the waiting samples ask for.")
        self.shard_capacity = gauge("shard_capacity", "Samples of each lane of requests.")
        self.batch_size = gauge("max_samples_per_send", "Most samples of a request.")
        self.queue_bytes = Gauge(
            "vedette_remote_write_queue_bytes", "Disk space of the queue.", _LABELS, registry=registry
        )
        others = (self.samples_in, self.exemplars_in, self.highest_timestamp, self.samples_dropped)
        self.of_stores = [
            metric
            for metric in vars(self).values()
            if isinstance(metric, Counter | Gauge | Histogram) and metric not in others
        ]

    def of(self, name: str, url: str) -> StoreMetrics:
        """The metrics of one store."""
        return StoreMetrics(self, name, url)


class StoreMetrics:
    """One store's metrics; they begin at zero, so that rates are right from the first failure on."""

    def __init__(self, all_: SendingMetrics, name: str, url: str) -> None:
        self._all = all_
        self._key = (name, url)
        self.samples = all_.samples.labels(name, url)
        self.samples_failed = all_.samples_failed.labels(name, url)
        self.samples_retried = all_.samples_retried.labels(name, url)
        self._pending = all_.samples_pending.labels(name, url)
        self.exemplars = all_.exemplars.labels(name, url)
        self.exemplars_failed = all_.exemplars_failed.labels(name, url)
        self.exemplars_retried = all_.exemplars_retried.labels(name, url)
        self.metadata = all_.metadata.labels(name, url)
        self.metadata_failed = all_.metadata_failed.labels(name, url)
        self.metadata_retried = all_.metadata_retried.labels(name, url)
        self.bytes = all_.bytes.labels(name, url)
        self.metadata_bytes = all_.metadata_bytes.labels(name, url)
        self.duration = all_.duration.labels(name, url)
        self.highest_sent = all_.highest_sent.labels(name, url)
        self.shards = all_.shards.labels(name, url)
        self.shards_max = all_.shards_max.labels(name, url)
        self.shards_min = all_.shards_min.labels(name, url)
        self.shards_desired = all_.shards_desired.labels(name, url)
        self.shard_capacity = all_.shard_capacity.labels(name, url)
        self.batch_size = all_.batch_size.labels(name, url)
        self._queue_bytes = all_.queue_bytes.labels(name, url)
        self._highest_sent_ms = 0
        self._dropped = {reason: all_.samples_dropped.labels(name, url, reason) for reason in REASONS}

    def moved(self, url: str) -> StoreMetrics:
        """The metrics of this store at the same or another address; then these are gone."""
        if url == self._key[1]:
            return self
        self.forget()
        return StoreMetrics(self._all, self._key[0], url)

    def dropped(self, reason: str, count: int) -> None:
        """Count samples that will not be sent; the reason is one of `REASONS`."""
        self._dropped[reason].inc(count)

    def sent_up_to(self, time_ms: int) -> None:
        """Note the time of a sample that was sent."""
        if time_ms > self._highest_sent_ms:
            self._highest_sent_ms = time_ms
            self.highest_sent.set(time_ms / 1000)

    def watch(self, pending: Callable[[], int], queue_bytes: Callable[[], int]) -> None:
        """Ask for these whenever the metrics are read."""
        self._pending.set_function(pending)
        self._queue_bytes.set_function(queue_bytes)

    def forget(self) -> None:
        """Drop these metrics: the store is gone."""
        for metric in self._all.of_stores:
            metric.remove(*self._key)
        for reason in REASONS:
            self._all.samples_dropped.remove(*self._key, reason)
