"""Ask again and again: the loop of all discovery that goes by an interval.

Round k is due at `start + k * interval`. A round that fails is tried again sooner, after a pause that
grows from one second to the interval and is jittered, so that what went down together does not come
back together.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from vedette.collect.discovery.groups import Publish, TargetGroup
from vedette.collect.discovery.health import Health


@dataclass(frozen=True, slots=True)
class Findings:
    """What one round found.

    Attributes:
        groups: by source. None keeps what was found last under this source; one that is not there is gone.
        problems: what failed in part, by what it is about.
    """

    groups: Mapping[str, TargetGroup | None]
    problems: Mapping[str, Exception] = field(default_factory=dict[str, Exception])


Pause = Callable[[float], Awaitable[None]]
"""Waits for so many seconds, or until there is a reason to go on."""

_FIRST_PAUSE_S: Final = 1.0


async def refresh_forever(
    find: Callable[[], Awaitable[Findings]],
    publish: Publish,
    *,
    interval_s: float,
    health: Health,
    what: str,
    pause: Pause = asyncio.sleep,
) -> None:
    """Publish what `find` finds, until cancelled.

    Args:
        find: one round; what it raises fails the round.
        publish: where groups go; sources that are gone are published without targets.
        interval_s: from one round to the next.
        health: where rounds are counted.
        what: what is asked, for the log.
        pause: waits between rounds.
    """
    loop = asyncio.get_running_loop()
    known: set[str] = set()
    failures = 0
    due_s = loop.time()
    while True:
        try:
            found = await find()
        except Exception as exc:  # noqa: BLE001 - a round is the unit of failure here
            pause_s = backoff_s(failures, interval_s)
            failures += 1
            health.note({what: exc}, retry_in_s=round(pause_s, 1))
            due_s = loop.time() + pause_s
        else:
            failures = 0
            health.note(found.problems)
            gone = [TargetGroup(source) for source in sorted(known - found.groups.keys())]
            publish([*(group for group in found.groups.values() if group is not None), *gone])
            known = set(found.groups)
            # Rounds that were missed (a suspended machine, a slow server) are not made up for.
            due_s += interval_s * (1 + max(0, (loop.time() - due_s) // interval_s))
        await pause(max(0.0, due_s - loop.time()))


def backoff_s(failures: int, longest_s: float) -> float:
    """The pause after a failure that came after so many others: doubling, bounded, jittered."""
    pause_s = min(longest_s, _FIRST_PAUSE_S * 2 ** min(failures, 20))
    return pause_s * random.uniform(0.5, 1.0)  # noqa: S311 - no secret depends on it
