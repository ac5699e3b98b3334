from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vedette.model.kernels import kernel
from vedette.model.samples import STALE_BITS
from vedette.store.head.chunks import MAX_SAMPLES, MAX_WORDS, decode_times, decode_values, encode_chunk

SPARE = np.uint64(0xDEADBEEFDEADBEEF)


@kernel("void(uint64[::1], int64, int64, int64, int64, int64[::1], float64[::1])")
def unpack(words, at, descriptor, first, last, times, values) -> None:  # noqa: ANN001 - a kernel
    room = np.empty(MAX_SAMPLES, np.int64)
    decode_times(words, at, descriptor, first, last, times, 0, room)
    decode_values(words, at, descriptor, values, 0, room)


def round_trip(times: list[int], values: NDArray[np.float64]) -> tuple[int, NDArray[np.int64], NDArray[np.uint64]]:
    words = np.full(MAX_WORDS + 3, SPARE, np.uint64)
    descriptor, length = encode_chunk(np.array(times, np.int64), values, len(times), words, 2)
    assert (words[:2] == SPARE).all()
    assert (words[2 + length :] == SPARE).all()
    assert length < MAX_WORDS
    out_times, out_values = np.zeros(len(times), np.int64), np.zeros(len(times))
    unpack(words, 2, descriptor, times[0], times[-1], out_times, out_values)
    return length, out_times, out_values.view(np.uint64)


rising = st.integers(0, 2**53).flatmap(
    lambda first: st.lists(st.integers(1, 2**40), max_size=MAX_SAMPLES - 1).map(
        lambda steps: np.cumsum([first, *steps]).tolist()
    )
)
regular = st.builds(
    lambda first, step, n: [first + i * step for i in range(n)],
    st.integers(0, 2**53),
    st.integers(1, 2**40),
    st.integers(1, MAX_SAMPLES),
)
any_bits = st.one_of(
    st.integers(0, 2**64 - 1),
    st.sampled_from([STALE_BITS, 0x8000000000000000, 0x7FF8000000000000, 0xFFF0000000000000, 1]),
    st.integers(-1000, 1000).map(lambda n: int(np.float64(n).view(np.uint64))),
    st.decimals(-1000, 1000, places=3, allow_nan=False).map(lambda d: int(np.float64(float(d)).view(np.uint64))),
    st.integers(2**53 - 2, 2**53 + 2).map(lambda n: int(np.float64(n).view(np.uint64))),
)


@given(times=rising | regular, data=st.data())
def test_every_time_and_every_bit_of_every_value_comes_back(times: list[int], data: st.DataObject) -> None:
    bits = data.draw(
        st.one_of(
            st.lists(any_bits, min_size=len(times), max_size=len(times)),
            st.lists(st.integers(0, 10**6), min_size=len(times), max_size=len(times)).map(
                lambda steps: np.cumsum(steps).astype(np.float64).view(np.uint64).tolist()
            ),
            st.lists(st.integers(-(10**6), 10**6), min_size=len(times), max_size=len(times)).map(
                lambda hundredths: (np.array(hundredths) / 100).view(np.uint64).tolist()
            ),
        )
    )
    values = np.array(bits, np.uint64).view(np.float64)

    _, out_times, out_bits = round_trip(times, values)

    assert out_times.tolist() == times
    assert out_bits.tolist() == bits


@pytest.mark.parametrize(
    ("values", "most_words"),
    [
        pytest.param(np.full(64, 3.25), 1, id="a constant takes one word"),
        pytest.param(np.arange(64.0) * 7, 2, id="a steady counter takes two words"),
        pytest.param(np.cumsum(100 + np.arange(64) % 16).astype(float), 6, id="a counter takes its rate's width"),
        pytest.param(np.round(50 + np.sin(np.arange(64)), 2), 9, id="a gauge with two decimals takes a byte each"),
    ],
)
def test_usual_values_take_little_room(values: NDArray[np.float64], most_words: int) -> None:
    times = [1_700_000_000_000 + 15_000 * i for i in range(64)]

    length, _, _ = round_trip(times, values)

    assert length <= most_words
