"""Other projects' programs, as processes on loopback ports: Prometheus, vmagent, node_exporter, promtool."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.vedette_server import PATIENCE_S, STOP_WITHIN_S, eventually


@dataclass(frozen=True, slots=True)
class Peer:
    """A running program.

    Attributes:
        url: where it listens, without a slash at the end.
        log: what it writes.
    """

    url: str
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        """Host and port."""
        return self.url.removeprefix("http://")

    def stop(self) -> None:
        """Ask it to end, and wait: it sends what it still has."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(STOP_WITHIN_S)

    def query(self, expr: str, **parameters: Any) -> list[dict[str, Any]]:
        """The result of an instant query, of those that answer PromQL."""
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": expr, **parameters}, timeout=PATIENCE_S)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]["result"]


def find(program: str, package: str) -> str:
    """A program's path; without it, the test is skipped."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"there is no `{program}` on the path (Debian: apt install {package})")
    return path


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextmanager
def run_peer(command: Sequence[str], port: int, log: Path, *, ready: str) -> Generator[Peer]:
    """A program for as long as the block lasts.

    Args:
        command: how to start it.
        port: where it will listen.
        log: where it writes.
        ready: path that it answers when it is ready.
    """
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        peer = Peer(f"http://127.0.0.1:{port}", log, process)

        def is_ready() -> bool:
            if process.poll() is not None:
                raise AssertionError(f"{command[0]} has ended:\n{log.read_text(errors='replace')[-2000:]}")
            try:
                return httpx.get(peer.url + ready).is_success
            except httpx.TransportError:
                return False

        try:
            eventually(is_ready, what=f"{command[0]} is not ready")
            yield peer
        finally:
            process.kill()


@contextmanager
def run_prometheus(folder: Path, config: str) -> Generator[Peer]:
    """A Prometheus with an empty store."""
    program, port = find("prometheus", "prometheus"), free_port()
    folder.mkdir()
    (folder / "prometheus.yml").write_text(config)
    command = [
        program,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--storage.remote.flush-deadline=20s",
    ]
    with run_peer(command, port, folder / "log", ready="/-/ready") as peer:
        yield peer


@contextmanager
def run_vmagent(folder: Path, config: str, write_url: str) -> Generator[Peer]:
    """A vmagent that scrapes and pushes."""
    program, port = find("vmagent", "victoria-metrics"), free_port()
    folder.mkdir()
    (folder / "scrape.yml").write_text(config)
    command = [
        program,
        f"-promscrape.config={folder / 'scrape.yml'}",
        f"-remoteWrite.url={write_url}",
        f"-remoteWrite.tmpDataPath={folder / 'data'}",
        "-remoteWrite.flushInterval=200ms",
        f"-httpListenAddr=127.0.0.1:{port}",
    ]
    with run_peer(command, port, folder / "log", ready="/health") as peer:
        yield peer


@contextmanager
def run_node_exporter(folder: Path) -> Generator[Peer]:
    """Debian's node exporter."""
    program, port = find("prometheus-node-exporter", "prometheus-node-exporter"), free_port()
    folder.mkdir()
    command = [program, f"--web.listen-address=127.0.0.1:{port}"]
    with run_peer(command, port, folder / "log", ready="/") as peer:
        yield peer


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run promtool."""
    command = [find("promtool", "prometheus"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


@contextmanager
def run_alertmanager(folder: Path, config: str, *arguments: str) -> Generator[Peer]:
    """Debian's Alertmanager with an empty store."""
    program, port = find("prometheus-alertmanager", "prometheus-alertmanager"), free_port()
    folder.mkdir()
    (folder / "alertmanager.yml").write_text(config)
    command = [
        program,
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        *arguments,
    ]
    with run_peer(command, port, folder / "log", ready="/-/ready") as peer:
        yield peer
