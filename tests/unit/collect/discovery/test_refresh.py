from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.collect.discovery import Health, TargetGroup
from vedette.collect.discovery.groups import host_port, label_name
from vedette.collect.discovery.refresh import Findings, backoff_s, refresh_forever


class EndError(BaseException):
    """Ends the loop from within a pause."""


async def rounds(
    *findings: Findings | Exception, interval_s: float = 60
) -> tuple[list[list[TargetGroup]], list[float]]:
    """What is published, and how long each pause is, for these rounds."""
    published: list[list[TargetGroup]] = []
    pauses: list[float] = []
    script = iter(findings)

    async def find() -> Findings:
        found = next(script)
        if isinstance(found, Exception):
            raise found
        return found

    async def pause(seconds: float) -> None:
        await asyncio.sleep(0)
        pauses.append(seconds)
        if len(pauses) == len(findings):
            raise EndError

    def publish(groups: Sequence[TargetGroup]) -> None:
        published.append(list(groups))

    with pytest.raises(EndError):
        await refresh_forever(find, publish, interval_s=interval_s, health=Health("x", "job"), what="it", pause=pause)
    return published, pauses


def group(source: str, *addresses: str) -> TargetGroup:
    return TargetGroup(source, {}, tuple({"__address__": address} for address in addresses))


async def test_a_source_that_is_not_found_any_more_is_published_without_targets() -> None:
    a, b = group("a", "x:1"), group("b", "y:1")

    published, _ = await rounds(Findings({"a": a, "b": b}), Findings({"b": b}))

    assert published == [[a, b], [b, TargetGroup("a")]]


async def test_a_source_that_is_kept_is_not_published_and_not_gone() -> None:
    a = group("a", "x:1")

    published, _ = await rounds(Findings({"a": a}), Findings({"a": None}), Findings({}))

    assert published == [[a], [], [TargetGroup("a")]]


async def test_failures_publish_nothing_and_are_retried_ever_later_up_to_the_interval() -> None:
    published, pauses = await rounds(*[OSError("down")] * 8, interval_s=30)

    assert published == []
    assert pauses[0] <= 1
    assert 15 <= pauses[-1] <= 30


async def test_after_a_success_the_next_failure_is_retried_soon_again() -> None:
    _, pauses = await rounds(OSError(), OSError(), OSError(), Findings({}), OSError(), interval_s=60)

    assert pauses[3] > 30
    assert pauses[4] <= 1


@given(failures=st.integers(0, 10_000), longest_s=st.floats(0.1, 3600))
def test_a_pause_is_never_longer_than_the_interval_nor_zero(failures: int, longest_s: float) -> None:
    assert 0 < backoff_s(failures, longest_s) <= longest_s


def test_problems_are_counted_once_a_round_and_end_when_they_are_gone() -> None:
    health = Health("file", "job")

    health.note({"a": OSError("x"), "b": OSError("y")})
    health.note({"a": OSError("x")})

    assert (health.refreshes, health.failures) == (2, 2)
    assert health.problems == {"a": "x"}


def test_a_note_about_one_thing_leaves_problems_of_others() -> None:
    health = Health("kubernetes", "job")
    health.note({"pods": OSError("x")}, about=("pods",))

    health.note({}, about=("nodes",))
    assert health.problems == {"pods": "x"}
    health.note({}, about=("pods",))
    assert health.problems == {}


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        pytest.param("10.0.0.1", "10.0.0.1:80", id="IPv4"),
        pytest.param("fd00::1", "[fd00::1]:80", id="IPv6"),
        pytest.param("fe80::1%eth0", "[fe80::1%eth0]:80", id="IPv6 with a zone"),
        pytest.param("app.example", "app.example:80", id="a name"),
    ],
)
def test_a_host_and_its_port_are_joined(host: str, expected: str) -> None:
    assert host_port(host, 80) == expected


@given(st.text())
def test_any_text_becomes_a_label_name_of_its_length(text: str) -> None:
    name = label_name(text)

    assert len(name) == len(text)
    assert all(char == "_" or (char.isascii() and char.isalnum()) for char in name)
