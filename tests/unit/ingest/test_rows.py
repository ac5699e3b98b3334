from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.intake import NOW_MS, Intake
from vedette.ingest.limits import Drop, IngestLimits
from vedette.ingest.rows import Prepared, RowSlots, StaleSlotsError, Violation
from vedette.ingest.writer import Taken
from vedette.model.errors import OverloadedError
from vedette.model.labels import METRIC_NAME, LabelSet
from vedette.wire.exposition import Format, LayoutParser


class Source:
    """A page that is parsed and stored, round after round; a round is a second."""

    def __init__(self, intake: Intake | None = None, *, max_series: int = 0) -> None:
        self.intake = intake or Intake()
        self.max_series = max_series
        self.time = -1
        self.begin()

    def begin(self) -> None:
        self.parser = LayoutParser(forget_after=3)
        self.rows = RowSlots(self.intake.writer, "test", self.transform, max_series=self.max_series)

    @staticmethod
    def transform(labels: LabelSet) -> LabelSet | Violation | None:
        name = dict(labels)[METRIC_NAME]
        if name.startswith("drop"):
            return None
        return Violation(f"{name} is bad") if name.startswith("bad") else labels

    def prepare(self, page: str, **options: bool) -> Prepared:
        self.time += 1000
        self.intake.now_ms = NOW_MS + self.time
        return self.rows.prepare(self.parser.parse(page.encode(), Format.TEXT), NOW_MS + self.time, **options)

    def store(self, prepared: Prepared) -> Taken:
        return self.rows.store(prepared, NOW_MS + self.time, patience_ms=500)

    def round(self, page: str, **options: bool) -> Taken:
        return self.store(self.prepare(page, **options))


def test_a_series_that_stays_has_a_sample_each_round_and_is_new_once() -> None:
    source = Source()

    first, second = source.prepare("a 1\nb 2\n"), None
    source.store(first)
    second = source.prepare("a 3\nb 4\n")
    source.store(second)

    assert (first.added, second.added) == (2, 0)
    assert source.intake.samples("a") == [(999, 1.0), (1999, 3.0)]
    assert source.intake.ledger.account("test").balanced


def test_a_series_that_leaves_is_marked_stale_once_and_may_come_again() -> None:
    source = Source()

    for page in ("a 1\nb 1\n", "a 2\n", "a 3\n", "a 4\nb 4\n"):
        source.round(page)

    assert source.intake.samples("b") == [(999, 1.0), (1999, "stale"), (3999, 4.0)]
    assert len(source.intake.samples("a")) == 4


def test_stated_times_are_kept_and_their_series_do_not_end_with_the_page() -> None:
    source = Source()

    source.round(f"a 1 {NOW_MS - 500}\nb 1\n")
    source.round("c 1\n")

    assert source.intake.samples("a") == [(-500, 1.0)]
    assert source.intake.samples("b") == [(999, 1.0), (1999, "stale")]


def test_series_with_stated_times_end_too_where_that_is_asked_for() -> None:
    source = Source()

    source.round(f"a 1 {NOW_MS - 500}\n", track_staleness=True)
    source.round("c 1\n", track_staleness=True)

    assert source.intake.samples("a") == [(-500, 1.0), (1999, "stale")]


def test_stated_times_that_are_not_honored_are_as_if_not_stated() -> None:
    source = Source()

    source.round(f"a 1 {NOW_MS - 500}\n", honor_timestamps=False)
    source.round("c 1\n", honor_timestamps=False)

    assert source.intake.samples("a") == [(999, 1.0), (1999, "stale")]


def test_dropped_rows_are_booked_every_round_and_kept_out_of_the_count() -> None:
    source = Source()

    source.round("a 1\ndrop1 1\ndrop2 1\n")
    prepared = source.prepare("a 1\ndrop1 1\ndrop2 1\n")
    source.store(prepared)

    account = source.intake.ledger.account("test")
    assert (prepared.kept, prepared.dropped) == (1, 2)
    assert account.dropped == {Drop.RELABELLED: 4}
    assert account.balanced


def test_a_violation_is_told_as_long_as_its_row_is_there() -> None:
    source = Source()

    assert source.prepare("a 1\nbad 1\n").violation == "bad is bad"
    assert source.prepare("a 1\nbad 1\n").violation == "bad is bad"
    assert source.prepare("a 1\n").violation == ""


def test_series_that_a_limit_refuses_are_booked_by_its_reason() -> None:
    source = Source(Intake(limits=IngestLimits(max_series=1)))

    prepared = source.prepare("a 1\nb 1\nc 1\n")
    source.store(prepared)

    assert prepared.added == 1
    assert prepared.kept == 3
    assert prepared.refused == {Drop.SERIES_LIMIT: 2}
    assert source.intake.ledger.account("test").balanced


