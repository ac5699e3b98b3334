"""A server whose disk really fills up: it refuses pushes, answers queries, and goes on by itself when there is room."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from harness.exposition_server import ExpositionServer
from harness.pushing import push_samples
from harness.vedette_server import QUIET, Servers, VedetteServer, eventually

DISK_MIB = 128


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(disk)]
    if mount is None or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("mounting a file system needs root")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path, *, leave_bytes: int) -> Path:
    """Take all room but so much."""
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        while (room := shutil.disk_usage(disk).free - leave_bytes) > 0:
            try:
                file.write(bytes(min(room, 1 << 20)))
                file.flush()
            except OSError:
                break
    return ballast


class Pusher:
    """Sends numbered samples of one series and remembers what was acknowledged."""

    def __init__(self, server: VedetteServer) -> None:
        self._server = server
        self._first_ms = time.time_ns() // 1_000_000
        self._count = 0
        self.acknowledged: dict[int, float] = {}

    def push(self, *, again: bool = False) -> httpx.Response:
        self._count += not again
        time_ms = self._first_ms + self._count
        response = push_samples(self._server.client, "pushed", [(time_ms, self._count)])
        if response.is_success:
            self.acknowledged[time_ms] = float(self._count)
        return response

    def refusal(self) -> httpx.Response | None:
        """The answer to one more sample, if it is refused."""
        response = self.push()
        return None if response.is_success else response

    def missing(self) -> dict[int, float]:
        (samples,) = self._server.samples("pushed", time=f"{time.time() + 60:.3f}").values()
        found = [(round(time_s * 1000), float(value)) for time_s, value in samples]
        assert len(dict(found)) == len(found)
        return dict(self.acknowledged.items() - dict(found).items())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reserve", "left_bytes"),
    [
        pytest.param("16MB", 8 << 20, id="less than the reserve is left"),
        pytest.param("0B", 0, id="nothing at all is left"),
    ],
)
def test_a_full_disk_refuses_pushes_for_a_while_and_loses_nothing(
    servers: Servers, small_disk: Path, target: ExpositionServer, reserve: str, left_bytes: int
) -> None:
    target.show("level 7\n")
    servers.folder = small_disk
    server = servers.start(
        f"{QUIET}\nstorage: {{disk_reserve: {reserve}}}\n"
        "scrape_configs:\n  - job_name: shop\n    scrape_interval: 250ms\n    scrape_timeout: 250ms\n"
        f"    static_configs: [{{targets: ['{target.address}']}}]\n"
    )
    pusher = Pusher(server)
    assert pusher.push().status_code == 204
    eventually(lambda: server.value("level") == 7)

    ballast = fill(small_disk, leave_bytes=left_bytes)
    refusal = eventually(pusher.refusal)

    assert refusal.status_code == 503
    assert float(refusal.headers["Retry-After"]) > 0
    assert pusher.push().status_code == 503
    assert server.value("level") == 7, "queries go on, and see what is scraped meanwhile"
    assert len(server.query("pushed[1h]", time=f"{time.time() + 60:.3f}")) == 1
    assert (server.metric("vedette_commit_failures_total") or 0) > 0
    target.show("level 8\n")
    eventually(lambda: server.value("level") == 8)

    ballast.unlink()
    eventually(lambda: pusher.push(again=True).is_success)

    assert not pusher.missing()
    expected = ["rows cannot be stored"]
    assert server.events("rows cannot be stored")
    assert server.events("rows are stored again")
    server.stop(expected=expected)
    server.start()
    assert not pusher.missing()
    assert server.query("level[1h]"), "what was scraped while the disk was full is kept too"
    server.stop(expected=expected)


@pytest.mark.slow
def test_a_server_stopped_and_started_on_a_full_disk_says_why_it_cannot_and_starts_when_it_can(
    servers: Servers, small_disk: Path
) -> None:
    servers.folder = small_disk
    server = servers.start(f"{QUIET}\nstorage: {{disk_reserve: 0B}}\n")
    pusher = Pusher(server)
    assert pusher.push().status_code == 204
    server.stop()

    ballast = fill(small_disk, leave_bytes=0)
    server.start(wait=False)
    assert server.wait() not in (0, -6, -11)
    assert "No space left on device" in server.log_end()
    assert not [line for line in server.log_end().splitlines() if line.startswith("Traceback")]

    ballast.unlink()
    server.start()
    assert not pusher.missing()
    server.stop()
