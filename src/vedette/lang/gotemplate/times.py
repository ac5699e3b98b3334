"""`time.Time` and `time.Duration` for templates: values, methods, and how they are shown.

Source: https://pkg.go.dev/time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from vedette.lang.gotemplate.calendar import (
    DAY_S,
    MONTHS,
    SECOND,
    UTC_ZONE,
    WEEKDAYS,
    ZERO_INSTANT,
    Date,
    Instant,
    Zone,
    days_of,
    instant_of,
    load_zone,
)
from vedette.lang.gotemplate.errors import FunctionError
from vedette.lang.gotemplate.kinds import BY_CHARACTER, INT, INT64, STRING, Function, GoType, Kind
from vedette.lang.gotemplate.layouts import FULL, RFC3339_NANO, format_time
from vedette.lang.gotemplate.literals import MAX_INT, MIN_INT
from vedette.lang.gotemplate.values import Typed

_Method = Callable[[Typed], Any]


def _of(method: _Method) -> Function:
    """A method without parameters."""
    return Function(method)


def _with(parameter: GoType, method: Callable[[Typed, Any], Any]) -> Function:
    """A method with one parameter."""
    return Function(method, (parameter,))


def _wrapped(number: int) -> int:
    """An int64 that overflows goes on from the other end, as Go's do."""
    return (number - MIN_INT) % (1 << 64) + MIN_INT


