from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import numpy as np
import pytest

from harness.intake import NOW_MS
from harness.scraping import Scraping
from vedette.collect.http_client import FetchError
from vedette.collect.targets import Health
from vedette.config import ScrapeProtocol as Wanted
from vedette.ingest.limits import Drop
from vedette.model.clock import Clock
from vedette.model.durations import Size
from vedette.model.errors import LimitExceededError

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
REPORTS = {
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
}


async def test_a_scrape_stores_its_samples_and_reports_how_it_went(scraping: Scraping) -> None:
    scraping.pages.text = "a 1\nb 2\n"
    loop = scraping.loop()

    await loop.scrape(NOW_MS)

    assert scraping.intake.samples("a", job="shop", instance="t:1") == [(0, 1.0)]
    assert scraping.intake.samples("b") == [(0, 2.0)]
    assert scraping.intake.names() == {"a", "b", *REPORTS}
    assert scraping.intake.samples("up") == [(0, 1.0)]
    assert scraping.intake.samples("scrape_samples_scraped") == [(0, 2.0)]
    assert scraping.intake.samples("scrape_series_added") == [(0, 2.0)]
    view = loop.view
    assert (view.health, view.last_error, view.last_scrape_ms, view.last_samples) == (Health.UP, "", NOW_MS, 2)
    assert scraping.intake.ledger.account("scrape:shop").balanced


async def test_further_reports_come_when_they_are_asked_for(scraping: Scraping) -> None:
    loop = scraping.loop(extra_scrape_metrics=True, sample_limit=7)

    await loop.scrape(NOW_MS)

    assert scraping.intake.samples("scrape_timeout_seconds") == [(0, 10.0)]
    assert scraping.intake.samples("scrape_sample_limit") == [(0, 7.0)]
    assert scraping.intake.samples("scrape_body_size_bytes") == [(0, 4.0)]


@pytest.mark.parametrize(
    ("change", "reason", "error"),
    [
        pytest.param({"failure": FetchError("connection refused")}, "connection", "connection refused", id="refused"),
        pytest.param({"failure": FetchError("too slow", timed_out=True)}, "timeout", "too slow", id="timed out"),
        pytest.param(
            {"failure": LimitExceededError(limit="x", allowed=1, found=None, what="bytes")},
            "body_size",
            "bytes",
            id="too large",
        ),
        pytest.param({"status": 503}, "http_status", "server returned HTTP status 503", id="an error's status"),
        pytest.param({"text": "a one\n"}, "parse", "line 1", id="no exposition"),
        pytest.param({"text": b"\x1f\x8b", "headers": {"Content-Encoding": "gzip"}}, "parse", "", id="not packed"),
        pytest.param({"headers": {"Content-Encoding": "br"}}, "parse", "br", id="packed in a way not asked for"),
        pytest.param({"content_type": "text/html"}, "parse", "text/html", id="another type"),
        pytest.param({"failure": RuntimeError("a bug")}, "internal", "a bug", id="a bug"),
    ],
)
async def test_a_scrape_that_fails_ends_the_targets_series_and_says_why(
    scraping: Scraping, change: dict[str, object], reason: str, error: str
) -> None:
    loop = scraping.loop()
    await loop.scrape(NOW_MS)

    scraping.pages = dataclasses.replace(scraping.pages, **change)
    loop._fetcher = scraping.pages  # type: ignore[assignment]
    await loop.scrape(NOW_MS + 1)

    assert scraping.intake.samples("a") == [(0, 1.0), (1, "stale")]
    assert scraping.intake.samples("up") == [(0, 1.0), (1, 0.0)]
    assert scraping.intake.samples("scrape_samples_scraped")[-1] == (1, 0.0)
    assert loop.view.health is Health.DOWN
    assert error in loop.view.last_error
    assert scraping.failures(reason) == 1


@pytest.mark.parametrize(
    ("options", "reason", "error"),
    [
        pytest.param({"sample_limit": 1}, "sample_limit", "sample_limit exceeded: 2 samples", id="samples"),
        pytest.param({"label_limit": 2}, "label_limit", "label_limit exceeded", id="labels"),
        pytest.param({"body_size_limit": Size(5)}, "body_size", "body_size_limit", id="bytes"),
    ],
)
async def test_a_page_beyond_a_limit_is_not_stored_at_all(
    scraping: Scraping, options: dict[str, Any], reason: str, error: str
) -> None:
    scraping.pages.text = 'a 1\nb{x="1"} 2\n'
    loop = scraping.loop(**options)

    await loop.scrape(NOW_MS)
    await loop.scrape(NOW_MS + 1)

    assert scraping.intake.names() == REPORTS
    assert scraping.intake.samples("up") == [(0, 0.0), (1, 0.0)]
    assert error in loop.view.last_error
    assert scraping.failures(reason) == 2


