"""The servers that are compared: each in a temporary folder, on a loopback port, ended whatever happens."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import psutil

VEDETTE: Final = "Vedette"
PROMETHEUS: Final = "Prometheus"
VICTORIA: Final = "VictoriaMetrics"
NAMES: Final = (VEDETTE, VICTORIA, PROMETHEUS)

_READY_WITHIN_S: Final = 300
_STOP_WITHIN_S: Final = 60
_PAUSE_S: Final = 0.005

_QUIET_VEDETTE: Final = "host: {enabled: false}\nself: {enabled: false}\n"


class ServerError(Exception):
    """A server does not start or does not answer; the text has the end of its log."""


@dataclass(slots=True)
class Server:
    """One server and its folder.

    Attributes:
        name: as the tables call it.
        folder: holds its data, its configuration and its log.
        port: on 127.0.0.1, the same after a restart.
        command: how to start it.
        data: where its data are.
        started_s: how long the last start took, from its execution until it said it was ready.
    """

    name: str
    folder: Path
    port: int
    command: Sequence[str]
    data: Path
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    _log: Path = field(init=False)

    def __post_init__(self) -> None:
        self._log = self.folder / "log"

    def start(self) -> None:
        """Start and wait until it is ready.

        Raises:
            ServerError: it is not.
        """
        began_s = time.perf_counter()
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, cwd=self.folder)
        while time.perf_counter() - began_s < _READY_WITHIN_S and self.process.poll() is None:
            if self._is_ready():
                self.started_s = time.perf_counter() - began_s
                return
            time.sleep(_PAUSE_S)
        raise ServerError(f"{self.name} did not start; its log ends:\n{self.log_end()}")

    def stop(self) -> None:
        """End it as a supervisor would, or at once where that takes too long."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(_STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()

    def cpu_s(self) -> float:
        """CPU seconds used so far."""
        if self.process is None:
            return 0.0
        times = psutil.Process(self.process.pid).cpu_times()
        return times.user + times.system

    def memory_bytes(self) -> tuple[int, int, int]:
        """Resident memory, its proportional share, and what of it is neither shared nor backed by a file."""
        if self.process is None:
            return 0, 0, 0
        found: dict[str, int] = {}
        for line in Path(f"/proc/{self.process.pid}/smaps_rollup").read_text().splitlines()[1:]:
            key, value = line.split(":")
            found[key] = int(value.split()[0]) * 1024
        return found["Rss"], found["Pss"], found["Anonymous"]

    def log_end(self) -> str:
        """The end of its log."""
        return self._log.read_text(errors="replace")[-3000:]

    def connect(self, timeout_s: float = 300) -> HTTPConnection:
        """A connection that is kept between requests."""
        return HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)

    def _is_ready(self) -> bool:
        connection = self.connect(timeout_s=10)
        try:
            connection.request("GET", "/health" if self.name == VICTORIA else "/-/ready")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


def vedette(folder: Path, config: str = "") -> Server:
    """Vedette, which watches nothing by itself."""
    port = free_port()
    (folder / "vedette.yml").write_text(_QUIET_VEDETTE + config)
    data = folder / "data"
    program = [str(Path(sys.executable).parent / "vedette"), "up"]
    command = [*program, "--data", str(data), "--config", "vedette.yml", "--listen", f"127.0.0.1:{port}"]
    return Server(VEDETTE, folder, port, command, data)


def prometheus(folder: Path, config: str = "") -> Server:
    """Prometheus, with the receiver for remote-write."""
    port = free_port()
    (folder / "prometheus.yml").write_text(config or "global: {scrape_interval: 1m}\n")
    data = folder / "data"
    command = [
        _binary("prometheus"),
        "--config.file=prometheus.yml",
        f"--storage.tsdb.path={data}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-remote-write-receiver",
        "--web.enable-admin-api",
        "--log.level=warn",
    ]
    return Server(PROMETHEUS, folder, port, command, data)


def victoria(folder: Path, config: str = "") -> Server:
    """VictoriaMetrics, without its cache of responses and without hiding the newest half minute."""
    port = free_port()
    data = folder / "data"
    command = [
        _binary("victoria-metrics"),
        f"-storageDataPath={data}",
        f"-httpListenAddr=127.0.0.1:{port}",
        "-search.disableCache",
        "-search.latencyOffset=1ms",
        "-retentionPeriod=12",
        "-loggerLevel=WARN",
    ]
    if config:
        (folder / "scrape.yml").write_text(config)
        command.append("-promscrape.config=scrape.yml")
    return Server(VICTORIA, folder, port, command, data)


MAKERS: Final = {VEDETTE: vedette, VICTORIA: victoria, PROMETHEUS: prometheus}


@contextmanager
def running(names: Sequence[str] = NAMES, configs: dict[str, str] | None = None) -> Generator[list[Server]]:
    """These servers with empty stores, until the block is left; their data are deleted then.

    Args:
        names: which.
        configs: what to add to Vedette's configuration; the others' whole configuration.
    """
    with ExitStack() as stack:
        servers: list[Server] = []
        for name in names:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="vedette-benchmark-")))
            server = MAKERS[name](folder, (configs or {}).get(name, ""))
            servers.append(server)
            stack.callback(_end, server)
            server.start()
        yield servers


def disk_bytes(folder: Path) -> int:
    """What files take, as their lengths."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def wait_until_idle(servers: Sequence[Server], *, within_s: float = 60) -> None:
    """Wait until merges and compactions are done: until each has used less than a twentieth of a core for 2 s."""
    deadline_s = time.monotonic() + within_s
    quiet_rounds = 0
    while quiet_rounds < 2 and time.monotonic() < deadline_s:
        before = [server.cpu_s() for server in servers]
        time.sleep(1)
        used = [server.cpu_s() - start for server, start in zip(servers, before, strict=True)]
        quiet_rounds = quiet_rounds + 1 if max(used) < 0.05 else 0


def _end(server: Server) -> None:
    if server.process is not None and server.process.poll() is None:
        server.process.kill()
        server.process.wait()


def _binary(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise ServerError(f"there is no `{name}` on the path (Debian: apt install {name})")
    return path


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
