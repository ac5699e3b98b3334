"""What promtool says of a test, to the letter: how it writes labels, alerts, samples and spans of time.

Source: promtool's `unittest.go`, Prometheus' `model/labels` and Go's `strconv` and `time`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from vedette.model.labels import is_legacy_label_name
from vedette.rules.definitions import Pairs


@dataclass(frozen=True, slots=True, order=True)
class ShownAlert:
    """An alert as it is compared."""

    labels: Pairs
    annotations: Pairs

    def __str__(self) -> str:
        return f"Labels:{labels_text(self.labels)}\nAnnotations:{labels_text(self.annotations)}"


@dataclass(frozen=True, slots=True)
class ShownSample:
    """A sample as it is compared.

    Attributes:
        histogram: its value where it is a native histogram.
    """

    labels: Pairs
    value: float
    histogram: str = ""

    def __str__(self) -> str:
        return f"{labels_text(self.labels)} {self.histogram or exponent_text(self.value)}"


def alerts_text(alerts: Sequence[ShownAlert]) -> str:
    """A list of alerts, over several lines."""
    if not alerts:
        return "[]"
    shown = [f"{number}:" + indented(f"\n{alert}", "  ") for number, alert in enumerate(alerts)]
    return "[\n" + ",\n".join(shown) + "\n]"


def samples_text(samples: Sequence[ShownSample]) -> str:
    """A list of samples on one line."""
    return ", ".join(map(str, samples)) or "nil"


def indented(text: str, indent: str) -> str:
    """A text whose lines but the first are indented."""
    return text.replace("\n", f"\n{indent}")


def labels_text(labels: Pairs) -> str:
    """`{alertname="Down", job="node"}`: all labels in order, the name of the metric among them."""
    inner = ", ".join(f"{name if is_legacy_label_name(name) else quoted(name)}={quoted(text)}" for name, text in labels)
    return f"{{{inner}}}"


def quoted(text: str) -> str:
    """A string as Go's `strconv.Quote` writes it."""
    return '"' + "".join(_escaped(char) for char in text) + '"'


_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}


def _escaped(char: str) -> str:
    escape = _ESCAPES.get(char)
    if escape is not None:
        return escape
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def exponent_text(value: float) -> str:
    """`1.5E+00`: the shortest digits that mean the same number."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    shown = "".join(map(str, digits)).rstrip("0") or "0"
    power = len(digits) - 1 + int(exponent) if value else 0
    return f"{'-' if sign else ''}{shown[0]}{'.' if shown[1:] else ''}{shown[1:]}E{power:+03d}"


def go_duration(ms: int) -> str:
    """A span of time as Go writes it: `1h0m0s`, `1.5s`, `250ms`."""
    if ms == 0:
        return "0s"
    sign, rest = ("-", -ms) if ms < 0 else ("", ms)
    if rest < 1000:
        return f"{sign}{rest}ms"
    minutes, part_ms = divmod(rest, 60_000)
    seconds = f"{part_ms / 1000:.3f}".rstrip("0").rstrip(".")
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{sign}{hours}h{minutes}m{seconds}s"
    return f"{sign}{minutes}m{seconds}s" if minutes else f"{sign}{seconds}s"
