from __future__ import annotations

import os
import threading

from vedette.collect.host.statvfs import MAX_STUCK, StatvfsReader

ROOT = os.statvfs("/")


class Mounts:
    """File systems of which some hang until they are let go."""

    def __init__(self, *hanging: str) -> None:
        self.hanging = set(hanging)
        self.release = threading.Event()
        self.asked: list[str] = []

    def statvfs(self, path: str) -> os.statvfs_result:
        self.asked.append(path)
        if path in self.hanging:
            self.release.wait()
        if path == "/gone":
            raise FileNotFoundError(path)
        return ROOT


def test_a_hung_mount_is_an_error_and_the_others_answer() -> None:
    mounts = Mounts("/nfs")
    reader = StatvfsReader(timeout_s=0.05, statvfs=mounts.statvfs)

    answers = reader.read(["/", "/nfs", "/data", "/gone"])

    assert answers["/"] is ROOT
    assert answers["/data"] is ROOT
    assert isinstance(answers["/nfs"], TimeoutError)
    assert isinstance(answers["/gone"], FileNotFoundError)
    mounts.release.set()
    reader.close()


def test_a_hung_mount_is_not_asked_again_until_it_answered() -> None:
    mounts = Mounts("/nfs")
    reader = StatvfsReader(timeout_s=0.05, statvfs=mounts.statvfs)
    reader.read(["/nfs"])
    worker = next(thread for thread in threading.enumerate() if thread.name == "vedette-statvfs")

    while_hung = reader.read(["/nfs", "/"])
    asked_while_hung = mounts.asked.count("/nfs")
    mounts.hanging.clear()
    mounts.release.set()
    worker.join()
    afterwards = reader.read(["/nfs", "/"])

    assert isinstance(while_hung["/nfs"], TimeoutError)
    assert while_hung["/"] is ROOT
    assert asked_while_hung == 1
    assert afterwards["/nfs"] is ROOT
    reader.close()


def test_threads_left_behind_are_bounded() -> None:
    paths = [f"/nfs{n}" for n in range(MAX_STUCK + 10)]
    mounts = Mounts(*paths)
    reader = StatvfsReader(timeout_s=0.01, statvfs=mounts.statvfs)
    before = threading.active_count()

    answers = reader.read(paths)

    assert all(isinstance(answers[path], TimeoutError) for path in paths)
    assert threading.active_count() - before <= MAX_STUCK
    mounts.release.set()
    reader.close()
