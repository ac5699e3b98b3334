"""A whole Vedette in a process of its own: started, asked, reloaded, stopped, killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx

from vedette.http.run_files import LocalServer, find_local_server
from vedette.model.errors import UnavailableError

T = TypeVar("T")

PATIENCE_S: Final = 60.0
"""How long anything may take that offers nothing to wait on; tests fail after it."""

STOP_WITHIN_S: Final = 40.0

VEDETTE: Final = Path(sys.executable).with_name("vedette")
"""The command line of the environment that runs the tests."""

QUIET: Final = """
host: {enabled: false}
self: {enabled: false, canary: {enabled: false}}
"""
"""A configuration that collects nothing by itself."""


class VedetteServer:
    """One data directory, and the server that runs on it, if it does."""

    def __init__(self, data_dir: Path, config: str | None = QUIET, *, env: Mapping[str, str] | None = None) -> None:
        """Prepare; nothing runs yet.

        Args:
            data_dir: where data are kept; the log and the configuration are written beside it.
            config: the configuration; None for the built-in one.
            env: variables for the process, beyond this one's.
        """
        self.data_dir = data_dir
        self.log_file = data_dir.with_name(data_dir.name + ".log")
        self.config_file = None if config is None else data_dir.with_name(data_dir.name + ".yml")
        self.listen = "127.0.0.1:0"
        self._env = {**os.environ, **(env or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._local: LocalServer | None = None
        self._client: httpx.Client | None = None
        if config is not None:
            self.configure(config)

    # -- its life --------------------------------------------------------------------------------------

    def configure(self, config: str) -> None:
        """Write the configuration; it counts from the next start or reload on."""
        assert self.config_file is not None
        self.config_file.write_text(config, encoding="utf-8")

    def start(self, *, wait: bool = True) -> VedetteServer:
        """Start, and wait until it is ready."""
        command = [str(VEDETTE), "up", "--data", str(self.data_dir), "--listen", self.listen]
        if self.config_file is not None:
            command += ["--config", str(self.config_file)]
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=self._env)
        if wait:
            self.wait_until_ready()
        return self

    def wait_until_ready(self) -> None:
        """Wait for the address to be known and `/-/ready` to say yes."""

        def ready() -> bool:
            if self.process.poll() is not None:
                raise AssertionError(f"Vedette has ended with {self.process.returncode}:\n{self.log_end()}")
            try:
                self._local = find_local_server(self.data_dir)
                if self._local.info.pid != self.process.pid:
                    return False
                return httpx.get(f"{self.url}/-/ready").is_success
            except (UnavailableError, httpx.TransportError):
                return False

        self._disconnect()
        eventually(ready, what=lambda: f"Vedette is not ready:\n{self.log_end()}")

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def stop(self, *, expected: Sequence[str] = ()) -> None:
        """Stop it as a supervisor does, and see that it ended well and had nothing to complain about.

        Args:
            expected: events of its log that may be errors.
        """
        self.process.terminate()
        code = self.process.wait(STOP_WITHIN_S)
        self._ended()
        assert code == 0, f"Vedette ended with {code}:\n{self.log_end()}"
        complaints = self.complaints(expected)
        assert not complaints, f"Vedette's log has errors: {complaints}"

    def kill(self) -> None:
        """SIGKILL, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_WITHIN_S)
        self._ended()

    def wait(self) -> int:
        """Wait until it has ended by itself; returns its exit code."""
        code = self.process.wait(STOP_WITHIN_S)
        self._ended()
        return code

    def _ended(self) -> None:
        self._disconnect()
        self._process = None
        self._local = None

    def _disconnect(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    # -- what is known of it ---------------------------------------------------------------------------

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The running process."""
        assert self._process is not None, "Vedette is not running"
        return self._process

    @property
    def running(self) -> bool:
        """Whether it was started and not stopped."""
        return self._process is not None

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        assert self._local is not None
        return self._local.info.url

    @property
    def token(self) -> str:
        """The local token, with all rights."""
        assert self._local is not None
        return self._local.token

    def log_end(self, size: int = 4000) -> str:
        """The end of its log."""
        text = self.log_file.read_text(encoding="utf-8", errors="replace") if self.log_file.exists() else ""
        return text[-size:]

    def events(self, event: str | None = None) -> list[dict[str, Any]]:
        """The events of its log, all or those of one name."""
        lines = self.log_file.read_text(encoding="utf-8", errors="replace").splitlines()
        found: list[dict[str, Any]] = [json.loads(line) for line in lines if line.startswith("{")]
        return [entry for entry in found if event in (None, entry["event"])]

    def complaints(self, expected: Sequence[str] = ()) -> list[str]:
        """What the log says that a healthy server does not say."""
        text = self.log_file.read_text(encoding="utf-8", errors="replace")
        bad = [
            json.dumps(entry)
            for entry in self.events()
            if entry["level"] in ("error", "critical") and entry["event"] not in expected
        ]
        return bad + [line for line in text.splitlines() if line.startswith("Traceback")]

    # -- asking ----------------------------------------------------------------------------------------

    @property
    def client(self) -> httpx.Client:
        """Speaks to it with all rights."""
        if self._client is None:
            self._client = httpx.Client(
                base_url=self.url, headers={"Authorization": f"Bearer {self.token}"}, timeout=PATIENCE_S
            )
        return self._client

    def get(self, path: str, **parameters: Any) -> httpx.Response:
        """GET a path."""
        return self.client.get(path, params=parameters)

    def data(self, path: str, **parameters: Any) -> Any:
        """The `data` of a successful answer of Prometheus' API."""
        response = self.get(f"/api/v1/{path}", **parameters)
        assert response.status_code == 200, response.text
        return response.json()["data"]

    def query(self, expr: str, **parameters: Any) -> list[dict[str, Any]]:
        """The result of an instant query."""
        return self.data("query", query=expr, **parameters)["result"]

    def value(self, expr: str, **parameters: Any) -> float | None:
        """The value of the one series that an instant query finds; None where it finds none."""
        result = self.query(expr, **parameters)
        assert len(result) <= 1, result
        return float(result[0]["value"][1]) if result else None

    def samples(self, selector: str, *, window: str = "1h", **parameters: Any) -> dict[str, list[tuple[float, str]]]:
        """All samples of a selector's series in a window, by the series' labels as JSON."""
        found = self.query(f"{selector}[{window}]", **parameters)
        return {
            json.dumps(series["metric"], sort_keys=True): [(time_s, value) for time_s, value in series["values"]]
            for series in found
        }

    def metric(self, name: str, **labels: str) -> float | None:
        """A value of its own `/metrics`; None where it is not there."""
        response = self.get("/metrics")
        assert response.status_code == 200, response.text
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        for line in response.text.splitlines():
            if line.startswith((f"{name} ", f"{name}{{")) and all(pair in line for pair in wanted):
                return float(line.rsplit(" ", 1)[1])
        return None

    def target(self, pool: str) -> dict[str, Any]:
        """The one active target of a job."""
        (found,) = self.data("targets", state="active", scrapePool=pool)["activeTargets"]
        return found


@dataclass(slots=True)
class Servers:
    """All servers of a test: none outlives it.

    Attributes:
        folder: where their data directories are.
    """

    folder: Path
    all: list[VedetteServer] = field(default_factory=list[VedetteServer])

    def new(self, config: str | None = QUIET, *, name: str = "", env: Mapping[str, str] | None = None) -> VedetteServer:
        """A server that is not started yet, on a data directory of its own."""
        server = VedetteServer(self.folder / (name or f"vedette-{len(self.all)}"), config, env=env)
        self.all.append(server)
        return server

    def start(
        self, config: str | None = QUIET, *, name: str = "", env: Mapping[str, str] | None = None
    ) -> VedetteServer:
        """A server that is ready."""
        return self.new(config, name=name, env=env).start()

    def kill(self) -> None:
        """End those that run."""
        for server in self.all:
            server.kill()

    def report(self) -> str:
        """The ends of all logs."""
        return "\n".join(f"-- {server.log_file}\n{server.log_end()}" for server in self.all)


def eventually(
    probe: Callable[[], T | None],
    *,
    what: str | Callable[[], str] = "it has not come true",
    within_s: float = PATIENCE_S,
) -> T:
    """Ask again and again until the answer is truthy; for what offers nothing to wait on."""
    deadline_s = time.monotonic() + within_s
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > deadline_s:
            raise AssertionError(f"{what() if callable(what) else what} (after {within_s:g} s)")
        time.sleep(0.02)
