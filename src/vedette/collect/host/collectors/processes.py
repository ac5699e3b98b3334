"""How many processes and threads there are, and what they are doing: /proc/<pid>/stat.

This is the one collector whose cost grows with the machine's load: some 15 microseconds a process. It
keeps to one hundredth of a core: after a round that took 20 ms it repeats its numbers for two seconds.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from vedette.collect.host.kernel_files import read_bytes, read_number
from vedette.collect.host.rows import Family, RowTable
from vedette.collect.host.settings import HostSettings
from vedette.model.samples import MetricType

THREADS: Final = Family("node_processes_threads", MetricType.GAUGE, "Allocated threads in system")
MAX_THREADS: Final = Family("node_processes_max_threads", MetricType.GAUGE, "Limit of threads in the system")
STATE: Final = Family("node_processes_state", MetricType.GAUGE, "Number of processes in each state.", ("state",))
THREADS_STATE: Final = Family(
    "node_processes_threads_state", MetricType.GAUGE, "Number of threads in each state.", ("thread_state",)
)
PIDS: Final = Family("node_processes_pids", MetricType.GAUGE, "Number of PIDs")
MAX_PROCESSES: Final = Family("node_processes_max_processes", MetricType.GAUGE, "Number of max PIDs limit")

_REST: Final = 100
"""A round that took t is followed by a rest of this many times t."""

_STATE_FIELD: Final = 0
_THREADS_FIELD: Final = 17


@dataclass(slots=True)
class _Census:
    pids: int = 0
    threads: int = 0
    states: Counter[str] = field(default_factory=Counter[str])
    thread_states: Counter[str] = field(default_factory=Counter[str])


class ProcessesCollector:
    """Counts processes and threads by state."""

    def __init__(self, settings: HostSettings) -> None:
        self._proc = settings.options.procfs
        self._max_threads = settings.proc("sys", "kernel", "threads-max")
        self._max_processes = settings.proc("sys", "kernel", "pid_max")
        self._census = _Census()
        self._due_s = 0.0

    def collect(self, rows: RowTable) -> None:
        """Add this round's samples."""
        started_s = time.monotonic()
        if started_s >= self._due_s:
            self._census = self._count()
            finished_s = time.monotonic()
            self._due_s = finished_s + _REST * (finished_s - started_s)
        census = self._census
        rows.put(THREADS, census.threads)
        rows.put(PIDS, census.pids)
        for state, count in census.states.items():
            rows.put(STATE, count, (state,))
        for state, count in census.thread_states.items():
            rows.put(THREADS_STATE, count, (state,))
        rows.put(MAX_THREADS, read_number(self._max_threads))
        rows.put(MAX_PROCESSES, read_number(self._max_processes))

    def _count(self) -> _Census:
        census = _Census()
        for pid in os.listdir(self._proc):  # noqa: PTH208 - names are wanted, not Path objects
            if not pid.isdigit():
                continue
            directory = f"{self._proc}/{pid}"
            fields = _stat_fields(f"{directory}/stat")
            if len(fields) <= _THREADS_FIELD:
                continue  # it ended in between
            state = fields[_STATE_FIELD].decode("ascii", "replace")
            threads = int(fields[_THREADS_FIELD])
            census.pids += 1
            census.threads += threads
            census.states[state] += 1
            if threads == 1:
                census.thread_states[state] += 1
            else:
                census.thread_states.update(_thread_states(f"{directory}/task"))
        return census


def _thread_states(tasks: str) -> list[str]:
    try:
        names = os.listdir(tasks)  # noqa: PTH208 - as above
    except OSError:
        return []
    fields = [_stat_fields(f"{tasks}/{name}/stat") for name in names]
    return [values[_STATE_FIELD].decode("ascii", "replace") for values in fields if values]


def _stat_fields(path: str) -> list[bytes]:
    """The fields after the command's name, which may itself hold blanks and brackets."""
    try:
        content = read_bytes(path)
    except OSError:
        return []
    return content[content.rfind(b")") + 1 :].split()
