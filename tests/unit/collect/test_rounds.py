from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from harness.intake import NOW_MS, Intake
from vedette.collect.rounds import RoundLoop, RoundSource
from vedette.collect.targets import Health
from vedette.ingest.limits import Drop
from vedette.model.clock import Clock
from vedette.wire.exposition import Format, LayoutParser, ParsedScrape


class Pages:
    """What is collected: a text, or a failure."""

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.opened = 0
        self.before: Callable[[], None] = lambda: None

    def open(self) -> Callable[[int], ParsedScrape]:
        self.opened += 1
        parser = LayoutParser()

        def collect(_now_ms: int) -> ParsedScrape:
            self.before()
            if not self.text:
                raise OSError("no such file")
            return parser.parse(self.text.encode(), Format.TEXT)

        return collect


def loop_of(pages: Pages, intake: Intake, clock: Clock | None = None, **options: object) -> RoundLoop:
    source = RoundSource("node", "here", 15_000, pages.open)
    return RoundLoop(source, intake.writer, intake.metadata, clock or Clock(), **options)  # type: ignore[arg-type]


async def test_a_round_stores_what_was_collected_with_the_sources_labels_and_reports() -> None:
    intake, pages = Intake(), Pages("# HELP load Load.\n# TYPE load gauge\nload 1.5\n")
    loop = loop_of(pages, intake)

    await loop.round(NOW_MS)

    assert intake.samples("load", job="node", instance="here") == [(0, 1.5)]
    assert intake.samples("up") == [(0, 1.0)]
    assert intake.samples("scrape_samples_scraped") == [(0, 1.0)]
    assert intake.names() == {"load", "up", "scrape_samples_scraped", "scrape_duration_seconds"}
    assert (loop.view.health, loop.view.last_scrape_ms, loop.view.last_samples) == (Health.UP, NOW_MS, 1)
    assert loop.view.metadata["load"].help == "Load."
    assert intake.ledger.account("internal:node").balanced


async def test_a_round_that_fails_ends_its_series_says_why_and_the_next_one_comes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    intake, pages = Intake(), Pages("load 1\n")
    loop = loop_of(pages, intake)
    await loop.round(NOW_MS)

    pages.text = ""
    await loop.round(NOW_MS + 1)
    assert (loop.view.health, loop.view.last_error) == (Health.DOWN, "OSError: no such file")
    pages.text = "load 2\n"
    await loop.round(NOW_MS + 2)

    assert intake.samples("load") == [(0, 1.0), (1, "stale"), (2, 2.0)]
    assert intake.samples("up") == [(0, 1.0), (1, 0.0), (2, 1.0)]
    assert "collecting failed" in capsys.readouterr().out


async def test_a_round_without_room_keeps_its_series_and_books_its_samples() -> None:
    intake, pages = Intake(), Pages("load 1\n")
    loop = loop_of(pages, intake)
    await loop.round(NOW_MS)

    intake.queue.full = True
    await loop.round(NOW_MS + 1)
    assert loop.view.health is Health.DOWN
    intake.queue.full = False
    await loop.round(NOW_MS + 2)

    assert intake.samples("load") == [(0, 1.0), (2, 1.0)]
    account = intake.ledger.account("internal:node")
    assert account.balanced
    assert account.dropped == {Drop.OVERLOADED: 4}


async def test_series_taken_back_between_rounds_or_within_one_are_resolved_again() -> None:
    intake, pages = Intake(), Pages("load 1\nother 1\n")
    loop = loop_of(pages, intake)
    await loop.round(NOW_MS)

    def forget() -> None:
        pages.before = lambda: None
        intake.forget(*intake.slots("other"), *intake.slots("up"))

    pages.before = forget
    await loop.round(NOW_MS + 1)

    assert intake.samples("other") == [(1, 1.0)]
    assert intake.samples("load") == [(0, 1.0), (1, 1.0)]
    assert intake.samples("up") == [(1, 1.0)]
    assert pages.opened == 2


async def test_a_source_that_is_gone_ends_all_of_its_series() -> None:
    intake, pages = Intake(), Pages("load 1\n")
    loop = loop_of(pages, intake)
    await loop.round(NOW_MS)

    loop.end(NOW_MS + 1)

    for name in intake.names():
        assert intake.samples(name)[-1] == (1, "stale"), name


async def test_a_source_that_never_ran_has_nothing_to_end() -> None:
    intake = Intake()

    loop_of(Pages("load 1\n"), intake).end(NOW_MS)

    assert intake.queue.rows("samples") == 0


async def test_a_source_with_new_settings_goes_on_with_its_series() -> None:
    intake, pages = Intake(), Pages("load 1\nold 1\n")
    first = loop_of(pages, intake)
    await first.round(NOW_MS)

    pages.text = "load 2\n"
    second = loop_of(pages, intake, inherited=first.take_live())
    await second.round(NOW_MS + 1)

    assert intake.samples("load") == [(0, 1.0), (1, 2.0)]
    assert intake.samples("old") == [(0, 1.0), (1, "stale")]
    assert intake.samples("up") == [(0, 1.0), (1, 1.0)]


async def test_the_first_round_comes_at_once_and_the_others_on_the_grid() -> None:
    intake, pages = Intake(now_ms=NOW_MS + 4_321), Pages("load 1\n")
    times: list[int] = []

    async def sleep(seconds: float) -> None:
        if len(times) == 3:
            raise asyncio.CancelledError
        intake.now_ms += round(seconds * 1000)

    loop = loop_of(pages, intake, Clock(now_ms=lambda: intake.now_ms, sleep=sleep))
    pages.before = lambda: times.append(intake.now_ms - NOW_MS)

    with pytest.raises(asyncio.CancelledError):
        await loop.run()

    grid = -(-(NOW_MS + 4_321) // 15_000) * 15_000 - NOW_MS
    assert times == [4_321, grid, grid + 15_000]
    assert [time for time, _ in intake.samples("load")] == times
