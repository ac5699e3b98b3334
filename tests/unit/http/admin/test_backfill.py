from __future__ import annotations

import dataclasses

import pytest

from harness.intake import NOW_MS, Intake
from vedette.http.admin.backfill import Backfill
from vedette.model.errors import DecodeError


def chunk(series: int, samples: int) -> bytes:
    lines = (
        f'm{{n="{number}"}} 1 {NOW_MS - 1000 * (samples - at)}\n' for number in range(series) for at in range(samples)
    )
    return "".join(lines).encode()


async def test_samples_of_series_beyond_the_limit_are_counted_and_the_rest_is_stored() -> None:
    intake = Intake()
    intake.writer.limits = dataclasses.replace(intake.writer.limits, max_series=40)

    result = await Backfill(intake.writer, intake.metadata).take(chunk(series=100, samples=3))

    assert result == {"samples": 120, "series": 40, "dropped": {"series_limit": 180}}
    account = intake.ledger.accounts()["import"]
    assert account.received == 300
    assert account.balanced


async def test_what_is_there_already_is_dropped_as_a_duplicate() -> None:
    intake = Intake()
    backfill = Backfill(intake.writer, intake.metadata)
    await backfill.take(chunk(series=2, samples=2))

    result = await backfill.take(chunk(series=2, samples=3))

    assert result["samples"] == 2
    assert result["dropped"] == {"duplicate": 4}


async def test_a_sample_without_a_time_is_refused_by_its_labels() -> None:
    intake = Intake()

    with pytest.raises(DecodeError, match=r'm{n="1"} has no time'):
        await Backfill(intake.writer, intake.metadata).take(b'm{n="1"} 1\n')
