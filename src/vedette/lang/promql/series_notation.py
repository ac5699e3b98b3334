"""Series written out by hand: `up{job="node"} 0+10x5 _ stale`, as in unit tests of rules.

After the labels come samples, one for each step of time: a number, `_` for none, or `stale`. `1x3` is `1` and
three more of it, `0+10x5` is `0` and five more with 10 added each time, `_x4` is four gaps. A native histogram
stands in `{{...}}`; it is recognised, kept as text and not looked into.

Source: Prometheus' `promql/parser/generated_parser.y` (`series_description`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NoReturn

from vedette.lang.promql.lexer import scan_number
from vedette.lang.promql.numbers import parse_number
from vedette.lang.promql.parser import parse_metric
from vedette.lang.promql.strings import quote_char
from vedette.model.errors import QueryError, Span
from vedette.model.labels import LabelSet
from vedette.model.samples import STALE

MAX_SAMPLES: Final = 1_000_000
"""The longest sequence that is expanded, unless the caller says otherwise."""

_METRIC = re.compile(r"""[^{ \t]*+(?:\{(?:[^"'`}]++|"(?:[^"\\\n]++|\\.)*+"|'(?:[^'\\\n]++|\\.)*+'|`[^`]*+`)*+\})?""")
_SPACE = re.compile(r"[ \t\r\n]*")
_WORD = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_TIMES = re.compile(r"x([0-9]+)")
_HISTOGRAM = re.compile(r"\{\{[^{}]*\}\}")


@dataclass(frozen=True, slots=True)
class HistogramLiteral:
    """A native histogram as it is written.

    Attributes:
        text: from `{{` to `}}`.
        step: what is added for each step, with its sign before it: `+{{...}}`; "" if nothing is.
        steps: how many times it has been added.
    """

    text: str
    step: str = ""
    steps: int = 0


SequenceValue = float | HistogramLiteral | None
"""A sample of a sequence; None is a gap. The stale marker is the NaN with its bits."""


@dataclass(frozen=True, slots=True)
class SeriesDescription:
    """A series and its samples, one for each step."""

    labels: LabelSet
    values: tuple[SequenceValue, ...]


def parse_series(text: str, *, max_samples: int = MAX_SAMPLES) -> SeriesDescription:
    """A series with its samples, expanded.

    Raises:
        QueryError: the text does not follow the notation, or has more samples than allowed.
    """
    start = _spaces(text, 0)
    found = _METRIC.match(text, start)
    end = found.end() if found else start
    if text[end : end + 1] == "{":
        end = len(text)  # an unclosed brace: what is wrong is found in parsing it
    labels = parse_metric(text[start:end])
    if end < len(text) and _spaces(text, end) == end:
        raise QueryError(f"unexpected {quote_char(text[end])} in series values", span=Span(end, end + 1))
    return SeriesDescription(labels, parse_values(text, end, max_samples=max_samples))


def parse_values(text: str, start: int = 0, *, max_samples: int = MAX_SAMPLES) -> tuple[SequenceValue, ...]:
    """The samples of a sequence alone, expanded.

    Args:
        text: what holds the sequence.
        start: where in it the sequence begins.
        max_samples: the longest sequence allowed.

    Raises:
        QueryError: the text does not follow the notation, or has more samples than allowed.
    """
    reader = _Reader(text, start, max_samples)
    reader.run()
    return tuple(reader.values)


class _Reader:
    """A sequence and how far it has been read."""

    __slots__ = ("max_samples", "pos", "text", "values")

    def __init__(self, text: str, pos: int, max_samples: int) -> None:
        self.text = text
        self.pos = pos
        self.max_samples = max_samples
        self.values: list[SequenceValue] = []

    def run(self) -> None:
        """Read all items; each has to have a space before it, but for the first."""
        start = self.pos
        while (after_space := _spaces(self.text, self.pos)) < len(self.text):
            if after_space == self.pos > start:
                self._fail()
            self.pos = after_space
            self._item()

    def _item(self) -> None:
        char = self.text[self.pos]
        if char == "_":
            self.pos += 1
            times = self._times()
            self._add([None], 1 if times is None else times)
        elif self.text.startswith("{{", self.pos):
            self._histograms()
        else:
            self._numbers()

    def _numbers(self) -> None:
        value = self._signed_number()
        step = 0.0
        stepped = self.text[self.pos : self.pos + 1] in ("+", "-")
        if stepped:
            step = self._signed_number()
        times = self._times()
        if times is None:
            if stepped:
                self._fail('expected "x" and how often to repeat')
            self._add([value], 1)
            return
        self._reserve(times + 1)
        # Added up one by one, as Prometheus does: the sums differ in their last digits from multiples.
        for _ in range(times + 1):
            self.values.append(value)
            value = value + step if stepped else value

    def _histograms(self) -> None:
        text = self._histogram()
        step = ""
        if self.text[self.pos : self.pos + 3] in ("+{{", "-{{"):
            sign = self.text[self.pos]
            self.pos += 1
            step = sign + self._histogram()
        times = self._times()
        if times is None:
            if step:
                self._fail('expected "x" and how often to repeat')
            self._add([HistogramLiteral(text)], 1)
        elif step:
            self._reserve(times + 1)
            self.values.extend(HistogramLiteral(text, step, steps) for steps in range(times + 1))
        else:
            self._add([HistogramLiteral(text)], times + 1)

    def _histogram(self) -> str:
        found = _HISTOGRAM.match(self.text, self.pos)
        if found is None:
            raise QueryError("unclosed histogram description, expected }}", span=Span(self.pos, len(self.text)))
        self.pos = found.end()
        return found[0]

    def _signed_number(self) -> float:
        text = self.text
        sign = text[self.pos]
        if sign in "+-":
            self.pos += 1
        start = self.pos
        word = _WORD.match(text, start)
        if word is not None:
            value = self._word(word[0], signed=sign in "+-")
            end = word.end()
        else:
            well_formed, end = scan_number(text, start, repeatable=True)
            if not well_formed:
                self._fail('expected number or "stale"')
            value = self._value(text[start:end], start)
        self.pos = end
        return -value if sign == "-" else value

    def _word(self, word: str, *, signed: bool) -> float:
        if word == "stale" and not signed:
            return STALE
        if word.lower() not in ("inf", "nan"):
            self._fail('expected number or "stale"')
        return parse_number(word)

    def _value(self, digits: str, start: int) -> float:
        try:
            return parse_number(digits)
        except ValueError as exc:
            raise QueryError(str(exc), span=Span(start, start + len(digits))) from exc

    def _times(self) -> int | None:
        """`x3`: how often; None if there is no repetition."""
        found = _TIMES.match(self.text, self.pos)
        if found is None:
            return None
        # A number that long is beyond every limit and need not be read in full.
        times = int(found[1].lstrip("0")[:20] or "0")
        if times >= self.max_samples:
            self._too_long()
        self.pos = found.end()
        return times

    def _add(self, item: list[SequenceValue], times: int) -> None:
        self._reserve(times)
        self.values.extend(item * times)

    def _reserve(self, more: int) -> None:
        if len(self.values) + more > self.max_samples:
            self._too_long()

    def _too_long(self) -> NoReturn:
        raise QueryError(f"sequence is longer than {self.max_samples:,} samples", span=Span(self.pos, len(self.text)))

    def _fail(self, expected: str = "") -> NoReturn:
        found = quote_char(self.text[self.pos]) if self.pos < len(self.text) else "end of input"
        instead = f", {expected}" if expected else ""
        raise QueryError(f"unexpected {found} in series values{instead}", span=Span(self.pos, self.pos + 1))


def _spaces(text: str, pos: int) -> int:
    found = _SPACE.match(text, pos)
    return found.end() if found else pos
