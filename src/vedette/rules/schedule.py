"""When a rule group is due: at its own place in the interval, the same after every restart.

Groups are spread over the interval by their names, so that not all of them are evaluated in the same moment. Rounds
that took too long are not made up for; they are counted as missed.
"""

from __future__ import annotations

from dataclasses import dataclass

import xxhash


@dataclass(frozen=True, slots=True)
class Round:
    """One evaluation of a group.

    Attributes:
        at_ms: the time at which rules are evaluated; it may lie a little in the past when the evaluation begins.
        missed: how many rounds before it were not held.
    """

    at_ms: int
    missed: int = 0


def offset_of(key: str, interval_ms: int) -> int:
    """A group's place in the interval, in milliseconds."""
    return xxhash.xxh3_64_intdigest(key.encode("utf-8", "surrogatepass")) % interval_ms


def next_round(last_ms: int | None, *, now_ms: int, interval_ms: int, offset_ms: int) -> Round:
    """The round to hold next.

    Args:
        last_ms: time of the last one; None before the first.
        now_ms: the time.
        interval_ms: how often.
        offset_ms: the group's place in the interval.
    """
    last_slot_ms = (now_ms - offset_ms) // interval_ms * interval_ms + offset_ms
    clock_set_back = last_ms is not None and last_ms > now_ms + interval_ms
    if last_ms is None or clock_set_back:
        return Round(last_slot_ms + interval_ms)
    missed = max(0, (now_ms - last_ms) // interval_ms - 1)
    return Round(last_ms + (missed + 1) * interval_ms, missed)
