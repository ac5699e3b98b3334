"""Durations and sizes as people write them in configurations, queries and rules.

A duration is Prometheus': integers with the units y, w, d, h, m, s and ms, each at most once and in this
order (`1h30m`), or a bare `0`. A year has 365 days, a week 7 and a day 24 hours. A size is a number with a
unit: `B`, `KB`, `MB` and so on up to `EB`, each 1024 times the one before; `KiB` means the same as `KB`.

Source: prometheus/common's model.Duration and alecthomas/units' Base2Bytes, as Prometheus uses them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_DURATION = re.compile(
    r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?",
    re.ASCII,
)
_UNITS_MS: Final = (
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
)
MAX_DURATION_MS: Final = (2**63 - 1) // 1_000_000
"""Prometheus counts nanoseconds in an int64: some 292 years."""

_LONGEST: Final = 200
"""Characters; no duration or size that means anything is longer."""

_SIZE = re.compile(r"([-+]?)((?:(?:\d+(?:\.\d*)?|\.\d+)[A-Za-z]+)+)", re.ASCII)
_SIZE_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)([A-Za-z]+)", re.ASCII)
_SIZE_UNITS: Final = {
    "B": 1,
    **{f"{letter}{end}": 1024**power for power, letter in enumerate("KMGTPE", 1) for end in ("B", "iB")},
    "kB": 1024,
    "kiB": 1024,
}
_MAX_BYTES: Final = 2**63 - 1


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A span of time.

    Attributes:
        ms: milliseconds; negative only where the place allows it.
    """

    ms: int = 0

    @property
    def s(self) -> float:
        """The same in seconds."""
        return self.ms / 1000

    def __bool__(self) -> bool:
        return self.ms != 0

    def __str__(self) -> str:
        return format_duration(self.ms)


@dataclass(frozen=True, slots=True, order=True)
class Size:
    """An amount of memory, disk or traffic.

    Attributes:
        bytes: how many; negative only where the place allows it.
    """

    bytes: int = 0

    def __bool__(self) -> bool:
        return self.bytes != 0

    def __str__(self) -> str:
        return format_size(self.bytes)


def parse_duration(text: str, *, allow_negative: bool = False) -> int:
    """Milliseconds of a duration such as `5m` or `1h30m`.

    Raises:
        ValueError: it is not a duration, or more than some 292 years.
    """
    sign, digits = 1, text
    if allow_negative and text.startswith("-"):
        sign, digits = -1, text[1:]
    if digits == "0":
        return 0
    if not digits:
        raise ValueError("empty duration string")
    found = _DURATION.fullmatch(digits) if len(digits) <= _LONGEST else None
    if found is None:
        raise ValueError(f'not a valid duration string: "{text[:100]}"')
    total = sum(int(number) * unit_ms for number, (_, unit_ms) in zip(found.groups("0"), _UNITS_MS, strict=True))
    if total > MAX_DURATION_MS:
        raise ValueError(f'duration out of range: "{text}"')
    return sign * total


def format_duration(ms: int) -> str:
    """A duration in the shortest units that people read well: `90d` rather than `12w6d`."""
    if ms == 0:
        return "0s"
    parts = ["-"] if ms < 0 else []
    rest = abs(ms)
    for unit, unit_ms in _UNITS_MS:
        if unit in ("y", "w") and rest % unit_ms:
            continue
        number, rest = divmod(rest, unit_ms)
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts)


def parse_size(text: str) -> int:
    """Bytes of a size such as `64MB` or `1GB512MB`; a bare `0` needs no unit.

    Raises:
        ValueError: it is not a size, its unit is missing, or it does not fit into 63 bits.
    """
    if text == "0":
        return 0
    found = _SIZE.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        raise ValueError(f'not a valid size: "{text[:100]}"')
    total = 0.0
    exact = 0
    for number, unit in _SIZE_PART.findall(found[2]):
        scale = _SIZE_UNITS.get(unit)
        if scale is None:
            raise ValueError(f'unknown unit "{unit}" in the size "{text}"')
        if "." in number:
            total += float(number) * scale
        else:
            exact += int(number) * scale
    size = exact + int(total)
    if size > _MAX_BYTES:
        raise ValueError(f'size out of range: "{text}"')
    return -size if found[1] == "-" else size


def format_size(size_bytes: int) -> str:
    """A size in the largest unit that states it exactly."""
    rest = abs(size_bytes)
    if rest:
        for power, letter in reversed(list(enumerate("KMGTPE", 1))):
            if rest % 1024**power == 0:
                return f"{'-' if size_bytes < 0 else ''}{rest // 1024**power}{letter}B"
    return f"{size_bytes}B"
