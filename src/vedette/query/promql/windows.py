"""Which samples of a run lie in which window: the part that all range functions share, compiled.

A window is open on the left, as in Prometheus 3: it holds the samples with `end - range < time <= end`.
`ends` rise by a constant step, which is 0 where `@` pins all windows to one time. Bounds are indices into
the run: window i is `[lows[i], highs[i])`.

Samples that follow each other at a constant distance, as scraped ones do, are not searched but counted.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from vedette.model.kernels import leaf
from vedette.query.promql.values import Floats, Ints

FEW: Final = 8
"""So many windows in a row are not worth dealing their samples out."""


@leaf
def count_until(times: Ints, size: int, start: int, limit: int) -> int:
    """How many of the rising times are at most `limit`, given that the first `start` are."""
    if start >= size or times[start] > limit:
        return start
    # Gallop, then bisect: the answer is usually near, and the run may be long.
    reach = 1
    low = start
    while low + reach < size and times[low + reach] <= limit:
        low += reach
        reach *= 2
    high = min(low + reach, size)
    while high - low > 1:
        middle = (low + high) // 2
        if times[middle] <= limit:
            low = middle
        else:
            high = middle
    return low + 1


@leaf
def spacing(times: Ints, size: int) -> int:
    """The constant distance between the times, or 0 where it is not constant."""
    if size < 2:
        return 0
    distance = times[1] - times[0]
    odd = 0
    for i in range(1, size):
        odd |= (times[i] - times[i - 1]) ^ distance
    return distance if odd == 0 else 0


@leaf
def same_times(times: Ints, size: int, others: Ints, other_size: int) -> bool:
    """Whether two runs have the same times, so that their windows have the same bounds."""
    if size != other_size or size == 0:
        return False
    if times[0] != others[0] or times[size - 1] != others[size - 1]:
        return False
    odd = 0
    for i in range(size):
        odd |= times[i] ^ others[i]
    return odd == 0


@leaf
def count_at_steps(times: Ints, size: int, distance: int, first_limit: int, step: int, counts: Ints) -> None:
    """For every step, how many times are at most `first_limit + i * step`; `distance` is their `spacing`."""
    steps = counts.size
    if distance > 0:
        passed = first_limit - times[0]
        if step % distance == 0:
            first, stride = passed // distance + 1, step // distance
            for i in range(steps):
                counts[i] = min(max(first + i * stride, 0), size)
        else:
            for i in range(steps):
                counts[i] = min(max((passed + i * step) // distance + 1, 0), size)
        return
    known = 0
    for i in range(steps):
        known = count_until(times, size, known, first_limit + i * step)
        counts[i] = known


@leaf
def even_stretch(lows: Ints, highs: Ints, start: int) -> int:
    """The end of the longest stretch of windows from `start` on that move on evenly and keep their size."""
    steps = lows.size
    if start + 1 >= steps:
        return steps
    stride = lows[start + 1] - lows[start]
    if highs[start + 1] - highs[start] != stride:
        return start + 1
    end = start + 2
    while end < steps:
        stop = min(end + 64, steps)
        if count_uneven(lows[end - 1 : stop], stride) + count_uneven(highs[end - 1 : stop], stride) == 0:
            end = stop
            continue
        while lows[end] - lows[end - 1] == stride and highs[end] - highs[end - 1] == stride:
            end += 1
        return end
    return end


@leaf
def count_uneven(bounds: Ints, stride: int) -> int:
    """How often the next bound is not `stride` further on."""
    odd = 0
    for k in range(1, bounds.size):
        odd += bounds[k] - bounds[k - 1] != stride
    return odd


@leaf
def deal(values: Floats, low: int, stride: int, size: int, windows: int, dealt: Floats) -> int:
    """Deal the samples of evenly moving windows like cards, so that what is added together lies together.

    The k-th sample of window i is then `dealt[(k % hands) * length + k // hands + i]`, where `hands` is
    `min(stride, size)`.

    Returns:
        The length of a hand.
    """
    hands = min(stride, size)
    length = windows + (size - 1) // stride
    for hand in range(hands):
        for card in range(length):
            place = low + hand + card * stride
            dealt[hand * length + card] = values[place] if place < values.size else 0.0
    return length


@leaf
def drop_stale(times: Ints, values: Floats, bits: Ints, kept_times: Ints, kept_values: Floats) -> int:
    """Copy what is not a stale marker; -1 (and nothing copied) where there is no marker."""
    size = times.size
    marks = 0
    for i in range(size):
        marks += bits[i] == np.int64(0x7FF0000000000002)
    if marks == 0:
        return -1
    kept = 0
    for i in range(size):
        if bits[i] != np.int64(0x7FF0000000000002):
            kept_times[kept] = times[i]
            kept_values[kept] = values[i]
            kept += 1
    return kept


@leaf
def longest_window(lows: Ints, highs: Ints) -> int:
    """The number of samples in the largest window."""
    longest = 0
    for i in range(lows.size):
        longest = max(longest, highs[i] - lows[i])
    return longest
