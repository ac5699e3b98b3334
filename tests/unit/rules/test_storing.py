from __future__ import annotations

import numpy as np

from harness.in_memory import InMemory
from harness.rules import labels_of
from vedette.ingest.limits import Drop, IngestLimits
from vedette.model.samples import is_stale
from vedette.rules import RuleSamples

NOW = 1_000_000
ONE = labels_of(name="one")


def opened(*, max_series: int = 100) -> tuple[InMemory, RuleSamples]:
    vedette = InMemory(limits=IngestLimits(max_series=max_series, retention_ms=10 * NOW), now_ms=NOW)
    return vedette, RuleSamples(vedette.writer)


def test_samples_are_stored_and_booked_as_those_of_rules() -> None:
    vedette, samples = opened()

    slots, problem = samples.resolve([ONE])
    assert problem == ""
    assert samples.write(slots, NOW, np.array([7.0])) == ""

    assert vedette.samples(ONE) == [(NOW, 7.0)]
    assert vedette.ledger.account("rules").stored == 1


def test_a_series_beyond_the_limit_is_named_and_booked_each_time() -> None:
    vedette, samples = opened(max_series=1)

    for _ in range(2):
        slots, problem = samples.resolve([ONE, labels_of(name="two")])

    assert (slots >= 0).tolist() == [True, False]
    assert "limits.series" in problem
    account = vedette.ledger.account("rules")
    assert account.dropped == {Drop.SERIES_LIMIT: 2}
    assert account.balanced


def test_another_value_at_the_same_time_is_a_problem() -> None:
    _, samples = opened()
    slots, _ = samples.resolve([ONE])

    samples.write(slots, NOW, np.array([7.0]))

    assert "another value" in samples.write(slots, NOW, np.array([8.0]))


def test_an_ended_series_ends_with_a_stale_marker() -> None:
    vedette, samples = opened()
    slots, _ = samples.resolve([ONE])
    samples.write(slots, NOW - 10, np.array([7.0]))

    samples.end(slots, NOW)

    (first, last) = vedette.samples(ONE)
    assert first == (NOW - 10, 7.0)
    assert last[0] == NOW
    assert is_stale(np.array([last[1]]))[0]


def test_a_series_that_has_a_sample_of_that_time_or_a_later_one_goes_on() -> None:
    vedette, samples = opened()
    two = labels_of(name="two")
    slots, _ = samples.resolve([ONE, two])
    samples.write(slots, NOW, np.array([7.0, 8.0]))

    samples.end(slots[:1], NOW)
    samples.end(slots[1:], NOW - 5)

    assert vedette.samples(ONE) == [(NOW, 7.0)]
    assert vedette.samples(two) == [(NOW, 8.0)]
    assert vedette.ledger.account("rules").dropped == {}
