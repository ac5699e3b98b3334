from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Test modules are imported one by one; what they share is found here.
if str(Path(__file__).parent) not in sys.path:
    sys.path.insert(0, str(Path(__file__).parent))

from harness.exposition_server import ExpositionServer, serve_expositions
from harness.vedette_server import Servers

# Kernels compile when they are first called, so one slow example says nothing.
# A change is judged by the same examples every time; `HYPOTHESIS_PROFILE=search` looks for new ones.
settings.register_profile("vedette", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "vedette"))

_SERVERS = pytest.StashKey[Servers]()


@pytest.fixture
def servers(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Servers]:
    """Starts Vedettes; what still runs at the end of the test is killed, and a failure shows the logs."""
    started = request.node.stash[_SERVERS] = Servers(tmp_path)
    try:
        yield started
    finally:
        started.kill()


@pytest.fixture
def target() -> Iterator[ExpositionServer]:
    """Something to scrape."""
    with serve_expositions() as pages:
        yield pages


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    servers = item.stash.get(_SERVERS, None)
    if report.failed and servers is not None:
        report.sections.append(("Vedette's log", servers.report()))
    return report
