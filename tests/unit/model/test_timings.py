from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from vedette.model.timings import Timings

BOUNDS = (0.001, 0.5, 10)


def shown(registry: CollectorRegistry) -> list[bytes]:
    return [line for line in generate_latest(registry).splitlines() if b"_created" not in line]


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.floats(0, 20) | st.sampled_from(BOUNDS))))
def test_durations_are_shown_as_prometheus_client_shows_them(durations: list[tuple[str, float]]) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    timings = Timings("took_seconds", "Time.", ["kind"], BOUNDS, ours)
    histogram = Histogram("took_seconds", "Time.", ["kind"], buckets=BOUNDS, registry=theirs)

    for kind, took_s in durations:
        timings.of(kind).note(took_s)
        histogram.labels(kind=kind).observe(took_s)

    assert shown(ours) == shown(theirs)


def test_what_has_not_happened_yet_is_shown_as_zero_once_it_has_been_asked_for() -> None:
    registry = CollectorRegistry()
    timings = Timings("took_seconds", "Time.", ["kind"], BOUNDS, registry)

    timings.of("a")

    assert registry.get_sample_value("took_seconds_count", {"kind": "a"}) == 0
