"""The label index: which series there are, and which of them a selector finds.

Every series in retention has a slot, a small number by which the head, the writer and queries name it. A
series' labels are kept as pairs of symbols in flat arrays, not as Python objects; for each pair a bitmap
says which slots hold it. A slot is given away again only after its series was removed; `generation` then
rises, and whoever remembers slots from outside forgets them.

Thread-safe: the writer adds series while queries select.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from vedette.model.errors import LimitExceededError
from vedette.model.frames import LabelFrame, QuerySymbols, SymbolTable
from vedette.model.kernels import kernel
from vedette.model.labels import METRIC_NAME, LabelSet, series_id
from vedette.model.matchers import Matcher, MatchOp

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
UInt64s = NDArray[np.uint64]

_Scalar = TypeVar("_Scalar", bound=np.generic)

NO_SLOT: Final = -1
_NEVER: Final = np.iinfo(np.int64).max

# A regular expression that is nothing but alternatives: looked up, not run over all values.
_ALTERNATIVES: Final = re.compile(r"[\w:/@%, =~-]+(?:\|[\w:/@%, =~-]+)*", re.ASCII)


class SeriesCollisionError(Exception):
    """Two label sets have the same 64-bit identity; the later one is refused."""


class SeriesIndex:
    """All series, their labels, and the first and last time of their samples."""

    def __init__(self) -> None:
        self.symbols = SymbolTable()
        self.generation = 0
        self._lock = threading.RLock()
        self._slots: dict[int, int] = {}
        self._free: list[int] = []
        self._top = 0  # slots ever used
        self._ids: UInt64s = np.zeros(0, np.uint64)
        self._first_ms: Int64s = np.zeros(0, np.int64)
        self._last_ms: Int64s = np.zeros(0, np.int64)
        self._metrics: Int32s = np.zeros(0, np.int32)  # symbol of the metric's name
        # Slot s has the pairs [_pair_start[s], _pair_start[s] + _pair_count[s]).
        self._pair_start: Int64s = np.zeros(0, np.int64)
        self._pair_count: Int32s = np.zeros(0, np.int32)
        self._pair_names: Int32s = np.zeros(0, np.int32)
        self._pair_values: Int32s = np.zeros(0, np.int32)
        self._pairs = 0
        self._garbage = 0
        self._names: list[str] = []
        self._name_numbers: dict[str, int] = {}
        # By name number: symbol of the value -> the slots that hold it; a single slot as an int.
        self._postings: list[dict[int, BitMap | int]] = []
        self._all = BitMap()

    def __len__(self) -> int:
        return len(self._slots)

    # -- adding and removing ---------------------------------------------------------------------------

    def resolve(self, labels: LabelSet, *, max_series: int) -> tuple[int, bool]:
        """The slot of a series, made now if it is new.

        Returns:
            The slot, and whether it is new.

        Raises:
            LimitExceededError: there are `max_series` already.
            SeriesCollisionError: another series has this identity.
        """
        identity = int(series_id(labels))
        with self._lock:
            slot = self._slots.get(identity)
            if slot is not None:
                if self.labels(slot) != labels:
                    raise SeriesCollisionError(f"{labels} and {self.labels(slot)} share the id {identity:#x}")
                return slot, False
            if len(self._slots) >= max_series:
                raise LimitExceededError(
                    limit="limits.series", allowed=max_series, found=None, what="series in the store"
                )
            return self._add(identity, labels), True

    def _add(self, identity: int, labels: LabelSet) -> int:
        if self._free:
            slot = self._free.pop()
        else:
            slot = self._top
            self._top += 1
            self._reserve(self._top)
        self._slots[identity] = slot
        self._ids[slot] = identity
        self._first_ms[slot] = _NEVER
        self._last_ms[slot] = -_NEVER
        self._reserve_pairs(self._pairs + len(labels))
        self._metrics[slot] = 0
        self._pair_start[slot] = self._pairs
        self._pair_count[slot] = len(labels)
        for name, value in labels:
            number = self._name_number(name)
            symbol = self.symbols.intern(value)
            if name == METRIC_NAME:
                self._metrics[slot] = symbol
            self._pair_names[self._pairs] = number
            self._pair_values[self._pairs] = symbol
            self._pairs += 1
            values = self._postings[number]
            slots = values.get(symbol)
            if slots is None:
                values[symbol] = slot
            elif isinstance(slots, int):
                values[symbol] = BitMap((slots, slot))
            else:
                slots.add(slot)
        self._all.add(slot)
        return slot

    def add_many(
        self,
        ids: UInt64s,
        offsets: Int64s,
        names: Sequence[str],
        name_of: Int32s,
        values: Sequence[str],
        value_of: Int32s,
    ) -> Int64s:
        """Add series known to be new and different, as they are loaded at start.

        Args:
            ids: uint64[series].
            offsets: int64[series + 1]; series i has the pairs [offsets[i], offsets[i + 1]).
            names: the strings that `name_of` numbers.
            name_of: int32[pairs], which name each pair has.
            values: the strings that `value_of` numbers; not empty.
            value_of: int32[pairs], which value each pair has.

        Returns:
            int64[series], their slots.
        """
        with self._lock:
            count = len(ids)
            first = self._top
            slots = np.arange(first, first + count, dtype=np.int64)
            self._top += count
            self._reserve(self._top)
            self._slots.update(zip(ids.tolist(), slots.tolist(), strict=True))
            self._ids[first : first + count] = ids
            self._first_ms[first : first + count] = _NEVER
            self._last_ms[first : first + count] = -_NEVER
            pairs = len(name_of)
            self._reserve_pairs(self._pairs + pairs)
            self._pair_start[first : first + count] = offsets[:-1] + self._pairs
            self._pair_count[first : first + count] = np.diff(offsets)
            name_numbers = np.array([self._name_number(name) for name in names], np.int32)[name_of]
            value_symbols = np.array([self.symbols.intern(value) for value in values], np.int32)[value_of]
            self._pair_names[self._pairs : self._pairs + pairs] = name_numbers
            self._pair_values[self._pairs : self._pairs + pairs] = value_symbols
            self._pairs += pairs
            self._all.add_range(first, first + count)
            slot_of_pair = np.repeat(slots, np.diff(offsets))
            named = name_numbers == self._name_number(METRIC_NAME)
            self._metrics[slot_of_pair[named]] = value_symbols[named]
            self._post_many(name_numbers, value_symbols, slot_of_pair)
            return slots

    def _post_many(self, names: Int32s, values: Int32s, slots: Int64s) -> None:
        if not len(names):
            return
        keys = (names.astype(np.int64) << 32) | values
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        sorted_slots = slots[order].astype(np.uint32)
        starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
        ends = np.r_[starts[1:], len(keys)]
        name_of: list[int] = (keys[starts] >> 32).tolist()
        symbol_of: list[int] = (keys[starts] & 0xFFFFFFFF).tolist()
        for name, symbol, start, end in zip(name_of, symbol_of, starts.tolist(), ends.tolist(), strict=True):
            postings = self._postings[name]
            known = postings.get(symbol)
            if known is None and end - start == 1:
                postings[symbol] = int(sorted_slots[start])
                continue
            added = BitMap(sorted_slots[start:end])
            postings[symbol] = added if known is None else _bitmap(known) | added

    def remove(self, slots: Iterable[int]) -> None:
        """Forget series, e.g. those whose last sample has left retention."""
        with self._lock:
            removed = list(slots)
            for slot in removed:
                self._slots.pop(int(self._ids[slot]), None)
                start = int(self._pair_start[slot])
                count = int(self._pair_count[slot])
                for pair in range(start, start + count):
                    values = self._postings[int(self._pair_names[pair])]
                    symbol = int(self._pair_values[pair])
                    held = values.get(symbol)
                    if isinstance(held, BitMap):
                        held.discard(slot)
                        if held:
                            continue
                    values.pop(symbol, None)
                self._garbage += count
                self._pair_count[slot] = 0
                self._all.discard(slot)
            self._free.extend(removed)
            if removed:
                self.generation += 1
            if self._garbage > 1024 and 2 * self._garbage > self._pairs:
                self._compact()

    def _compact(self) -> None:
        names = np.empty_like(self._pair_names)
        values = np.empty_like(self._pair_values)
        at = 0
        for slot in self._all:
            start, count = int(self._pair_start[slot]), int(self._pair_count[slot])
            names[at : at + count] = self._pair_names[start : start + count]
            values[at : at + count] = self._pair_values[start : start + count]
            self._pair_start[slot] = at
            at += count
        self._pair_names, self._pair_values, self._pairs, self._garbage = names, values, at, 0

    # -- times -----------------------------------------------------------------------------------------

    def touch(self, slots: Int64s, first_ms: Int64s, last_ms: Int64s) -> None:
        """Note that these series have samples between `first_ms` and `last_ms`; slots may repeat."""
        with self._lock:
            _widen(self._first_ms, self._last_ms, slots, first_ms, last_ms)

    def time_range(self) -> tuple[int, int]:
        """The first and the last time of any series' samples; 0 and 0 if there are none."""
        with self._lock:
            slots = _slots_in(self._all)
            slots = slots[self._last_ms[slots] != -_NEVER]
            if not len(slots):
                return 0, 0
            return int(self._first_ms[slots].min()), int(self._last_ms[slots].max())

    def ended_before(self, time_ms: int) -> list[int]:
        """Slots of series that have had samples, but none since `time_ms`."""
        with self._lock:
            slots = _slots_in(self._all)
            last = self._last_ms[slots]
            return slots[(last < time_ms) & (last != -_NEVER)].tolist()

    # -- selecting -------------------------------------------------------------------------------------

    def select(self, matchers: Sequence[Matcher], *, start_ms: int | None = None, end_ms: int | None = None) -> Int64s:
        """Slots, rising, of the series that pass all matchers and may have samples in [start_ms, end_ms]."""
        with self._lock:
            # Those that name slots come first, so that those that take away have little left to do.
            found: BitMap | None = None
            excluding: list[BitMap] = []
            for matcher in matchers:
                slots, keeps = self._matching(matcher)
                if not keeps:
                    excluding.append(slots)
                elif found is None:
                    found = slots.copy()
                else:
                    found &= slots
                if found is not None and not found:
                    return np.zeros(0, np.int64)
            result = self._all.copy() if found is None else found
            for slots in excluding:
                result -= slots
            chosen = _slots_in(result)
            if start_ms is not None:
                chosen = chosen[self._last_ms[chosen] >= start_ms]
            if end_ms is not None:
                chosen = chosen[self._first_ms[chosen] <= end_ms]
            return chosen

    def _matching(self, matcher: Matcher) -> tuple[BitMap, bool]:
        """Slots, and whether they are those that pass (else those that do not)."""
        number = self._name_numbers.get(matcher.name)
        values = self._postings[number] if number is not None else {}
        if matcher.op in (MatchOp.EQUAL, MatchOp.NOT_EQUAL):
            wanted: list[BitMap | int] = []
            if matcher.value:
                symbol = self.symbols.find(matcher.value)
                held = values.get(symbol) if symbol is not None else None
                wanted = [] if held is None else [held]
                return _union(wanted), matcher.op is MatchOp.EQUAL
            # `x=""`: those without the label pass; `x!=""`: those with it.
            return _union(list(values.values())), matcher.op is MatchOp.NOT_EQUAL
        positive = Matcher(matcher.name, MatchOp.REGEX, matcher.value)
        is_regex = matcher.op is MatchOp.REGEX
        if positive.matches_empty:
            # Those without the label match the pattern too: collect the ones that do not.
            differing = [held for symbol, held in values.items() if not positive.matches(self.symbols.text(symbol))]
            return _union(differing), not is_regex
        if _ALTERNATIVES.fullmatch(matcher.value):
            symbols = (self.symbols.find(text) for text in matcher.value.split("|"))
            held_by = (values.get(symbol) for symbol in symbols if symbol is not None)
            return _union([held for held in held_by if held is not None]), is_regex
        matching = [held for symbol, held in values.items() if positive.matches(self.symbols.text(symbol))]
        return _union(matching), is_regex

    # -- reading ---------------------------------------------------------------------------------------

    def labels(self, slot: int) -> LabelSet:
        """One series' label set."""
        with self._lock:
            start = int(self._pair_start[slot])
            end = start + int(self._pair_count[slot])
            names: list[int] = self._pair_names[start:end].tolist()
            values: list[int] = self._pair_values[start:end].tolist()
            text = self.symbols.text
            return tuple((self._names[name], text(value)) for name, value in zip(names, values, strict=True))

    def ids(self, slots: Int64s) -> UInt64s:
        """The identities of some series."""
        return self._ids[slots]

    def slots_of(self, ids: UInt64s) -> Int64s:
        """The slots of some series; `NO_SLOT` for unknown ones."""
        get = self._slots.get
        return np.array([get(identity, NO_SLOT) for identity in ids.tolist()], np.int64)

    def frame(self, slots: Int64s, symbols: QuerySymbols) -> LabelFrame:
        """The labels of some series as columns."""
        with self._lock:
            if len(slots) == 1:
                return LabelFrame(symbols, self._pairs_as_columns(int(slots[0])), 1)
            columns = np.zeros((len(self._names), len(slots)), np.int32)
            _gather(slots, self._pair_start, self._pair_count, self._pair_names, self._pair_values, columns)
            used: NDArray[np.bool_] = np.any(columns, axis=1)
            named = {name: columns[i] for i, name in enumerate(self._names) if used[i]}
            return LabelFrame(symbols, named, len(slots))

    def _pairs_as_columns(self, slot: int) -> dict[str, NDArray[np.int32]]:
        start = int(self._pair_start[slot])
        end = start + int(self._pair_count[slot])
        values = self._pair_values[start:end].astype(np.int32)
        names: list[int] = self._pair_names[start:end].tolist()
        return {self._names[name]: values[i : i + 1] for i, name in enumerate(names)}

    def label_names(self, slots: Int64s) -> list[str]:
        """The names of all labels that these series have, sorted."""
        with self._lock:
            seen = np.zeros(len(self._names), np.bool_)
            seen[self._pair_names[self._pairs_of(slots)]] = True
            return sorted(self._names[number] for number in np.flatnonzero(seen))

    def label_values(self, name: str, slots: Int64s | None = None) -> list[str]:
        """The values of one label among these series (all by default), sorted."""
        with self._lock:
            number = self._name_numbers.get(name)
            if number is None:
                return []
            if slots is None:
                symbols: Iterable[int] = self._postings[number]
            else:
                pairs = self._pairs_of(slots)
                names: Int32s = self._pair_names[pairs]
                symbols = np.unique(self._pair_values[pairs[names == number]]).tolist()
            return sorted(self.symbols.text(symbol) for symbol in symbols)

    def metrics(self, slots: Int64s) -> tuple[Int32s, list[str]]:
        """The metrics' names of some series.

        Returns:
            int32[series], which of the names each has; and the different names. A series without one has "".
        """
        symbols, codes = np.unique(self._metrics[slots], return_inverse=True)
        return codes.astype(np.int32), [self.symbols.text(symbol) for symbol in symbols.tolist()]

    def cardinality(self, top: int) -> dict[str, list[tuple[str, int]]]:
        """What `/api/v1/status/tsdb` shows: the biggest metrics, labels and pairs."""
        with self._lock:
            by_label = [(name, len(values)) for name, values in zip(self._names, self._postings, strict=True)]
            pairs = [
                (f"{name}={self.symbols.text(symbol)}", len(held) if isinstance(held, BitMap) else 1)
                for name, values in zip(self._names, self._postings, strict=True)
                for symbol, held in values.items()
            ]
            prefix = f"{METRIC_NAME}="
            metrics = [(pair.removeprefix(prefix), count) for pair, count in pairs if pair.startswith(prefix)]
            text_bytes = [
                (name, sum(len(self.symbols.text(symbol)) for symbol in values))
                for name, values in zip(self._names, self._postings, strict=True)
            ]
            return {
                "metrics": _top(metrics, top),
                "labels": _top(by_label, top),
                "label_bytes": _top(text_bytes, top),
                "pairs": _top(pairs, top),
            }

    @property
    def pair_count(self) -> int:
        """How many different label pairs there are."""
        with self._lock:
            return sum(len(values) for values in self._postings)

    # -- storage ---------------------------------------------------------------------------------------

    def _pairs_of(self, slots: Int64s) -> Int64s:
        counts = self._pair_count[slots].astype(np.int64)
        ends = np.cumsum(counts)
        within = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - counts, counts)
        return np.repeat(self._pair_start[slots], counts) + within

    def _name_number(self, name: str) -> int:
        number = self._name_numbers.get(name)
        if number is None:
            number = self._name_numbers[name] = len(self._names)
            self._names.append(name)
            self._postings.append({})
        return number

    def _reserve(self, slots: int) -> None:
        if slots <= len(self._ids):
            return
        size = max(1024, 2 * len(self._ids), slots)
        self._ids = _grown(self._ids, size)
        self._first_ms = _grown(self._first_ms, size)
        self._last_ms = _grown(self._last_ms, size)
        self._metrics = _grown(self._metrics, size)
        self._pair_start = _grown(self._pair_start, size)
        self._pair_count = _grown(self._pair_count, size)

    def _reserve_pairs(self, pairs: int) -> None:
        if pairs > len(self._pair_names):
            size = max(8192, 2 * len(self._pair_names), pairs)
            self._pair_names = _grown(self._pair_names, size)
            self._pair_values = _grown(self._pair_values, size)