def test_a_sources_own_limit_refuses_further_series_until_others_are_forgotten() -> None:
    source = Source(max_series=2)

    source.round("a 1\nb 1\nc 1\n")
    assert source.intake.names() == {"a", "b"}
    for _ in range(6):
        source.round("c 1\n")
    source.round("c 1\nd 1\ne 1\n")

    assert source.intake.names() == {"a", "b", "d", "e"}
    assert source.intake.ledger.account("test").dropped[Drop.TARGET_SERIES_LIMIT] == 8


def test_a_global_refusal_does_not_count_against_the_sources_own_limit() -> None:
    intake = Intake(limits=IngestLimits(max_labels=2))
    source = Source(intake, max_series=1)

    source.round('a{x="1",y="2"} 1\n')
    source.round("b 1\n")

    assert intake.names() == {"b"}


def test_rounds_that_are_not_stored_do_not_use_up_the_limit() -> None:
    source = Source(max_series=1)

    for number in range(12):
        # Not stored, as if the job had a limit that each of these exceeds.
        source.prepare(f"a{number // 6} 1\n")
    for _ in range(4):
        source.prepare("\n")
    source.round("z 1\n")

    assert source.intake.names() == {"z"}


def test_a_series_that_leaves_in_a_round_that_is_not_stored_is_marked_stale_by_whoever_ends_all() -> None:
    source = Source()
    source.round("a 1\nb 1\n")

    source.prepare("a 1\n")
    ended = source.rows.end_all()

    assert sorted(ended.tolist()) == sorted(source.intake.slots("a") + source.intake.slots("b"))
    assert source.rows.end_all().tolist() == []


def test_a_series_that_left_while_the_queue_was_full_is_marked_stale_afterwards() -> None:
    source = Source()
    source.round("a 1\nb 1\nc 1\n")

    source.intake.queue.full = True
    with pytest.raises(OverloadedError):
        source.round("a 2\n")
    source.intake.queue.full = False
    source.round("a 3\nc 3\n")

    assert source.intake.samples("a") == [(999, 1.0), (2999, 3.0)]
    assert source.intake.samples("b") == [(999, 1.0), (2999, "stale")]
    assert source.intake.samples("c") == [(999, 1.0), (2999, 3.0)]
    account = source.intake.ledger.account("test")
    assert account.balanced
    assert account.dropped[Drop.OVERLOADED] == 3


def test_series_that_are_owed_end_unless_the_next_round_brings_them() -> None:
    source = Source()
    source.round("a 1\nb 1\n")
    owed = np.array(source.intake.slots("a") + source.intake.slots("b"), np.int64)
    source.begin()

    source.rows.owe(owed)
    source.round("b 2\n")
    source.round("b 3\n")

    assert source.intake.samples("a") == [(999, 1.0), (1999, "stale")]
    assert source.intake.samples("b") == [(999, 1.0), (1999, 2.0), (2999, 3.0)]


def test_two_rows_of_one_series_are_one_series() -> None:
    intake = Intake()
    source = Source(intake)
    source.rows = RowSlots(intake.writer, "test", lambda _labels: ((METRIC_NAME, "same"),))

    source.round("a 1\nb 2\n")
    source.round("a 3\n")

    # The first of a page counts; the series goes on as long as one of its rows does.
    assert intake.samples("same") == [(999, 1.0), (1999, 3.0)]
    assert intake.ledger.account("test").dropped[Drop.CONFLICT] >= 1


def test_slots_that_were_taken_back_are_not_used_any_more() -> None:
    source = Source()
    source.round("a 1\nb 1\n")

    source.intake.forget(*source.intake.slots("a"))

    assert source.rows.outdated
    with pytest.raises(StaleSlotsError):
        source.prepare("a 2\n")
    assert source.rows.end_all().tolist() == []
    source.begin()
    source.round("a 2\n")
    assert source.intake.samples("a") == [(2999, 2.0)]


names = st.lists(st.sampled_from("abcdef"), unique=True)


@given(st.lists(names, max_size=12), st.sets(st.integers(0, 11)))
def test_every_series_ends_exactly_when_it_leaves(pages: list[list[str]], overloaded: set[int]) -> None:
    source = Source()
    expected: dict[str, list[tuple[int, float | str]]] = {name: [] for name in "abcdef"}
    live: set[str] = set()

    for number, page in enumerate(pages):
        prepared = source.prepare("".join(f"{name} {number}\n" for name in page))
        source.intake.queue.full = number in overloaded
        try:
            source.store(prepared)
        except OverloadedError:
            # What was in it is lost; its series are live all the same and may end in a later round.
            live |= set(page)
            continue
        for name in page:
            expected[name].append((source.time, float(number)))
        for name in live - set(page):
            expected[name].append((source.time, "stale"))
        live = set(page)

    for name, samples in expected.items():
        assert source.intake.samples(name) == samples
    assert source.intake.ledger.account("test").balanced
