"""Share the work of one query among threads.

The caller's thread takes part, and what the executor has not begun when the caller is done, the caller does
too: a query never waits for a thread that another query holds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from itertools import pairwise
from typing import TypeVar

import numpy as np

_Result = TypeVar("_Result")


def run_all(tasks: Sequence[Callable[[], _Result]], executor: Executor | None) -> list[_Result]:
    """The tasks' results in their order. The first error is raised, once no task runs any more."""
    if executor is None or len(tasks) < 2:
        return [_quiet(task) for task in tasks]
    futures: list[Future[_Result]] = [executor.submit(_quiet, task) for task in tasks[1:]]
    results: list[_Result] = []
    try:
        results.append(_quiet(tasks[0]))
        for task, future in zip(tasks[1:], futures, strict=True):
            results.append(_quiet(task) if future.cancel() else future.result())
    finally:
        for future in futures:
            if not future.cancel():
                future.exception()
    return results


def split(size: int, parts: int, *, multiple: int = 1) -> list[tuple[int, int]]:
    """`parts` ranges (or fewer) of about equal length that cover `range(size)`, cut at multiples."""
    units = -(-size // multiple)
    parts = max(1, min(parts, units))
    cuts = [min(units * part // parts * multiple, size) for part in range(parts + 1)]
    return [(low, high) for low, high in pairwise(cuts) if high > low]


def _quiet(task: Callable[[], _Result]) -> _Result:
    # Infinities and NaN are answers here; the setting belongs to the thread.
    with np.errstate(all="ignore"):
        return task()
