from __future__ import annotations

import pytest
from simulation import NOON_MS, alert

from vedette.alerting import digest as digests
from vedette.alerting.cron import parse_cron
from vedette.alerting.digest import Digest, News


def _digest() -> Digest:
    return Digest(parse_cron("0 * * * *"), 0)


def test_beginnings_and_ends_are_counted() -> None:
    digest = _digest()
    for at, firing in enumerate([True, True, False, True, False]):
        digest.collect({"x": News(alert(), firing, new=True)}, "g", NOON_MS + at)

    (item,) = digest.items.values()

    assert (item.fired, item.resolved, item.firing, item.first_ms, item.last_ms) == (2, 2, False, NOON_MS, NOON_MS + 4)


def test_what_finds_no_room_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "MOST_ITEMS", 2)
    digest = _digest()

    digest.collect({name: News(alert(name), firing=True, new=True) for name in "abc"}, "g", NOON_MS)

    assert (sorted(digest.items), digest.omitted) == (["a", "b"], 1)


def test_what_changed_while_the_message_was_on_its_way_stays() -> None:
    digest = _digest()
    digest.collect({one: News(alert(one), firing=True, new=True) for one in "xy"}, "g", NOON_MS)
    digest.take(NOON_MS)
    digest.collect({"y": News(alert("y"), firing=False, new=True)}, "g", NOON_MS + 1)

    digest.sent(ok=True)

    assert list(digest.items) == ["y"]
