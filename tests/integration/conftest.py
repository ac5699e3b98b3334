from __future__ import annotations

import importlib.util
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import httpx
import pytest

READY_WITHIN_S = 60


@dataclass(frozen=True, slots=True)
class PrometheusServer:
    """A Prometheus that scrapes nothing and takes remote writes.

    Attributes:
        url: where it listens, without a slash at the end.
        log: what it writes.
    """

    url: str
    log: Path


@pytest.fixture(scope="module")
def prometheus_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusServer]:
    """A real Prometheus on a loopback port, with an empty store of its own."""
    binary = shutil.which("prometheus")
    if binary is None:
        pytest.skip("there is no `prometheus` on the path (Debian: apt install prometheus)")
    folder = tmp_path_factory.mktemp("prometheus")
    config = folder / "prometheus.yml"
    config.write_text("global: {scrape_interval: 1h}\n")
    log = folder / "log"
    url = f"http://127.0.0.1:{free_port()}"
    command = [
        binary,
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={url.removeprefix('http://')}",
        "--web.enable-remote-write-receiver",
        "--enable-feature=exemplar-storage",
    ]
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            wait_until_ready(url, process, log)
            yield PrometheusServer(url, log)
        finally:
            process.kill()


@contextmanager
def running(name: str, options: Sequence[str], url: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another program, from when it answers at `url` until the block is left.

    Args:
        name: of the program; the test is skipped where it is not installed.
        options: its command line.
        url: where it answers `/-/ready`.
        log: what it writes.
    """
    binary = shutil.which(name)
    if binary is None:
        pytest.skip(f"there is no `{name}` on the path")
    with log.open("ab") as output, subprocess.Popen([binary, *options], stdout=output, stderr=output) as process:
        try:
            wait_until_ready(url, process, log)
            yield process
        finally:
            process.kill()


@contextmanager
def prometheus(folder: Path, config: str, *options: str) -> Iterator[str]:
    """A Prometheus with this configuration, in which SELF is its own address; yields where it listens."""
    folder.mkdir(parents=True, exist_ok=True)
    url = f"http://127.0.0.1:{free_port()}"
    (folder / "prometheus.yml").write_text(config.replace("SELF", url.removeprefix("http://")))
    command = [
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={url.removeprefix('http://')}",
        *options,
    ]
    with running("prometheus", command, url, folder / "log"):
        yield url


@contextmanager
def vmagent(folder: Path, scrape_config: str, write_to: str) -> Iterator[str]:
    """A vmagent that scrapes (SELF is its own address) and writes to a store; yields where it listens."""
    folder.mkdir(parents=True, exist_ok=True)
    url = f"http://127.0.0.1:{free_port()}"
    (folder / "scrape.yml").write_text(scrape_config.replace("SELF", url.removeprefix("http://")))
    command = [
        f"-promscrape.config={folder / 'scrape.yml'}",
        f"-remoteWrite.url={write_to}",
        f"-remoteWrite.tmpDataPath={folder / 'queue'}",
        "-remoteWrite.flushInterval=200ms",
        f"-httpListenAddr={url.removeprefix('http://')}",
    ]
    with running("vmagent", command, url, folder / "log"):
        yield url


@pytest.fixture(scope="session")
def programs() -> ModuleType:
    """`prometheus` and `vmagent`, to be started by a test."""
    return sys.modules[__name__]


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Ask another process until it says that it is ready; it offers nothing to wait on."""
    deadline = time.monotonic() + READY_WITHIN_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/-/ready").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    pytest.fail(f"{url} is not ready; its log ends:\n{log.read_text(errors='replace')[-2000:]}")


@pytest.fixture(scope="session")
def prompb() -> ModuleType:
    """Prometheus' messages in Google's parser, and slow readers of frames and chunks."""
    path = Path(__file__).parents[1] / "unit/wire/prompb.py"
    spec = importlib.util.spec_from_file_location("prompb", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.v1, module.v2 = module.build()
    return module
