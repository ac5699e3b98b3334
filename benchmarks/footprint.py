"""What a server takes: memory, time to start, disk."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import orjson

from benchmarks.expressions import RANGE
from benchmarks.fleet import Fleet
from benchmarks.measuring import ask
from benchmarks.queries import ranges, window
from benchmarks.report import Table, mebibytes, milliseconds
from benchmarks.servers import PROMETHEUS, VEDETTE, VICTORIA, Server, ServerError, disk_bytes, running, wait_until_idle
from benchmarks.session import Session

_MERGED_WITHIN_S: Final = 300
_STARTS: Final = 3
_SMALL_QUERY: Final = "/api/v1/query?query=count(service_up)&nocache=1"


def run_memory(session: Session) -> Iterable[Table]:
    """Memory with the fleet's data."""
    servers, fleet = session.loaded()
    wait_until_idle(servers)
    table = Table(
        "memory",
        f"memory with {fleet.series:,} series x {fleet.steps * 15 / 3600:.0f} h, MiB",
        ("server", "resident", "proportional", "anonymous", "resident after queries", "anonymous after queries"),
    )
    before = {server.name: server.memory_bytes() for server in servers}
    for server in servers:
        connection = server.connect()
        for question in ranges(RANGE, *window(fleet), 60):
            ask(connection, question.path)
        connection.close()
    wait_until_idle(servers)
    for server in servers:
        after = server.memory_bytes()
        figures = (*before[server.name], after[0], after[2])
        table.rows.append((server.name, *map(mebibytes, figures)))
        table.data.append({"server": server.name, "before": before[server.name], "after": after})
    table.notes.append(
        "The queries before may count already. Prometheus maps its blocks: they are resident, but not anonymous."
    )
    yield table


def run_startup(session: Session) -> Iterable[Table]:
    """Time to start, empty and with the fleet's data."""
    table = Table(
        "startup",
        f"from execution until ready, and until the first answer, ms (medians of {_STARTS})",
        ("server", "empty: ready", "empty: answer", "with data: ready", "with data: answer"),
    )
    with running() as servers:
        empty = {server.name: _starts(server) for server in servers}
    servers, _ = session.loaded()
    for server in servers:
        full = _starts(server)
        figures = (*empty[server.name], *full)
        table.rows.append((server.name, *map(milliseconds, figures)))
        table.data.append({"server": server.name, "seconds": figures})
    table.notes.append("Vedette's machine code is in its cache: compiling it once after installation is not counted.")
    yield table


def run_disk(session: Session) -> Iterable[Table]:
    """Bytes per sample; restarts Vedette."""
    servers, fleet = session.loaded()
    table = Table(
        "disk",
        f"disk with {fleet.samples:,} samples, all merged",
        ("what", "MiB", "bytes per sample"),
    )
    by_name = {server.name: server for server in servers}
    for what, size in (
        *_vedette_disk(by_name[VEDETTE]),
        *_victoria_disk(by_name[VICTORIA]),
        *_prometheus_disk(by_name[PROMETHEUS], fleet),
    ):
        table.rows.append((what, mebibytes(size), f"{size / fleet.samples:.2f}"))
        table.data.append({"what": what, "bytes": size, "samples": fleet.samples})
    yield table


def _starts(server: Server) -> tuple[float, float]:
    ready: list[float] = []
    answered: list[float] = []
    for _ in range(_STARTS):
        server.stop()
        began_s = time.perf_counter()
        server.start()
        ready.append(server.started_s)
        ask(server.connect(), _SMALL_QUERY)
        answered.append(time.perf_counter() - began_s)
    return sorted(ready)[_STARTS // 2], sorted(answered)[_STARTS // 2]


_OPTIMIZE: Final = """
import sys
from pathlib import Path
from vedette.store.engine import ChdbEngine, EngineSettings
engine = ChdbEngine(Path(sys.argv[1]), EngineSettings(memory_bytes=2 << 30, query_memory_bytes=1 << 30))
try:
    for table in ("samples", "series"):
        engine.execute(f"OPTIMIZE TABLE {table} FINAL")
    parts = "SELECT table, sum(bytes_on_disk) AS bytes, count() AS parts FROM system.parts WHERE active GROUP BY table"
    columns = "SELECT table, name, data_compressed_bytes AS bytes FROM system.columns WHERE table = 'samples'"
    print(__import__("json").dumps([engine.query(parts).to_pylist(), engine.query(columns).to_pylist()]))
finally:
    engine.close()
"""


def _vedette_disk(server: Server) -> list[tuple[str, float]]:
    wait_until_idle([server])
    before = disk_bytes(server.data)
    server.stop()
    done = subprocess.run(
        [sys.executable, "-c", _OPTIMIZE, str(server.data / "engine")],
        capture_output=True,
        timeout=_MERGED_WITHIN_S,
        check=False,
    )
    server.start()
    if done.returncode:
        raise ServerError(f"merging failed: {done.stderr[-2000:].decode(errors='replace')}")
    parts, columns = orjson.loads(done.stdout.splitlines()[-1])
    sizes = {row["table"]: row["bytes"] for row in parts}
    found = [("Vedette, tables of samples and series", float(sizes["samples"] + sizes["series"]))]
    found += [(f"  of it samples.{row['name']}", float(row["bytes"])) for row in columns]
    return [*found, ("Vedette, its whole folder before the final merge", float(before))]


def _victoria_disk(server: Server) -> list[tuple[str, float]]:
    before = disk_bytes(server.data)
    connection = server.connect()
    ask(connection, "/internal/force_flush")
    ask(connection, "/internal/force_merge")
    wait_until_idle([server], within_s=_MERGED_WITHIN_S)
    connection.close()
    return [
        ("VictoriaMetrics, data and index", float(disk_bytes(server.data / "data") + _size(server.data / "indexdb"))),
        ("VictoriaMetrics, its whole folder before", float(before)),
    ]


def _prometheus_disk(server: Server, fleet: Fleet) -> list[tuple[str, float]]:
    whole = disk_bytes(server.data)
    connection = server.connect()
    connection.request("POST", "/api/v1/admin/tsdb/snapshot")
    answer = orjson.loads(connection.getresponse().read())
    connection.close()
    if answer["status"] != "success":
        raise ServerError(f"Prometheus' snapshot of {fleet.samples} samples: {answer}")
    snapshot = disk_bytes(server.data / "snapshots" / answer["data"]["name"])
    wal = _size(server.data / "wal")
    return [
        ("Prometheus, all as blocks (its snapshot)", float(snapshot)),
        ("Prometheus, its folder as it stands, with the WAL", float(whole)),
        ("  of it the WAL", float(wal)),
    ]


def _size(folder: Path) -> int:
    return disk_bytes(folder) if folder.exists() else 0
