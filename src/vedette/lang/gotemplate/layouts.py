"""Write and read times by Go's layouts, which show how the second of January 2006, 15:04:05, would look.

Source: https://pkg.go.dev/time#pkg-constants.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from vedette.lang.gotemplate.calendar import (
    MONTHS,
    UTC_ZONE,
    WEEKDAYS,
    Date,
    Instant,
    Zone,
    days_in,
    days_of,
    instant_of,
    is_leap,
)
from vedette.lang.gotemplate.calendar import date_of as _date_of
from vedette.lang.gotemplate.text import to_bytes

RFC3339_NANO: Final = "2006-01-02T15:04:05.999999999Z07:00"
FULL: Final = "2006-01-02 15:04:05.999999999 -0700 MST"

_PART = re.compile(
    r"January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|0[1-6]|002|15|1|2006|2|_2(?!006)|__2|3|4|5|PM|pm"
    r"|-070000|-07:00:00|-0700|-07:00|-07|Z070000|Z07:00:00|Z0700|Z07:00|Z07|[.,](?:0+|9+)(?!\d)"
)
_SHORT_MONTHS: Final = tuple(name[:3] for name in MONTHS)
_SHORT_WEEKDAYS: Final = tuple(name[:3] for name in WEEKDAYS)
_UPPER = re.compile(r"[A-Z]{0,6}")
_LONGEST_KEPT: Final = 200
_LONGEST_READ: Final = 1_000
_DIGITS = re.compile(r"\d+", re.ASCII)


class _Piece(NamedTuple):
    """Literal text and the part behind it (empty at the end)."""

    before: str
    part: str


def _pieces(layout: str) -> tuple[_Piece, ...]:
    return _kept_pieces(layout) if len(layout) <= _LONGEST_KEPT else _read_pieces(layout)


@functools.lru_cache(maxsize=256)
def _kept_pieces(layout: str) -> tuple[_Piece, ...]:
    return _read_pieces(layout)


def _read_pieces(layout: str) -> tuple[_Piece, ...]:
    pieces: list[_Piece] = []
    done = 0
    for found in _PART.finditer(layout):
        pieces.append(_Piece(layout[done : found.start()], found[0]))
        done = found.end()
    pieces.append(_Piece(layout[done:], ""))
    return tuple(pieces)


def format_time(instant: Instant, layout: str) -> str:
    """An instant in a layout."""
    out: list[str] = []
    for before, part in _pieces(layout):
        out.append(before)
        if part:
            writer = _WRITERS.get(part)
            out.append(writer(instant) if writer is not None else _fraction(instant, part))
    return "".join(out)


def _fraction(instant: Instant, part: str) -> str:
    digits = f"{instant.nanosecond:09d}"[: len(part) - 1].ljust(len(part) - 1, "0")
    if part[1] == "0":
        return part[0] + digits
    digits = digits.rstrip("0")
    return part[0] + digits if digits else ""


def _number(number: int, width: int) -> str:
    return f"-{-number:0{width}d}" if number < 0 else f"{number:0{width}d}"


def _offset(instant: Instant, part: str) -> str:
    offset = instant.zone.at(instant.seconds)[1]
    if part[0] == "Z" and offset == 0:
        return "Z"
    minutes = abs(offset) // 60
    shape = part[1:]
    colon = ":" if ":" in shape else ""
    text = f"{'-' if offset < 0 and minutes else '+'}{minutes // 60:02d}"
    if len(shape) > 2:
        text += f"{colon}{minutes % 60:02d}"
    if len(shape.replace(":", "")) > 4:
        text += f"{colon}{abs(offset) % 60:02d}"
    return text


def _zone_name(instant: Instant) -> str:
    name, offset = instant.zone.at(instant.seconds)
    if name:
        return name
    minutes = abs(offset) // 60
    return f"{'-' if offset < 0 else '+'}{minutes // 60:02d}{minutes % 60:02d}"


def _hour12(instant: Instant) -> int:
    return instant.clock()[0] % 12 or 12


_Writer = Callable[[Instant], str]

_OFFSETS: Final = tuple(
    part for sign in "-Z" for part in (f"{sign}070000", f"{sign}07:00:00", f"{sign}0700", f"{sign}07:00", f"{sign}07")
)
_WRITERS: Final[dict[str, _Writer]] = {
    "January": lambda at: MONTHS[at.date().month - 1],
    "Jan": lambda at: _SHORT_MONTHS[at.date().month - 1],
    "1": lambda at: str(at.date().month),
    "01": lambda at: f"{at.date().month:02d}",
    "Monday": lambda at: WEEKDAYS[at.weekday()],
    "Mon": lambda at: _SHORT_WEEKDAYS[at.weekday()],
    "2": lambda at: str(at.date().day),
    "_2": lambda at: f"{at.date().day:2d}",
    "02": lambda at: f"{at.date().day:02d}",
    "__2": lambda at: f"{at.year_day():3d}",
    "002": lambda at: f"{at.year_day():03d}",
    "15": lambda at: f"{at.clock()[0]:02d}",
    "3": lambda at: str(_hour12(at)),
    "03": lambda at: f"{_hour12(at):02d}",
    "4": lambda at: str(at.clock()[1]),
    "04": lambda at: f"{at.clock()[1]:02d}",
    "5": lambda at: str(at.clock()[2]),
    "05": lambda at: f"{at.clock()[2]:02d}",
    "2006": lambda at: _number(at.date().year, 4),
    "06": lambda at: f"{abs(at.date().year) % 100:02d}",
    "PM": lambda at: "PM" if at.clock()[0] >= 12 else "AM",
    "pm": lambda at: "pm" if at.clock()[0] >= 12 else "am",
    "MST": _zone_name,
    **{part: functools.partial(_offset, part=part) for part in _OFFSETS},
}


def parse_time(layout: str, text: str) -> Instant:
    """The instant that a text in a layout gives; in UTC if it names no zone.

    Raises:
        ValueError: the text does not have the layout; the message is Go's. Or one of them is far too long.
    """
    if max(len(layout), len(text)) > _LONGEST_READ:
        raise ValueError(f"parsing time: more than {_LONGEST_READ:,} characters")
    return _Reader(layout, text).read()


class _BadError(Exception):
    """A part does not have its form."""


class _RangeError(Exception):
    """A part has its form, but no such value exists."""


@dataclass(slots=True)
class _Found:
    """What the parts said."""

    year: int = 0
    month: int = -1
    day: int = -1
    year_day: int = -1
    hour: int = 0
    minute: int = 0
    second: int = 0
    nanosecond: int = 0
    half: str = ""
    zone: Zone | None = None
    offset_s: int | None = None
    zone_name: str = ""


class _Reader:
    """Reads a text part by part."""

    def __init__(self, layout: str, text: str) -> None:
        self._layout, self._text = layout, text
        self._rest = text
        self._found = _Found()

    def read(self) -> Instant:
        """The instant."""
        pieces = _pieces(self._layout)
        for number, (before, part) in enumerate(pieces):
            self._skip(before)
            if not part:
                if self._rest:
                    raise self._error(f": extra text: {_quote(self._rest)}")
                break
            follows = pieces[number + 1]
            held = self._rest
            try:
                self._part(part, fraction_follows=not follows.before and follows.part[:1] in (".", ","))
            except _RangeError as exc:
                raise self._error(f": {exc} out of range") from exc
            except _BadError as exc:
                raise self._cannot(held, part) from exc
        return self._instant()

    def _error(self, message: str) -> ValueError:
        return ValueError(f"parsing time {_quote(self._text)}{message}")

    def _cannot(self, rest: str, part: str) -> ValueError:
        return self._error(f" as {_quote(self._layout)}: cannot parse {_quote(rest)} as {_quote(part)}")

    def _skip(self, before: str) -> None:
        prefix = before
        while prefix:
            if prefix[0] == " ":
                if self._rest and self._rest[0] != " ":
                    raise self._cannot(self._rest, before)
                prefix, self._rest = prefix.lstrip(" "), self._rest.lstrip(" ")
            elif not self._rest or self._rest[0] != prefix[0]:
                raise self._cannot(self._rest, before)
            else:
                prefix, self._rest = prefix[1:], self._rest[1:]

    def _part(self, part: str, *, fraction_follows: bool) -> None:  # noqa: C901, PLR0912 - one case for each part
        found = self._found
        match part:
            case "06":
                year = self._integer(2)
                found.year = year + (1900 if year >= 69 else 2000)
            case "2006":
                if not _is_digit(self._rest, 0):
                    raise _BadError
                found.year = self._integer(4)
            case "January" | "Jan":
                found.month = self._name(MONTHS if part == "January" else _SHORT_MONTHS) + 1
            case "Monday" | "Mon":
                self._name(WEEKDAYS if part == "Monday" else _SHORT_WEEKDAYS)
            case "1" | "01":
                found.month = self._digits(fixed=part == "01", what="month", allowed=range(1, 13))
            case "2" | "_2" | "02":
                if part == "_2":
                    self._rest = self._rest.removeprefix(" ")
                found.day = self._digits(fixed=part == "02")
            case "002" | "__2":
                self._year_day(part)
            case "15":
                found.hour = self._digits(fixed=False, what="hour", allowed=range(24))
            case "3" | "03":
                found.hour = self._digits(fixed=part == "03", what="hour", allowed=range(13))
            case "4" | "04":
                found.minute = self._digits(fixed=part == "04", what="minute", allowed=range(60))
            case "5" | "05":
                found.second = self._digits(fixed=part == "05", what="second", allowed=range(60))
                if not fraction_follows and self._rest[:1] in (".", ",") and _is_digit(self._rest, 1):
                    self._fraction_of(1 + len(_digit_run(self._rest[1:])))
            case "PM" | "pm":
                found.half = self._half(part)
            case "MST":
                self._zone()
            case _ if part[0] in ".,":
                self._fraction(part)
            case _:
                self._offset(part)

    def _take(self, count: int) -> str:
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken

    def _integer(self, count: int) -> int:
        if len(self._rest) < count:
            raise _BadError
        taken = self._take(count)
        unsigned = taken[1:] if taken[0] in "+-" else taken
        if not unsigned.isdecimal() or not unsigned.isascii():
            raise _BadError
        return int(taken)

    def _name(self, names: tuple[str, ...]) -> int:
        for number, name in enumerate(names):
            if self._rest[: len(name)].lower() == name.lower():
                self._take(len(name))
                return number
        raise _BadError

    def _digits(self, *, fixed: bool, what: str = "", allowed: range | None = None) -> int:
        if not _is_digit(self._rest, 0):
            raise _BadError
        two = _is_digit(self._rest, 1)
        if fixed and not two:
            raise _BadError
        number = int(self._take(2 if two else 1))
        if allowed is not None and number not in allowed:
            raise _RangeError(what)
        return number

    def _year_day(self, part: str) -> None:
        if part == "__2":
            for _ in range(2):
                self._rest = self._rest.removeprefix(" ")
        run = _digit_run(self._rest)[:3]
        if not run or (part == "002" and len(run) != 3):
            raise _BadError
        self._found.year_day = int(self._take(len(run)))

    def _half(self, part: str) -> str:
        half = self._take(2)
        if half not in (("PM", "AM") if part == "PM" else ("pm", "am")):
            raise _BadError
        return half.upper()

    def _fraction(self, part: str) -> None:
        if part[1] == "0":
            if len(self._rest) < len(part):
                raise _BadError
            self._fraction_of(len(part))
        elif self._rest[:1] in (".", ",") and _is_digit(self._rest, 1):
            self._fraction_of(1 + len(_digit_run(self._rest[1:])))

    def _fraction_of(self, count: int) -> None:
        taken = self._rest[:count]
        digits = taken[1:10]
        if taken[0] not in ".," or not digits.isascii() or not digits.isdecimal():
            raise _BadError
        self._take(count)
        self._found.nanosecond = int(digits.ljust(9, "0"))

    def _offset(self, part: str) -> None:
        if part[0] == "Z" and self._rest.startswith("Z"):
            self._take(1)
            self._found.zone = UTC_ZONE
            return
        if len(self._rest) < len(part):
            raise _BadError
        taken = self._take(len(part))
        numbers: list[int] = []
        shape = part[1:]
        at = 1
        while at <= len(shape):
            if shape[at - 1] == ":":
                if taken[at] != ":":
                    raise _BadError
                at += 1
            two = taken[at : at + 2]
            if not two.isascii() or not two.isdecimal():
                raise _BadError
            numbers.append(int(two))
            at += 2
        for number, most, what in zip(numbers, (24, 60, 60), ("hour", "minute", "second"), strict=False):
            if number > most:
                raise _RangeError(f"time zone offset {what}")
        if taken[0] not in "+-":
            raise _BadError
        hours, minutes, seconds = (*numbers, 0, 0)[:3]
        offset = (hours * 60 + minutes) * 60 + seconds
        self._found.offset_s = -offset if taken[0] == "-" else offset

    def _zone(self) -> None:
        if self._rest.startswith("UTC"):
            self._take(3)
            self._found.zone = UTC_ZONE
            return
        length = _zone_length(self._rest)
        if not length:
            raise _BadError
        self._found.zone_name = self._take(length)

    def _instant(self) -> Instant:
        found = self._found
        hour = found.hour
        if found.half == "PM" and hour < 12:
            hour += 12
        elif found.half == "AM" and hour == 12:
            hour = 0
        date = self._date()
        second = (hour * 60 + found.minute) * 60 + found.second
        if found.zone is not None:
            return instant_of(date, second, found.nanosecond, found.zone)
        offset, name = found.offset_s, found.zone_name
        if offset is None and name:
            offset = int(name[3:]) * 3600 if name[:3] == "GMT" and len(name) > 3 else 0
        if offset is None or (offset == 0 and not name):
            return instant_of(date, second, found.nanosecond, UTC_ZONE)
        return instant_of(date, second, found.nanosecond, Zone(name, offset_s=offset))

    def _date(self) -> Date:
        found = self._found
        if found.year_day >= 0:
            if not 1 <= found.year_day <= 365 + is_leap(found.year):
                raise self._error(": day-of-year out of range")
            date = _date_of(days_of(Date(found.year, 1, 1)) + found.year_day - 1)
            if found.month >= 0 and found.month != date.month:
                raise self._error(": day-of-year does not match month")
            if found.day >= 0 and found.day != date.day:
                raise self._error(": day-of-year does not match day")
            return date
        month = found.month if found.month >= 0 else 1
        day = found.day if found.day >= 0 else 1
        if not 1 <= day <= days_in(found.year, month):
            raise self._error(": day out of range")
        return Date(found.year, month, day)


def _zone_length(text: str) -> int:
    """How many characters of a text look like the name of a zone."""
    if text.startswith(("ChST", "MeST")):
        return 4
    if text.startswith("GMT"):
        return 3 + (_signed_offset(text[3:]) if len(text) > 3 else 0)
    if text[:1] in ("+", "-"):
        return _signed_offset(text) if len(text) >= 3 else 0
    found = _UPPER.match(text)
    count = len(found[0]) if found is not None else 0
    if count == 3 or (count == 5 and text[4] == "T"):
        return count
    return 4 if count == 4 and (text[3] == "T" or text[:4] == "WITA") else 0


def _signed_offset(text: str) -> int:
    if text[0] not in "+-":
        return 0
    digits = _digit_run(text[1:])
    return 1 + len(digits) if digits and len(digits) < 19 and int(digits) <= 23 else 0


def _digit_run(text: str) -> str:
    found = _DIGITS.match(text)
    return found[0] if found is not None else ""


def _is_digit(text: str, at: int) -> bool:
    return "0" <= text[at : at + 1] <= "9" and at < len(text)


def _quote(text: str) -> str:
    """A text in quotes, as Go's package `time` does it: byte by byte."""
    out: list[str] = []
    for char in text:
        if char < " " or char > "\x7f":
            out.extend(f"\\x{byte:02x}" for byte in to_bytes(char))
        else:
            out.append(f"\\{char}" if char in '"\\' else char)
    return f'"{"".join(out)}"'