async def test_a_target_that_is_barred_fails_without_being_asked(scraping: Scraping) -> None:
    loop = scraping.loop()
    await loop.scrape(NOW_MS)

    loop.barred = "too many targets"
    await loop.scrape(NOW_MS + 1)

    assert loop.view.last_error == "too many targets"
    assert scraping.intake.samples("a")[-1] == (1, "stale")
    assert len(scraping.pages.asked) == 1
    assert scraping.failures("target_limit") == 1


async def test_a_scrape_without_room_loses_its_samples_and_keeps_its_series(scraping: Scraping) -> None:
    loop = scraping.loop()
    await loop.scrape(NOW_MS)

    scraping.intake.queue.full = True
    await loop.scrape(NOW_MS + 1)
    scraping.intake.queue.full = False
    await loop.scrape(NOW_MS + 2)

    assert scraping.intake.samples("a") == [(0, 1.0), (2, 1.0)]
    assert scraping.failures("overloaded") == 1
    account = scraping.intake.ledger.account("scrape:shop")
    assert account.balanced
    assert account.dropped == {Drop.OVERLOADED: 1 + len(REPORTS)}


async def test_series_of_a_failed_scrape_end_later_where_there_was_no_room_for_their_markers(
    scraping: Scraping,
) -> None:
    scraping.pages.text = "a 1\nb 1\n"
    loop = scraping.loop()
    await loop.scrape(NOW_MS)

    scraping.intake.queue.full = True
    scraping.pages.status = 500
    await loop.scrape(NOW_MS + 1)
    scraping.intake.queue.full = False
    scraping.pages.status, scraping.pages.text = 200, "a 2\n"
    await loop.scrape(NOW_MS + 2)

    assert scraping.intake.samples("a") == [(0, 1.0), (2, 2.0)]
    assert scraping.intake.samples("b") == [(0, 1.0), (2, "stale")]


async def test_a_target_that_is_gone_ends_its_series_and_its_reports(scraping: Scraping) -> None:
    loop = scraping.loop()
    await loop.scrape(NOW_MS)

    loop.end(NOW_MS + 1)

    for name in ("a", *REPORTS):
        assert scraping.intake.samples(name)[-1] == (1, "stale"), name


async def test_a_target_that_was_never_scraped_has_nothing_to_end(scraping: Scraping) -> None:
    scraping.loop().end(NOW_MS)

    assert scraping.intake.queue.rows("samples") == 0


@pytest.mark.parametrize("status", [200, 500])
async def test_a_target_with_new_settings_ends_only_what_it_does_not_bring_again(
    scraping: Scraping, status: int
) -> None:
    scraping.pages.text = "a 1\nb 1\n"
    first = scraping.loop(extra_scrape_metrics=True)
    await first.scrape(NOW_MS)

    second = scraping.loop(inherited=first.take_live())
    scraping.pages.text, scraping.pages.status = "a 2\n", status
    await second.scrape(NOW_MS + 1)

    assert scraping.intake.samples("a") == [(0, 1.0), (1, 2.0 if status == 200 else "stale")]
    assert scraping.intake.samples("b") == [(0, 1.0), (1, "stale")]
    assert scraping.intake.samples("up") == [(0, 1.0), (1, 1.0 if status == 200 else 0.0)]
    assert scraping.intake.samples("scrape_timeout_seconds")[-1] == (1, "stale")


async def test_series_taken_back_while_a_page_was_fetched_are_resolved_again(scraping: Scraping) -> None:
    scraping.pages.text = "a 1\nb 1\n"
    loop = scraping.loop()
    await loop.scrape(NOW_MS)

    def forget() -> None:
        scraping.intake.forget(*scraping.intake.slots("a"), *scraping.intake.slots("up"))
        # Another series gets the slot of the first.
        scraping.intake.writer.resolve("other", [(("__name__", "thief"),)])

    scraping.pages.before = forget
    await loop.scrape(NOW_MS + 1)

    assert scraping.intake.samples("a") == [(1, 1.0)]
    assert scraping.intake.samples("b") == [(0, 1.0), (1, 1.0)]
    assert scraping.intake.samples("up") == [(1, 1.0)]
    assert scraping.intake.samples("thief") == []
    assert loop.view.last_error == ""


