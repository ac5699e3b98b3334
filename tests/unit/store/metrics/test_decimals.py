from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.model.samples import STALE
from vedette.store.metrics.decimals import DecimalEncoder, Floats, Int64s, UInt64s
from vedette.store.metrics.runs import decode_pieces
from vedette.store.schema.tables import RAW


def encode(values: list[float], ids: list[int] | None = None) -> tuple[list[int], list[int]]:
    keys: UInt64s = np.array(ids or [7] * len(values), np.uint64)
    mantissas, digits = DecimalEncoder().encode(keys, np.array(values), day=0)
    return mantissas.tolist(), digits.tolist()


def there_and_back(encoder: DecimalEncoder, ids: UInt64s, values: Floats) -> Int64s:
    mantissas, digits = encoder.encode(ids, values, day=0)
    back, times = np.empty(len(values)), np.arange(len(values), dtype=np.int64)
    first, size = np.zeros(1, np.int64), np.array([len(values)])
    decode_pieces(first, size, first, times, mantissas, digits, np.empty_like(times), back, back.view(np.int64))
    return back.view(np.int64)


ANY_FLOAT = st.floats(width=64) | st.integers(0, 2**64 - 1).map(
    lambda bits: struct.unpack("<d", struct.pack("<Q", bits))[0]
)
DECIMAL = st.builds(
    lambda whole, digits: float(f"{whole}e-{digits}"), st.integers(-(10**15), 10**15), st.integers(0, 14)
)


@given(
    st.lists(st.tuples(st.integers(0, 3), ANY_FLOAT | DECIMAL | st.integers(-(2**60), 2**60).map(float)), max_size=40)
)
def test_every_float_comes_back_bit_for_bit(rows: list[tuple[int, float]]) -> None:
    ids = np.array([key for key, _ in rows], np.uint64)
    values = np.array([value for _, value in rows], np.float64)

    assert there_and_back(DecimalEncoder(), ids, values).tolist() == values.view(np.int64).tolist()


@given(st.integers(-(10**12), 10**12), st.integers(0, 6))
def test_what_was_written_with_few_digits_is_kept_as_a_decimal(whole: int, digits: int) -> None:
    value = float(f"{whole}e-{digits}")

    mantissas, kept = encode([value])

    assert kept[0] <= digits
    assert mantissas[0] / 10 ** kept[0] == value


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(math.nan, id="NaN"),
        pytest.param(float(STALE), id="the stale marker"),
        pytest.param(math.inf, id="infinity"),
        pytest.param(-math.inf, id="minus infinity"),
        pytest.param(-0.0, id="minus zero"),
        pytest.param(2.0**53, id="the first integer that has a neighbour it cannot be told from"),
        pytest.param(5e-324, id="the smallest float"),
        pytest.param(math.pi, id="a float that no short decimal names"),
    ],
)
def test_what_has_no_short_decimal_is_kept_as_its_bits(value: float) -> None:
    mantissas, digits = encode([value])

    assert digits == [RAW]
    assert mantissas == np.array([value]).view(np.int64).tolist()


def test_a_series_keeps_the_digits_it_once_needed() -> None:
    mantissas, digits = encode([12.0, 12.75, 12.5, 13.0])

    assert digits == [0, 2, 2, 2]
    assert mantissas == [12, 1275, 1250, 1300]


def test_series_do_not_share_their_digits() -> None:
    _, digits = encode([1.25, 3.0, 1.5, 4.0], ids=[1, 2, 1, 2])

    assert digits == [2, 0, 2, 0]


def test_a_value_too_large_for_its_series_digits_gets_fewer() -> None:
    mantissas, digits = encode([0.123456789012, 5e14])

    assert digits == [12, 0]
    assert mantissas == [123456789012, 500000000000000]


def test_a_new_day_begins_without_digits() -> None:
    encoder = DecimalEncoder()
    ids = np.array([7], np.uint64)
    encoder.encode(ids, np.array([1.25]), day=0)

    _, same_day = encoder.encode(ids, np.array([1.0]), day=0)
    _, next_day = encoder.encode(ids, np.array([1.0]), day=1)

    assert (same_day.tolist(), next_day.tolist()) == ([2], [0])


def test_more_series_than_the_memory_first_holds_are_encoded_exactly_while_it_grows() -> None:
    encoder = DecimalEncoder()
    generator = np.random.default_rng(1)
    ids = generator.integers(0, 2**64, 100_000, dtype=np.uint64, endpoint=False)
    values = np.round(generator.random(100_000) * 1000, 3)

    for _ in range(3):
        assert (there_and_back(encoder, ids, values) == values.view(np.int64)).all()


def test_ids_that_fall_into_one_slot_are_told_apart() -> None:
    values = [1.5, 2.0, 3.25, 4.0]

    _, digits = encode(values * 2, ids=[key << 40 for key in range(4)] * 2)

    assert digits == [1, 0, 2, 0] * 2


def test_a_series_of_full_precision_is_kept_as_bits_even_where_a_decimal_is_found() -> None:
    generator = np.random.default_rng(1)
    totals = np.cumsum(generator.random(400)) + 1e5

    _, digits = encode(totals.tolist())

    assert set(digits[:50]) != {RAW}
    assert set(digits[50:]) == {RAW}


def test_a_series_of_decimals_with_a_few_long_values_stays_one_of_decimals() -> None:
    values = [math.pi if number % 10 == 0 else number / 4 for number in range(200)]

    _, digits = encode(values)

    assert [place for place, kept in enumerate(digits) if kept == RAW] == list(range(0, 200, 10))


def test_a_series_that_ends_being_of_full_precision_becomes_one_of_decimals_again() -> None:
    _, digits = encode([math.pi * number for number in range(1, 50)] + [number / 4 for number in range(100)])

    assert digits[60] == RAW
    assert digits[-1] != RAW


def test_stale_markers_do_not_make_a_series_one_of_full_precision() -> None:
    _, digits = encode([float(STALE), math.nan, math.inf] * 50 + [1.25])

    assert digits[-1] == 2
