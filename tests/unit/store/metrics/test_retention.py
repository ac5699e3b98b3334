from __future__ import annotations

import pytest

from vedette.store.metrics.retention import PartitionUsage, Retention, plan

DAY_MS = 86_400_000
NOON_MS = 1_769_860_800_000  # 2026-01-31T12:00:00Z


def day(number: int, table: str = "samples", disk_bytes: int = 100) -> PartitionUsage:
    return PartitionUsage(table, f"202601{number:02}", 10, disk_bytes)


@pytest.mark.parametrize(
    ("keep_ms", "dropped"),
    [
        pytest.param(2 * DAY_MS, ["20260127", "20260128"], id="a day goes when all of it is too old"),
        pytest.param(2 * DAY_MS + DAY_MS // 2, ["20260127", "20260128"], id="to the millisecond"),
        pytest.param(2 * DAY_MS + DAY_MS // 2 + 1, ["20260127"], id="a day whose last sample may stay is kept"),
        pytest.param(100 * DAY_MS, [], id="nothing is too old"),
    ],
)
def test_days_that_are_too_old_are_dropped(keep_ms: int, dropped: list[str]) -> None:
    usage = [day(number) for number in (31, 30, 29, 28, 27)]

    due = plan(usage, Retention(keep_ms), now_ms=NOON_MS)

    assert [part.partition for part in due] == dropped


def test_all_tables_lose_the_same_days() -> None:
    usage = [day(1, "samples"), day(1, "series"), day(31, "samples"), day(31, "series")]

    due = plan(usage, Retention(DAY_MS), now_ms=NOON_MS)

    assert {(part.table, part.partition) for part in due} == {("samples", "20260101"), ("series", "20260101")}


def test_the_oldest_days_go_until_the_rest_fits() -> None:
    usage = [day(number) for number in (28, 29, 30, 31)]

    due = plan(usage, Retention(100 * DAY_MS, max_bytes=250), now_ms=NOON_MS)

    assert [part.partition for part in due] == ["20260128", "20260129"]


def test_today_is_kept_however_large_it_is() -> None:
    usage = [day(31, disk_bytes=10**12)]

    assert plan(usage, Retention(100 * DAY_MS, max_bytes=1), now_ms=NOON_MS) == []


def test_tables_without_days_are_never_dropped() -> None:
    usage = [PartitionUsage("metadata", "all", 10, 10**12)]

    assert plan(usage, Retention(0, max_bytes=1), now_ms=NOON_MS) == []
