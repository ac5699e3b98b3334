"""Ask several servers the same by turns, take medians, and see whether their answers agree."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any, Final
from urllib.parse import urlencode

import numpy as np
import orjson
from numpy.typing import NDArray

from benchmarks.servers import Server, ServerError

_MOST_ROUNDS: Final = 201
_MOMENTS_S: Final = 0.3


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: of an instant where `step_s` is 0."""

    query: str
    start_ms: int
    end_ms: int
    step_s: int = 0

    @property
    def path(self) -> str:
        """The request."""
        if not self.step_s:
            fields = {"query": self.query, "time": f"{self.end_ms / 1000:.3f}"}
            return f"/api/v1/query?{urlencode(fields)}&nocache=1"
        fields = {
            "query": self.query,
            "start": f"{self.start_ms / 1000:.3f}",
            "end": f"{self.end_ms / 1000:.3f}",
            "step": str(self.step_s),
        }
        return f"/api/v1/query_range?{urlencode(fields)}&nocache=1"


@dataclass(slots=True)
class Timing:
    """How long a server took.

    Attributes:
        first_s: for the first time of all.
        times_s: warm; each until the last byte of the answer was read.
        answer_bytes: size of the answer.
    """

    first_s: float = math.nan
    times_s: list[float] = field(default_factory=list[float])
    answer_bytes: int = 0

    @property
    def median_s(self) -> float:
        """Of the warm times."""
        return statistics.median(self.times_s) if self.times_s else math.nan


def ask(connection: HTTPConnection, path: str) -> tuple[float, bytes]:
    """Seconds until the whole answer was read, and the answer.

    Raises:
        ServerError: it is an error.
    """
    began_s = time.perf_counter()
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    took_s = time.perf_counter() - began_s
    if response.status != 200:
        raise ServerError(f"{path}\n{response.status}: {body[:500].decode(errors='replace')}")
    return took_s, body


def compare(servers: Sequence[Server], question: Question, *, rounds: int, seconds: float) -> dict[str, Timing]:
    """Time a question on each server by turns.

    Args:
        servers: whom to ask.
        question: what.
        rounds: how often each, after one that counts as the first; what is answered within moments is asked more
            often, because its time is mostly what else the machine has in its caches.
        seconds: no further round once this has passed, but for three.
    """
    connections = {server.name: server.connect() for server in servers}
    timings = {server.name: Timing() for server in servers}
    began_s = time.monotonic()
    try:
        for name, connection in connections.items():
            timings[name].first_s, body = ask(connection, question.path)
            timings[name].answer_bytes = len(body)
        for number in range(_MOST_ROUNDS):
            passed_s = time.monotonic() - began_s
            if (number >= 3 and passed_s > seconds) or (number >= rounds and passed_s > _MOMENTS_S):
                break
            for name, connection in connections.items():
                timings[name].times_s.append(ask(connection, question.path)[0])
    except (OSError, HTTPException) as exc:
        raise ServerError(f"{question.query}: {exc!r}") from exc
    finally:
        for connection in connections.values():
            connection.close()
    return timings


def answers(servers: Sequence[Server], question: Question) -> dict[str, dict[str, Any]]:
    """Each server's answer as parsed JSON."""
    found: dict[str, dict[str, Any]] = {}
    for server in servers:
        connection = server.connect()
        found[server.name] = orjson.loads(ask(connection, question.path)[1])["data"]
        connection.close()
    return found


def difference(one: dict[str, Any], other: dict[str, Any]) -> tuple[str, float, float]:
    """How two answers differ: in which series or points (empty if in none), the median relative difference, the worst.

    NaN equals NaN. Metric names do not count: VictoriaMetrics keeps those of `max_over_time` and others.
    """
    left, right = _points(one), _points(other)
    if left.keys() != right.keys():
        return f"{len(left)} and {len(right)} series, {len(left.keys() & right.keys())} of them in both", 1.0, 1.0
    parts: list[NDArray[np.float64]] = []
    missing = total = 0
    for labels, (times, values) in left.items():
        other_times, other_values = right[labels]
        total += len(times)
        _, mine, others = np.intersect1d(times, other_times, assume_unique=True, return_indices=True)
        missing += len(times) + len(other_times) - 2 * len(mine)
        a, b = values[mine], other_values[others]
        with np.errstate(all="ignore"):
            apart = np.abs(a - b) / np.maximum(np.maximum(np.abs(a), np.abs(b)), 1e-300)
        apart[(a == b) | (np.isnan(a) & np.isnan(b))] = 0
        parts.append(np.nan_to_num(apart, nan=1.0))
    apart = np.concatenate(parts) if parts else np.zeros(0)
    remark = f"{missing} of {total} points are in one only" if missing else ""
    return remark, float(np.median(apart)) if apart.size else 0.0, float(apart.max()) if apart.size else 0.0


def _points(data: dict[str, Any]) -> dict[frozenset[tuple[str, str]], tuple[NDArray[np.float64], NDArray[np.float64]]]:
    found: dict[frozenset[tuple[str, str]], tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
    for row in data["result"]:
        pairs = row.get("values") or [row["value"]]
        times = np.array([float(pair[0]) for pair in pairs])
        labels = frozenset(pair for pair in row["metric"].items() if pair[0] != "__name__")
        found[labels] = times, np.array([float(pair[1]) for pair in pairs])
    return found
