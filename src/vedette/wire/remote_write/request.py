"""What a remote-write request holds, in columns; labels are decoded only where somebody asks.

A receiver looks its series up by `hashes` in a `LabelCache` and asks for `labels` of those it does not know.

A request is refused as a whole where its bytes do not follow the format; a label set that is well-formed
but not allowed is an error of its series alone, as the specification wants it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from vedette.model.errors import DecodeError
from vedette.model.labels import METRIC_NAME, LabelSet
from vedette.model.samples import Exemplar, Metadata, MetricType

METRIC_TYPES: Final = (
    MetricType.UNKNOWN,
    MetricType.COUNTER,
    MetricType.GAUGE,
    MetricType.HISTOGRAM,
    MetricType.GAUGE_HISTOGRAM,
    MetricType.SUMMARY,
    MetricType.INFO,
    MetricType.STATESET,
)
"""By their numbers in both versions of the protocol."""

MAX_EXEMPLAR_BYTES: Final = 4096
"""OpenMetrics allows 128 characters of labels; nobody needs to send more than this."""

_SUFFIXES: Final = {
    MetricType.HISTOGRAM: ("_bucket", "_count", "_sum"),
    MetricType.GAUGE_HISTOGRAM: ("_bucket", "_gcount", "_gsum"),
    MetricType.SUMMARY: ("_count", "_sum"),
}


class Texts(Protocol):
    """The parts of a request that are decoded on demand; one kind for each version of the protocol."""

    def label_pairs(self, series: int) -> list[tuple[bytes, bytes]]:
        """Names and values as sent."""
        ...

    def exemplar(self, number: int) -> tuple[list[tuple[bytes, bytes]], float, int]:
        """Names and values as sent, value, time (0 where there is none)."""
        ...

    def series_metadata(self, series: int) -> tuple[int, bytes, bytes] | None:
        """Type, unit and help that came with a series."""
        ...

    def family_metadata(self) -> list[tuple[int, bytes, bytes, bytes]]:
        """Type, family, unit and help that came by themselves."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class WriteRequest:
    """The content of a request.

    Attributes:
        hashes: uint64[series, 2], keyed hash of each series' label bytes. Equal hashes mean equal labels;
            the same labels in another order or version of the protocol have another hash.
        label_counts: int32[series], labels as sent. To be limited by the caller before it asks for `labels`.
        sample_offsets: int64[series + 1]; series i owns the samples from `[i]` to `[i + 1]`.
        sample_series: int32[samples], the series that owns each sample.
        times: int64[samples], milliseconds, as sent: perhaps out of order.
        values: float64[samples], with stale markers as they are.
        starts: int64[samples], when the counter that a sample was taken from began, in milliseconds, 0 where
            that is not said; None where it is said of none of them.
        histograms: int32[series], native histograms sent with each series; they are counted, not decoded.
        exemplar_series: int32[exemplars], the series that owns each exemplar.
        texts: what is decoded on demand.
    """

    hashes: NDArray[np.uint64]
    label_counts: NDArray[np.int32]
    sample_offsets: NDArray[np.int64]
    sample_series: NDArray[np.int32]
    times: NDArray[np.int64]
    values: NDArray[np.float64]
    starts: NDArray[np.int64] | None
    histograms: NDArray[np.int32]
    exemplar_series: NDArray[np.int32]
    texts: Texts

    @property
    def series_count(self) -> int:
        """How many series there are; the same label set may come twice."""
        return len(self.hashes)

    @property
    def native_histograms(self) -> int:
        """How many native histograms the request holds."""
        return int(self.histograms.sum(dtype=np.int64))

    def labels(self, series: int) -> LabelSet:
        """The label set of a series.

        Labels that came unsorted are sorted; labels with an empty value are left out.

        Raises:
            DecodeError: a name is empty or comes twice, a text is not UTF-8, there is no metric name.
        """
        labels = _label_set(self.texts.label_pairs(series), f"series {series}")
        if not any(name == METRIC_NAME for name, _ in labels):
            raise DecodeError(f"series {series} has no metric name (label `{METRIC_NAME}`): {_shorten(labels)}")
        return labels

    def exemplar(self, number: int) -> Exemplar:
        """An exemplar; its series is `exemplar_series[number]`.

        Raises:
            DecodeError: its labels are not a label set or are far too long.
        """
        pairs, value, time_ms = self.texts.exemplar(number)
        return Exemplar(_label_set(pairs, f"exemplar {number}"), value, time_ms or None)

    def series_metadata(self, series: int, labels: LabelSet) -> Metadata | None:
        """What the request says of the family of a series (version 2 only).

        Args:
            series: which.
            labels: its label set, as the caller has it at hand.

        Raises:
            DecodeError: a text is not UTF-8.
        """
        found = self.texts.series_metadata(series)
        if found is None:
            return None
        number, unit, help_text = found
        kind = _metric_type(number)
        family = dict(labels).get(METRIC_NAME, "")
        for suffix in _SUFFIXES.get(kind, ()):
            family = family.removesuffix(suffix)
        where = f"metadata of series {series}"
        return Metadata(family, kind, _text(unit, where), _text(help_text, where))

    def family_metadata(self) -> list[Metadata]:
        """What the request says of families apart from their series (version 1 only).

        Raises:
            DecodeError: a text is not UTF-8.
        """
        return [
            Metadata(_text(family, "metadata"), _metric_type(number), _text(unit, "metadata"), _text(text, "metadata"))
            for number, family, unit, text in self.texts.family_metadata()
        ]


def _label_set(pairs: list[tuple[bytes, bytes]], where: str) -> LabelSet:
    labels = sorted((_text(name, where), _text(value, where)) for name, value in pairs)
    previous = ""
    for name, _ in labels:
        if not name:
            raise DecodeError(f"{where} has a label without a name: {_shorten(labels)}")
        if name == previous:
            raise DecodeError(f'{where} has two labels named "{name[:100]}": {_shorten(labels)}')
        previous = name
    return tuple(label for label in labels if label[1])


def _text(raw: bytes, where: str) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as exc:
        raise DecodeError(f"{where} holds a text that is not UTF-8: {raw[:100]!r}") from exc


def _metric_type(number: int) -> MetricType:
    return METRIC_TYPES[number] if 0 <= number < len(METRIC_TYPES) else MetricType.UNKNOWN


def _shorten(labels: object) -> str:
    text = repr(labels)
    return text if len(text) <= 200 else f"{text[:200]}…"