@kernel("void(int64[::1], int64[::1], int32[::1], int32[::1], int32[::1], int32[:,::1])")
def _gather(
    slots: Int64s, starts: Int64s, counts: Int32s, names: Int32s, values: Int32s, columns: NDArray[np.int32]
) -> None:
    for i in range(len(slots)):
        slot = slots[i]
        for pair in range(starts[slot], starts[slot] + counts[slot]):
            columns[names[pair], i] = values[pair]


@kernel("void(int64[::1], int64[::1], int64[::1], int64[::1], int64[::1])")
def _widen(first_ms: Int64s, last_ms: Int64s, slots: Int64s, firsts: Int64s, lasts: Int64s) -> None:
    for i in range(len(slots)):
        slot = slots[i]
        first_ms[slot] = min(first_ms[slot], firsts[i])
        last_ms[slot] = max(last_ms[slot], lasts[i])


def _slots_in(held: BitMap) -> Int64s:
    """Rising."""
    return np.frombuffer(held.to_array(), np.uint32).astype(np.int64)


def _bitmap(held: BitMap | int) -> BitMap:
    return held if isinstance(held, BitMap) else BitMap((held,))


def _union(held: Sequence[BitMap | int]) -> BitMap:
    """The union; with one bitmap that very bitmap, which the caller must not change."""
    if len(held) == 1:
        return _bitmap(held[0])
    singles = [slot for slot in held if isinstance(slot, int)]
    bitmaps = [slots for slots in held if isinstance(slots, BitMap)]
    union = BitMap.union(*bitmaps) if bitmaps else BitMap()
    if singles:
        union |= BitMap(singles)
    return union


def _top(counted: list[tuple[str, int]], top: int) -> list[tuple[str, int]]:
    return sorted(counted, key=lambda pair: (-pair[1], pair[0]))[:top]


def _grown(array: NDArray[_Scalar], size: int) -> NDArray[_Scalar]:
    grown = np.zeros(size, array.dtype)
    grown[: len(array)] = array
    return grown
