"""Ask file systems how full they are without ever hanging.

A network mount whose server is gone blocks `statvfs` for good, and a thread in that state cannot even
be interrupted. So the question is asked on a daemon thread: one that does not answer in time is left
behind, its mount is not asked again until it does, and the next thread takes over.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Final

_IMPATIENCE: Final = 10
"""After the first mount that hangs, the others of the round get this much less time each."""

MAX_STUCK: Final = 64
"""So many threads are left behind at most; further mounts are then reported as not answering."""


class StatvfsReader:
    """Reads many mounts at a time; not for use by several threads at once."""

    def __init__(self, *, timeout_s: float, statvfs: Callable[[str], os.statvfs_result] | None = None) -> None:
        self._timeout_s = timeout_s
        self._statvfs = statvfs or os.statvfs
        self._worker: _Worker | None = None
        self._stuck: dict[str, _Worker] = {}

    def read(self, paths: Sequence[str]) -> Mapping[str, os.statvfs_result | OSError]:
        """What each path's file system says; a `TimeoutError` where it does not answer."""
        self._stuck = {path: worker for path, worker in self._stuck.items() if worker.is_alive()}
        answers: dict[str, os.statvfs_result | OSError] = {
            path: TimeoutError(f"{path} does not answer") for path in self._stuck
        }
        pending: list[str] = [path for path in paths if path not in answers]
        timeout_s = self._timeout_s
        while pending:
            if len(self._stuck) >= MAX_STUCK:
                answers.update({path: TimeoutError("too many mounts do not answer") for path in pending})
                break
            if self._worker is None:
                self._worker = _Worker(self._statvfs)
                self._worker.start()
            errand = _Errand(pending)
            self._worker.errands.put(errand)
            if errand.finished.wait(timeout_s):
                answers.update(errand.answers)
                break
            answers.update(errand.abandon())
            pending = [path for path in pending if path not in answers]
            if pending:
                hung = pending.pop(0)
                self._stuck[hung] = self._worker
                answers[hung] = TimeoutError(f"{hung} does not answer")
            self._worker = None
            timeout_s = self._timeout_s / _IMPATIENCE
        return answers

    def close(self) -> None:
        """End the idle thread; threads that hang end when their mount answers, or with the process."""
        if self._worker is not None:
            self._worker.errands.put(None)
            self._worker.join(self._timeout_s)
            self._worker = None


class _Errand:
    """Paths to ask, in order, and what has been answered so far."""

    def __init__(self, paths: Sequence[str]) -> None:
        self.paths = tuple(paths)
        self.answers: dict[str, os.statvfs_result | OSError] = {}
        self.abandoned = False
        self.finished = threading.Event()
        self._lock = threading.Lock()

    def answer(self, path: str, answer: os.statvfs_result | OSError) -> bool:
        """Note an answer; False where nobody waits for it any more."""
        with self._lock:
            if not self.abandoned:
                self.answers[path] = answer
            return not self.abandoned

    def abandon(self) -> Mapping[str, os.statvfs_result | OSError]:
        """Stop waiting; what was answered until now."""
        with self._lock:
            self.abandoned = True
            return self.answers


class _Worker(threading.Thread):
    """Runs errands until one is abandoned."""

    def __init__(self, statvfs: Callable[[str], os.statvfs_result]) -> None:
        super().__init__(name="vedette-statvfs", daemon=True)
        self.errands: queue.SimpleQueue[_Errand | None] = queue.SimpleQueue()
        self._ask = statvfs

    def run(self) -> None:
        """Ask one path after the other."""
        while (errand := self.errands.get()) is not None:
            for path in errand.paths:
                try:
                    answer: os.statvfs_result | OSError = self._ask(path)
                except OSError as exc:
                    answer = exc
                if not errand.answer(path, answer):
                    return
            errand.finished.set()
