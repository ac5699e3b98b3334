"""An alert: something that is wrong, under the label set that names it, from when to when.

What rules find, what other servers post and what receivers are told of are all alerts in this form. The label set is
the identity; `fingerprint` is its short form in Alertmanager's API, in deduplication keys and in logs.

Source: Alertmanager's `types.Alert` and `model.LabelSet.Fingerprint` of prometheus/common.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from vedette.model.labels import LabelSet

_FNV_OFFSET: Final = 0xCBF29CE484222325
_FNV_PRIME: Final = 0x100000001B3
_MASK: Final = (1 << 64) - 1
_SEPARATOR: Final = 0xFF


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert as it was last reported.

    Attributes:
        labels: its identity, `alertname` among them.
        annotations: what people are told.
        starts_ms: since when it fires, milliseconds since the epoch.
        ends_ms: when it ended, or when it will count as ended unless it is reported again.
        updated_ms: when it was last reported.
        generator_url: where its cause can be seen; empty if it is not known.
        presumed_end: `ends_ms` was not reported: it is the last report plus `resolve_timeout`.
    """

    labels: LabelSet
    annotations: LabelSet
    starts_ms: int
    ends_ms: int
    updated_ms: int
    generator_url: str = ""
    presumed_end: bool = False

    def resolved_at(self, now_ms: int) -> bool:
        """Whether it has ended."""
        return self.ends_ms <= now_ms

    @property
    def name(self) -> str:
        """Its `alertname`; empty if it has none."""
        return dict(self.labels).get("alertname", "")


def fingerprint(labels: LabelSet) -> str:
    """16 hexadecimal digits: FNV-1a over names and values, each followed by the byte 255."""
    digest = _FNV_OFFSET
    for pair in labels:
        for text in pair:
            for byte in (*text.encode("utf-8", "surrogatepass"), _SEPARATOR):
                digest = ((digest ^ byte) * _FNV_PRIME) & _MASK
    return f"{digest:016x}"
