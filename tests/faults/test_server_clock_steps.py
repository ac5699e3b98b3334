"""The machine's clock jumps: the server goes on, and takes what its out-of-order window allows."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.exposition_server import ExpositionServer
from harness.pushing import push_samples
from harness.vedette_server import QUIET, Servers, VedetteServer, eventually

LIBRARY = next(iter(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)
HOUR_S = 3600

SetClock = Callable[[int], None]
"""Let the server's clock differ from the true one by so many seconds from now on."""


@pytest.fixture
def stepped(servers: Servers, target: ExpositionServer, tmp_path: Path) -> tuple[VedetteServer, SetClock]:
    """A server that scrapes, and its clock."""
    if LIBRARY is None:
        pytest.skip("there is no libfaketime (Debian: apt install faketime)")
    offset = tmp_path / "offset"

    def set_clock(offset_s: int) -> None:
        new = tmp_path / "offset.new"
        new.write_text(f"{offset_s:+d}\n")
        new.replace(offset)

    set_clock(0)
    env = {
        "LD_PRELOAD": str(LIBRARY),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    target.show("level 1\n")
    server = servers.start(
        f"{QUIET}\nscrape_configs:\n  - job_name: shop\n    scrape_interval: 250ms\n    scrape_timeout: 250ms\n"
        f"    static_configs: [{{targets: ['{target.address}']}}]\n",
        env=env,
    )
    eventually(lambda: server.value("level") == 1)
    return server, set_clock


def newest(server: VedetteServer) -> tuple[float, str]:
    """The newest sample of `level` up to two hours ahead."""
    (samples,) = server.samples("level", window="5h", time=f"{time.time() + 2 * HOUR_S:.3f}").values()
    return samples[-1]


@pytest.mark.slow
def test_samples_are_stored_at_once_after_the_clock_was_set_back_within_the_window(
    stepped: tuple[VedetteServer, SetClock], target: ExpositionServer
) -> None:
    server, set_clock = stepped
    before_s = time.time()

    set_clock(-300)
    target.show("level 2\n")

    def found() -> list[tuple[float, str]]:
        (samples,) = server.samples("level", window="5h", time=f"{time.time() + 60:.3f}").values()
        return [sample for sample in samples if sample[1] == "2"]

    samples = eventually(found)
    assert all(time_s < before_s for time_s, _ in samples)
    server.stop()


@pytest.mark.slow
def test_a_clock_an_hour_back_stops_nothing_and_its_samples_are_refused_until_it_is_right_again(
    stepped: tuple[VedetteServer, SetClock], target: ExpositionServer
) -> None:
    server, set_clock = stepped

    set_clock(-HOUR_S)
    target.show("level 2\n")
    target.wait_until_asked(5)
    eventually(lambda: server.metric("vedette_samples_dropped_total", source="scrape:shop", reason="too_old"))
    assert server.target("shop")["health"] == "up"
    now_ms = time.time_ns() // 1_000_000 - HOUR_S * 1000
    assert push_samples(server.client, "other", [(now_ms, 1.0)]).status_code == 204, "other series are not affected"
    assert server.get("/-/ready").status_code == 200

    set_clock(0)

    eventually(lambda: server.value("level") == 2)
    server.stop()


@pytest.mark.slow
def test_a_clock_an_hour_ahead_stops_nothing_and_what_it_stored_does_not_stop_other_series(
    stepped: tuple[VedetteServer, SetClock], target: ExpositionServer
) -> None:
    server, set_clock = stepped

    set_clock(HOUR_S)
    target.show("level 3\n")
    # The first one may be of a round that had begun before.
    eventually(lambda: newest(server)[0] > time.time() + HOUR_S - 60)
    assert newest(server)[1] == "3"

    set_clock(0)
    target.wait_until_asked(5)
    target.show("level 4\nlater 1\n")
    eventually(lambda: server.value("later") == 1)
    # Until the true time has come within the window of the samples from the future, older ones are refused...
    eventually(lambda: server.metric("vedette_samples_dropped_total", source="scrape:shop", reason="too_old"))
    server.stop()

    # ... and so it is after a restart.
    server.start()
    eventually(lambda: server.metric("vedette_samples_dropped_total", source="scrape:shop", reason="too_old"))
    set_clock(HOUR_S)
    eventually(lambda: newest(server)[1] == "4")
    server.stop()
