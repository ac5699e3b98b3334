from __future__ import annotations

from pathlib import Path

import pytest

from vedette.store.state import (
    AlertBatch,
    AlertStore,
    AttemptRow,
    ConflictError,
    HistoryRow,
    KeepLimits,
    LabelsRow,
    StateRow,
    open_state,
)

FOREVER = KeepLimits(history_ms=1 << 50, history_rows=1 << 30, attempts_ms=1 << 50, attempts_rows=1 << 30)


def history(*times: int, fingerprint: str = "a", message: int | None = None) -> list[HistoryRow]:
    return [HistoryRow(at, fingerprint, message, f"{fingerprint}@{at}") for at in times]


async def test_the_last_content_of_a_row_is_what_is_loaded_after_reopening(tmp_path: Path) -> None:
    async with open_state(tmp_path / "state.db") as database:
        store = AlertStore(database)
        await store.commit(AlertBatch([StateRow("alert", "a", "1"), StateRow("group", "a", "2")]))
        await store.commit(AlertBatch([StateRow("alert", "a", "3"), StateRow("silence", "s", "4")]))
        await store.commit(AlertBatch([StateRow("group", "a", None), StateRow("log", "never there", None)]))

    async with open_state(tmp_path / "state.db") as database:
        found = await AlertStore(database).load()

    assert sorted(found) == [("alert", "a", "3"), ("silence", "s", "4")]


async def test_a_batch_is_stored_whole_or_not_at_all(tmp_path: Path) -> None:
    async with open_state(tmp_path / "state.db") as database:
        store = AlertStore(database)
        wrong = [HistoryRow(1, None, None, "x")]  # pyright: ignore[reportArgumentType] - the database refuses it
        with pytest.raises(ConflictError):
            await store.commit(AlertBatch([StateRow("alert", "a", "1")], history=wrong))

        assert await store.load() == []


async def test_history_is_told_oldest_first_and_the_newest_part_of_what_is_too_long(tmp_path: Path) -> None:
    async with open_state(tmp_path / "state.db") as database:
        store = AlertStore(database)
        await store.commit(AlertBatch(history=[*history(3, 1, 2), *history(2, fingerprint="b")]))

        assert await store.history(["a"], since_ms=0, until_ms=9, limit=2) == ["a@2", "a@3"]
        assert await store.history(["a"], since_ms=2, until_ms=2, limit=9) == ["a@2"]
        assert await store.history(["a", "b"], since_ms=0, until_ms=2, limit=9) == ["a@1", "a@2", "b@2"]
        assert len(await store.recent(since_ms=2, limit=9)) == 3


async def test_the_alerts_of_a_message_are_found(tmp_path: Path) -> None:
    async with open_state(tmp_path / "state.db") as database:
        store = AlertStore(database)
        rows = [*history(1, 2, message=7), *history(1, fingerprint="b", message=7), *history(1, fingerprint="c")]
        await store.commit(AlertBatch(history=rows))

        assert sorted(await store.alerts_of(7)) == ["a", "b"]
        assert await store.alerts_of(8) == []


async def test_labels_are_found_by_name_and_by_fingerprint_those_seen_last_first(tmp_path: Path) -> None:
    async with open_state(tmp_path / "state.db") as database:
        store = AlertStore(database)
        rows = [LabelsRow("a", "Down", 1, "old"), LabelsRow("b", "Down", 2, "b"), LabelsRow("c", "Full", 3, "c")]
        await store.commit(AlertBatch(labels=rows))
        await store.commit(AlertBatch(labels=[LabelsRow("a", "Down", 4, "new")]))

        assert [row.fingerprint for row in await store.labels(alertname="Down", limit=9)] == ["a", "b"]
        assert [row.fingerprint for row in await store.labels(alertname=None, limit=2)] == ["a", "c"]
        assert await store.labels_of("a") == LabelsRow("a", "Down", 4, "new")
        assert await store.labels_of("z") is None


async def test_attempts_are_told_newest_first(tmp_path: Path) -> None:
    async with open_state(tmp_path / "state.db") as database:
        store = AlertStore(database)
        rows = [AttemptRow(1, 7, "team", "x"), AttemptRow(2, 7, "team", "y"), AttemptRow(3, 8, "other", "z")]
        await store.commit(AlertBatch(attempts=rows))

        assert [row.content for row in await store.attempts(message=7, limit=9)] == ["y", "x"]
        assert [row.content for row in await store.attempts(receiver="other", limit=9)] == ["z"]
        assert [row.content for row in await store.attempts(until_ms=2, limit=1)] == ["y"]


@pytest.mark.parametrize(
    ("limits", "left"),
    [
        pytest.param(FOREVER, [1, 2, 3, 4], id="nothing is old or too much"),
        pytest.param(KeepLimits(2, 1 << 30, 2, 1 << 30), [3, 4], id="what is older than its time goes"),
        pytest.param(KeepLimits(1 << 50, 1, 1 << 50, 1), [4], id="what is beyond the number goes, oldest first"),
    ],
)
async def test_what_is_kept_is_bounded_by_age_and_number(tmp_path: Path, limits: KeepLimits, left: list[int]) -> None:
    async with open_state(tmp_path / "state.db") as database:
        store = AlertStore(database)
        attempts = [AttemptRow(at, 1, "team", str(at)) for at in (1, 2, 3, 4)]
        await store.commit(AlertBatch(history=history(1, 2, 3, 4), attempts=attempts))

        await store.purge(limits, now_ms=5)

        assert await store.history(["a"], since_ms=0, until_ms=9, limit=9) == [f"a@{at}" for at in left]
        assert [row.at_ms for row in await store.attempts(limit=9)] == left[::-1]


async def test_labels_go_with_the_last_decision_about_their_alert(tmp_path: Path) -> None:
    async with open_state(tmp_path / "state.db") as database:
        store = AlertStore(database)
        labels = [LabelsRow("a", "Down", 1, "x"), LabelsRow("b", "Down", 1, "y")]
        await store.commit(AlertBatch(history=history(9), labels=labels))

        await store.purge(KeepLimits(5, 9, 5, 9), now_ms=10)

        assert [row.fingerprint for row in await store.labels(alertname=None, limit=9)] == ["a"]
