"""Remote-write: how many samples per second a server accepts, from bodies that were made before.

One server at a time, by turns. The sender only moves bytes; its CPU seconds are in the results.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from benchmarks.fleet import Fleet
from benchmarks.loading import encode_body, post
from benchmarks.report import Table, ratio
from benchmarks.servers import NAMES, VEDETTE, Server, running
from benchmarks.session import Session, recent_fleet
from vedette.wire.remote_write import encode_labels_v1

_SERIES: Final = 10_000
_PER_BODY: Final = 2_000
"""Prometheus' own senders put so many samples in a request; one of each series."""
_TURNS: Final = 3
_SECONDS: Final = 15.0

_Bodies = list[tuple[bytes, int]]


def run(session: Session) -> Iterable[Table]:
    """All figures in one table."""
    hours = 0.1 if session.quick else 0.5
    fleet = recent_fleet(_SERIES, hours)
    turns = 1 if session.quick else _TURNS
    table = Table(
        "remote_write",
        f"remote-write, {_PER_BODY:,} samples in a request, samples/s",
        ("server, senders", "accepted/s", "Vedette / it", "CPU s per M samples", "requests/s"),
    )
    for senders in (1, 4, 16):
        queues = [_bodies(fleet, part, senders) for part in range(senders)]
        rates: dict[str, list[tuple[float, float]]] = {name: [] for name in NAMES}
        for _ in range(turns):
            for name in NAMES:
                with running([name]) as [server]:
                    rates[name].append(_push(server, queues))
        own = statistics.median(rate for rate, _ in rates[VEDETTE])
        for name in NAMES:
            rate = statistics.median(rate for rate, _ in rates[name])
            cpu_s = statistics.median(cpu for _, cpu in rates[name])
            table.rows.append(
                (
                    f"{name}, {senders}",
                    f"{rate:,.0f}",
                    ratio(own, rate),
                    f"{cpu_s * 1e6:.2f}",
                    f"{rate / _PER_BODY:,.0f}",
                )
            )
            table.data.append({"server": name, "senders": senders, "rates": rates[name]})
        session.say(f"{senders} senders: done")
    table.notes.append("Vedette answers once the samples are on the disk (fsync); the others answer before that.")
    yield table


def _bodies(fleet: Fleet, part: int, parts: int) -> _Bodies:
    """Requests with a share of the series in the order of time, and how many samples each holds."""
    heads = [encode_labels_v1(labels) for labels in fleet.labels]
    steps = max(1, _PER_BODY * parts // _SERIES)
    pieces = fleet.runs(steps_each=steps, series_each=_PER_BODY // steps, part=part, parts=parts)
    return [(encode_body(heads[piece.first : piece.after], piece.runs), len(piece.runs.times)) for piece in pieces]


def _push(server: Server, queues: list[_Bodies]) -> tuple[float, float]:
    """Samples per second, and CPU seconds of the server per sample; new series are made before that."""
    senders = len(queues)
    warm_up = -(-_SERIES // senders // _PER_BODY)

    def send(bodies: _Bodies) -> int:
        connection = server.connect()
        sent = 0
        for body, samples in bodies:
            if time.monotonic() > deadline_s:
                break
            post(connection, body)
            sent += samples
        connection.close()
        return sent

    with ThreadPoolExecutor(senders) as pool:
        deadline_s = time.monotonic() + _SECONDS
        list(pool.map(send, [bodies[:warm_up] for bodies in queues]))
        deadline_s = time.monotonic() + _SECONDS
        began_s, cpu_s = time.perf_counter(), server.cpu_s()
        sent = sum(pool.map(send, [bodies[warm_up:] for bodies in queues]))
        elapsed_s = time.perf_counter() - began_s
    return sent / elapsed_s, (server.cpu_s() - cpu_s) / sent
