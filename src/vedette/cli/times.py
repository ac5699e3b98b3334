"""Times as people type them at a prompt, and as they read them: in their own time zone.

`now`, `-1h` (before now), `14:30` (the latest one), `2026-05-01`, `2026-05-01 14:30`, RFC 3339, or seconds since the
epoch. Without a zone a time is local.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Final

from vedette.cli.exit_codes import ExitCode
from vedette.cli.failures import CommandError
from vedette.model.durations import parse_duration

_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?", re.ASCII)
_FORMS: Final = "now, -1h, 14:30, 2026-05-01, '2026-05-01 14:30', RFC 3339, or seconds since the epoch"

_STEPS_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400)


def parse_moment(option: str, text: str, now: datetime) -> datetime:
    """A time.

    Args:
        option: which one it is, for the error.
        text: what was typed.
        now: the time, with a zone: the one in which others are read.

    Raises:
        CommandError: it is none.
    """
    clean = text.strip()
    if clean == "now":
        return now
    relative = clean.removeprefix("now")
    try:
        if relative.startswith(("-", "+")):
            ms = parse_duration(relative[1:])
            return now + timedelta(milliseconds=-ms if relative[0] == "-" else ms)
        clock = _CLOCK.fullmatch(clean)
        if clock is not None:
            found = now.replace(hour=int(clock[1]), minute=int(clock[2]), second=int(clock[3] or 0), microsecond=0)
            return found if found <= now else found - timedelta(days=1)
        if re.fullmatch(r"\d{5,}(\.\d+)?", clean, re.ASCII) and len(clean) != len("20260501"):
            return local_moment(float(clean))
        moment = datetime.fromisoformat(clean)
    except (ValueError, OverflowError, OSError) as exc:
        raise CommandError(
            f"{option}: {text!r} is not a time", remedy=f"Write it as {_FORMS}.", exit_code=ExitCode.USAGE
        ) from exc
    # Without a zone it is the machine's, by the rules of that day and not of today.
    return moment if moment.tzinfo is not None else moment.astimezone()


def parse_step(text: str) -> float:
    """Seconds of a step such as `30s`, or of bare seconds.

    Raises:
        CommandError: it is none, or not above zero.
    """
    try:
        seconds = float(text) if re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII) else parse_duration(text) / 1000
    except ValueError as exc:
        problem = f"--step: {text!r} is not a duration"
        raise CommandError(problem, remedy="Write it as in 30s or 5m.", exit_code=ExitCode.USAGE) from exc
    if not 0.001 <= seconds < math.inf:
        raise CommandError("--step: it must be above zero", exit_code=ExitCode.USAGE)
    return seconds


def choose_step(span_s: float, points: int) -> float:
    """A round step that makes about so many points."""
    wanted = span_s / max(points, 1)
    for step in _STEPS_S:
        if step >= wanted:
            return float(step)
    return math.ceil(wanted / 86_400) * 86_400.0


def local_moment(seconds: float) -> datetime:
    """A time in the machine's zone."""
    return datetime.fromtimestamp(seconds, UTC).astimezone()


def show_moment(moment: datetime, *, millis: bool = False) -> str:
    """A time to the second, without its zone."""
    return moment.isoformat(sep=" ", timespec="milliseconds" if millis else "seconds")[: 23 if millis else 19]


def show_ago(seconds: float) -> str:
    """How long something is ago, shortly: `3.2 s`, `4 min`, `2 h`, `3 d`."""
    for limit, unit, name in ((60.0, 1.0, "s"), (3600.0, 60.0, "min"), (86_400.0, 3600.0, "h")):
        if abs(seconds) < limit:
            return f"{seconds / unit:.1f} {name}" if unit == 1.0 else f"{seconds / unit:.0f} {name}"
    return f"{seconds / 86_400:.0f} d"