def _truncated(number: int, unit: int) -> int:
    """A quotient rounded towards zero."""
    return -(-number // unit) if number < 0 else number // unit


def duration_text(ns: int) -> str:
    """A duration as Go shows it: `1h2m0.5s`."""
    rest = abs(ns)
    sign = "-" if ns < 0 else ""
    if rest == 0:
        return "0s"
    for unit, name in ((1_000, "ns"), (1_000_000, "µs"), (SECOND, "ms")):
        if rest < unit:
            return f"{sign}{_decimal(rest, unit // 1_000)}{name}"
    minutes, rest = divmod(rest, 60 * SECOND)
    text = f"{_decimal(rest, SECOND)}s"
    if minutes:
        text = f"{minutes % 60}m{text}"
        if minutes >= 60:
            text = f"{minutes // 60}h{text}"
    return sign + text


def _decimal(number: int, unit: int) -> str:
    whole, rest = divmod(number, unit)
    if not rest:
        return str(whole)
    digits = len(str(unit)) - 1
    return f"{whole}.{rest:0{digits}d}".rstrip("0")


# Durations


def duration(ns: int) -> Typed:
    """`time.Duration`."""
    return Typed(DURATION, _wrapped(ns))


def _round_duration(self: Typed, unit: Typed) -> Typed:
    ns, step = self.value, unit.value
    if step <= 0:
        return self
    rest = abs(ns) % step
    rounded = abs(ns) - rest + (step if rest + rest >= step else 0)
    return Typed(DURATION, max(MIN_INT, min(MAX_INT, -rounded if ns < 0 else rounded)))


def _truncate_duration(self: Typed, unit: Typed) -> Typed:
    if unit.value <= 0:
        return self
    return duration(_truncated(self.value, unit.value) * unit.value)


def _in_units(unit_ns: int) -> _Method:
    def units(self: Typed) -> float:
        whole = _truncated(self.value, unit_ns)
        return float(whole) + (self.value - whole * unit_ns) / unit_ns

    return units


def _count_of(unit_ns: int) -> _Method:
    return lambda self: Typed(INT64, _truncated(self.value, unit_ns))


_DURATION_METHODS: Final[dict[str, Function]] = {}
DURATION: Final = GoType("time.Duration", Kind.INT, underlying="int64", methods=_DURATION_METHODS)
_DURATION_METHODS.update(
    {
        "String": _of(lambda self: duration_text(self.value)),
        "Seconds": Function(_in_units(SECOND)),
        "Minutes": Function(_in_units(60 * SECOND)),
        "Hours": Function(_in_units(3600 * SECOND)),
        "Milliseconds": Function(_count_of(1_000_000)),
        "Microseconds": Function(_count_of(1_000)),
        "Nanoseconds": Function(_count_of(1)),
        "Abs": _of(lambda self: Typed(DURATION, min(abs(self.value), MAX_INT))),
        "Round": Function(_round_duration, (DURATION,)),
        "Truncate": Function(_truncate_duration, (DURATION,)),
    }
)

# Months and weekdays


def _named(name: str, names: tuple[str, ...], first: int) -> GoType:
    def text(self: Typed) -> str:
        at: int = self.value - first
        return names[at] if 0 <= at < len(names) else f"%!{name.removeprefix('time.')}({self.value})"

    return GoType(name, Kind.INT, underlying="int", methods={"String": Function(text)})


MONTH: Final = _named("time.Month", MONTHS, 1)
WEEKDAY: Final = _named("time.Weekday", WEEKDAYS, 0)

# Places


_PLACE: Final = GoType("time.Location", Kind.STRUCT)
LOCATION: Final = GoType(
    "*time.Location",
    Kind.POINTER,
    elem=_PLACE,
    methods={"String": _of(lambda self: self.value.value.name)},
)


def location(zone: Zone) -> Typed:
    """`*time.Location`."""
    return Typed(LOCATION, Typed(_PLACE, zone))


# Times


def time(ns: int, zone: Zone = UTC_ZONE) -> Typed:
    """`time.Time`: nanoseconds since 1970, seen from a zone."""
    return Typed(TIME, Instant(ns, zone))


def in_zone(instant: Typed, name: str) -> Typed:
    """The same time seen from a zone of the tz database.

    Raises:
        FunctionError: there is no such zone.
    """
    try:
        return time(instant.value.ns, load_zone(name))
    except ValueError as exc:
        raise FunctionError(str(exc)) from exc


def json_time(instant: Instant) -> str:
    """A time in JSON.

    Raises:
        FunctionError: it has no RFC 3339 form.
    """
    if not 0 <= instant.date().year <= 9999:
        raise FunctionError("Time.MarshalJSON: year outside of range [0,9999]")
    if abs(instant.zone.at(instant.seconds)[1]) >= DAY_S:
        raise FunctionError("Time.MarshalJSON: timezone hour outside of range [0,23]")
    return f'"{format_time(instant, RFC3339_NANO)}"'


def _seen(instant: Instant, ns: int) -> Typed:
    return Typed(TIME, Instant(ns, instant.zone))


def _between(later: Typed, earlier: Typed) -> Typed:
    return Typed(DURATION, max(MIN_INT, min(MAX_INT, later.value.ns - earlier.value.ns)))


def _add_date(self: Typed, years: int, months: int, days: int) -> Typed:
    instant: Instant = self.value
    date = instant.date()
    if max(abs(years), abs(months), abs(days)) > _FAR:
        raise FunctionError("date out of range")
    year, month = divmod(date.year * 12 + date.month - 1 + years * 12 + months, 12)
    first = days_of(Date(year, month + 1, 1)) + date.day - 1 + days
    seconds = instant.local()[1]
    from_first = Date(1970, 1, 1 + first)
    return Typed(TIME, instant_of(from_first, seconds, instant.nanosecond, instant.zone))


_FAR: Final = 1_000_000_000


def _multiple(self: Typed, unit: Typed, *, rounded: bool) -> Typed:
    """A time at a multiple of a duration since the year 1."""
    instant: Instant = self.value
    step = unit.value
    if step <= 0:
        return self
    since = instant.ns - ZERO_INSTANT.ns
    rest = since % step
    up = rounded and rest + rest >= step
    return _seen(instant, instant.ns - rest + (step if up else 0))


def _format(self: Typed, layout: str) -> str:
    return format_time(self.value, layout)


def _go_string(self: Typed) -> str:
    at: Instant = self.value
    date, (hour, minute, second) = at.date(), at.clock()
    name = at.zone.name
    zone = "time.UTC" if name == "UTC" else f'time.Location("{name}")'
    month = f"time.{MONTHS[date.month - 1]}"
    return f"time.Date({date.year}, {month}, {date.day}, {hour}, {minute}, {second}, {at.nanosecond}, {zone})"


def _many(name: str, count: int) -> Function:
    return Function(_nothing, unfit=f"function {name} has {count} return values; should be 1 or 2")


def _second(name: str, kind: str) -> Function:
    return Function(
        _nothing, unfit=f"invalid function signature for {name}: second return value should be error; is {kind}"
    )


def _nothing(*_: Any) -> None:
    return None


def _compare(self: Typed, other: Typed) -> int:
    ours, theirs = self.value.ns, other.value.ns
    return (ours > theirs) - (ours < theirs)


_TIME_METHODS: Final[dict[str, Function]] = {}
TIME: Final = GoType("time.Time", Kind.STRUCT, methods=_TIME_METHODS, empty=ZERO_INSTANT)
_TIME_METHODS.update(
    {
        "Add": _with(DURATION, lambda self, by: _seen(self.value, self.value.ns + by.value)),
        "AddDate": Function(_add_date, (INT, INT, INT)),
        "After": _with(TIME, lambda self, other: self.value.ns > other.value.ns),
        "Before": _with(TIME, lambda self, other: self.value.ns < other.value.ns),
        "Clock": _many("Clock", 3),
        "Compare": Function(_compare, (TIME,)),
        "Date": _many("Date", 3),
        "Day": _of(lambda self: self.value.date().day),
        "Equal": _with(TIME, lambda self, other: self.value.ns == other.value.ns),
        "Format": Function(_format, (STRING,), effort=BY_CHARACTER),
        "GoString": Function(_go_string),
        "Hour": _of(lambda self: self.value.clock()[0]),
        "ISOWeek": _second("ISOWeek", "int"),
        "In": _with(LOCATION, lambda self, place: Typed(TIME, Instant(self.value.ns, place.value.value))),
        "IsDST": _of(lambda self: self.value.zone.is_summer_time(self.value.seconds)),
        "IsZero": _of(lambda self: self.value.ns == ZERO_INSTANT.ns),
        "Local": _of(lambda self: Typed(TIME, Instant(self.value.ns, UTC_ZONE))),
        "Location": _of(lambda self: location(self.value.zone)),
        "Minute": _of(lambda self: self.value.clock()[1]),
        "Month": _of(lambda self: Typed(MONTH, self.value.date().month)),
        "Nanosecond": _of(lambda self: self.value.nanosecond),
        "Round": _with(DURATION, lambda self, unit: _multiple(self, unit, rounded=True)),
        "Second": _of(lambda self: self.value.clock()[2]),
        "String": _of(lambda self: format_time(self.value, FULL)),
        "Sub": Function(_between, (TIME,)),
        "Truncate": _with(DURATION, lambda self, unit: _multiple(self, unit, rounded=False)),
        "UTC": _of(lambda self: Typed(TIME, Instant(self.value.ns, UTC_ZONE))),
        "Unix": _of(lambda self: Typed(INT64, self.value.seconds)),
        "UnixMicro": _of(lambda self: Typed(INT64, self.value.ns // 1_000)),
        "UnixMilli": _of(lambda self: Typed(INT64, self.value.ns // 1_000_000)),
        "UnixNano": _of(lambda self: Typed(INT64, _wrapped(self.value.ns))),
        "Weekday": _of(lambda self: Typed(WEEKDAY, self.value.weekday())),
        "Year": _of(lambda self: self.value.date().year),
        "YearDay": _of(lambda self: self.value.year_day()),
        "Zone": _second("Zone", "int"),
        "ZoneBounds": _second("ZoneBounds", "time.Time"),
    }
)
