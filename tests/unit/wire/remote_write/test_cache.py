from __future__ import annotations

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from numpy.typing import NDArray

from vedette.wire.remote_write import UNKNOWN, LabelCache

HASHES = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 2)), min_size=1, max_size=30, unique=True)


def columns(hashes: list[tuple[int, int]]) -> NDArray[np.uint64]:
    # Multiples of a large power of two, so that all hashes want the same place.
    return np.array([(low << 50, high) for low, high in hashes], np.uint64)


class CacheLikeDict(RuleBasedStateMachine):
    """A cache that never fills is a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.cache = LabelCache()
        self.expected: dict[tuple[int, int], int] = {}

    @rule(hashes=HASHES, slot=st.integers(0, 50))
    def insert(self, hashes: list[tuple[int, int]], slot: int) -> None:
        self.cache.insert(columns(hashes), np.arange(slot, slot + len(hashes)))
        self.expected.update({each: slot + number for number, each in enumerate(hashes)})

    @rule(slots=st.lists(st.integers(0, 80)))
    def forget(self, slots: list[int]) -> None:
        self.cache.forget(np.array(slots, np.int64))
        self.expected = {key: slot for key, slot in self.expected.items() if slot not in slots}

    @rule()
    def clear(self) -> None:
        self.cache.clear()
        self.expected.clear()

    @invariant()
    def holds_the_same(self) -> None:
        assert len(self.cache) == len(self.expected)

    @rule(hashes=HASHES)
    def lookup(self, hashes: list[tuple[int, int]]) -> None:
        found = self.cache.lookup(columns(hashes))

        assert found.tolist() == [self.expected.get(each, UNKNOWN) for each in hashes]


CacheLikeDict.TestCase.settings = settings(max_examples=30, stateful_step_count=15)
TestCacheLikeDict = CacheLikeDict.TestCase


def random_hashes(count: int) -> NDArray[np.uint64]:
    return np.random.default_rng(count).integers(0, 1 << 64, (count, 2), np.uint64)


def test_a_cache_grows_with_what_it_holds() -> None:
    cache, hashes = LabelCache(), random_hashes(50_000)
    for start in range(0, 50_000, 1000):
        cache.insert(hashes[start : start + 1000], np.arange(start, start + 1000))

    assert (cache.lookup(hashes) == np.arange(50_000)).all()


def test_a_full_cache_is_emptied_and_takes_the_new() -> None:
    cache, hashes = LabelCache(max_entries=1000), random_hashes(1100)
    cache.insert(hashes[:1000], np.arange(1000))

    cache.insert(hashes[1000:], np.arange(100))

    assert len(cache) == 100
    assert cache.generation == 1
    assert (cache.lookup(hashes[1000:]) == np.arange(100)).all()


def test_more_than_the_cache_may_hold_at_all_is_not_kept() -> None:
    cache, hashes = LabelCache(max_entries=10), random_hashes(11)

    cache.insert(hashes, np.arange(11))

    assert (cache.lookup(hashes) == UNKNOWN).all()


def test_no_two_caches_share_a_key() -> None:
    assert LabelCache().key != LabelCache().key