async def test_exemplars_and_metadata_are_kept(scraping: Scraping) -> None:
    scraping.pages.content_type = OPENMETRICS
    scraping.pages.text = (
        "# TYPE a counter\n# HELP a Help.\n"
        'a_total{x="1"} 1 # {trace_id="t"} 0.5\n'
        'a_total{x="2"} 1 # {trace_id="u"} 0.5 1760000000.25\n# EOF\n'
    )
    loop = scraping.loop()

    await loop.scrape(NOW_MS)

    times = {scraping.intake.exemplars.of(slot, 0, 1 << 60)[0].time_ms for slot in scraping.intake.slots("a_total")}
    assert times == {NOW_MS, 1_760_000_000_250}
    assert loop.view.metadata["a"].help == "Help."
    assert len(scraping.intake.metadata) == 1


async def test_targets_are_told_what_the_job_wants(scraping: Scraping) -> None:
    await scraping.loop().scrape(NOW_MS)
    await scraping.loop(scrape_protocols=(Wanted.PROMETHEUS_TEXT_0_0_4,), enable_compression=False).scrape(NOW_MS)

    plain, chosen = scraping.pages.asked
    assert "openmetrics" in plain["Accept"]
    assert plain["Accept-Encoding"] == "zstd, gzip"
    assert plain["X-Prometheus-Scrape-Timeout-Seconds"] == "10"
    assert "openmetrics" not in chosen["Accept"]
    assert "version=0.0.4" in chosen["Accept"]
    assert chosen["Accept-Encoding"] == "identity"


async def test_a_fallback_reads_pages_without_a_useful_type(scraping: Scraping) -> None:
    scraping.pages.content_type = "text/html"
    loop = scraping.loop(fallback_scrape_protocol=Wanted.PROMETHEUS_TEXT_0_0_4)

    await loop.scrape(NOW_MS)

    assert scraping.intake.samples("a") == [(0, 1.0)]


async def test_a_failure_is_logged_when_it_begins_and_when_it_changes(
    scraping: Scraping, capsys: pytest.CaptureFixture[str]
) -> None:
    loop = scraping.loop()
    for status in (500, 500, 503, 503):
        scraping.pages.status = status
        await loop.scrape(NOW_MS)

    assert capsys.readouterr().out.count("scrape failed") == 2


async def run_loop(scraping: Scraping, *, rounds: int, late_ms: int = 0, jump_ms: int = 0) -> list[int]:
    """Times of the first rounds of a target, with every second one late or the clock set in between."""
    times: list[int] = []

    async def sleep(seconds: float) -> None:
        if len(times) == rounds:
            raise asyncio.CancelledError
        scraping.intake.now_ms += round(seconds * 1000)
        if len(times) == 1:
            scraping.intake.now_ms += late_ms + jump_ms

    clock = Clock(now_ms=lambda: scraping.intake.now_ms, sleep=sleep)
    scraping.context = dataclasses.replace(scraping.context, clock=clock)
    loop = scraping.loop()

    async def scrape(now_ms: int) -> None:
        times.append(now_ms)

    loop.scrape = scrape  # type: ignore[method-assign]
    with pytest.raises(asyncio.CancelledError):
        await loop.run()
    return times


async def test_rounds_are_an_interval_apart_and_keep_their_place_in_it(scraping: Scraping) -> None:
    times = await run_loop(scraping, rounds=4)

    assert np.diff(times).tolist() == [15_000] * 3
    assert times[0] % 15_000 == scraping.loop().target.offset_ms(b"")


async def test_a_round_a_little_late_has_the_time_it_was_due(scraping: Scraping) -> None:
    assert np.diff(await run_loop(scraping, rounds=3, late_ms=9)).tolist() == [15_000, 15_000]


async def test_rounds_that_are_missed_are_left_out_and_counted(scraping: Scraping) -> None:
    times = await run_loop(scraping, rounds=4, late_ms=40_000)

    assert np.diff(times).tolist() == [55_000, 5_000, 15_000]
    assert scraping.registry.get_sample_value("vedette_scrape_ticks_missed_total") == 2


@pytest.mark.parametrize("hours", [-1, 1, -24, 24])
async def test_a_clock_that_jumps_stops_no_round(scraping: Scraping, hours: int) -> None:
    times = await run_loop(scraping, rounds=4, jump_ms=hours * 3_600_000)

    assert times[1] - times[0] == 15_000 + hours * 3_600_000
    assert 0 < times[2] - times[1] <= 15_000
    assert times[3] - times[2] == 15_000
