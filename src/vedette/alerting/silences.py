"""Silences: people's word that certain alerts need no telling, for a time.

A silence has matchers, a start and an end, an author and a reason. It may come back: every Sunday night within its
start and end. What has been in force is history: a change that would rewrite it makes a new silence and ends the old
one. Ended silences are kept for the retention time.

Source: Alertmanager's `silence/silence.go`. Recurrence, reminders and tickets are Vedette's own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from vedette.alerting.cron import Cron, parse_cron
from vedette.alerting.intervals import TimeInterval
from vedette.alerting.matchers import LabelMatcher, MatcherError, all_match, label_matcher, passes_filter
from vedette.model.matchers import MatchOp

RETENTION_MS: Final = 120 * 3_600_000
"""How long an ended silence is kept, as in Alertmanager."""
_LONGEST_TEXT: Final = 10_000
_MOST_MATCHERS: Final = 100


class SilenceState(StrEnum):
    """Whether a silence is in force."""

    PENDING = "pending"
    ACTIVE = "active"
    EXPIRED = "expired"


class SilenceError(ValueError):
    """A silence that cannot be made; the message says why, as Alertmanager words it."""


class UnknownSilenceError(KeyError):
    """There is no silence with this id."""


@dataclass(frozen=True, slots=True)
class Recurrence:
    """When a silence that comes back is in force: in the intervals, or for a while from each time of a cron expression.

    Attributes:
        intervals: windows by the calendar, e.g. Sundays 02:00 to 04:00.
        cron: when it starts; empty for none.
        duration_ms: how long it lasts each time it starts.
        location: time zone of the cron expression; empty for UTC.
    """

    intervals: tuple[TimeInterval, ...] = ()
    cron: str = ""
    duration_ms: int = 0
    location: str = ""

    def contains(self, at_ms: int) -> bool:
        """Whether it is in force at a time."""
        if any(one.contains(at_ms) for one in self.intervals):
            return True
        return bool(self.cron) and _cron(self.cron, self.location).next_after(at_ms - self.duration_ms) <= at_ms


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence.

    Attributes:
        id: empty until it is kept.
        matchers: what the labels of silenced alerts pass; at least one, of which at least one fails on "".
        starts_ms: from when it holds, milliseconds since the epoch.
        ends_ms: to when, not included.
        updated_ms: when it was last changed.
        created_by: who made it.
        comment: why.
        ticket_url: where more is said; empty for nowhere.
        recurrence: when it is in force within start and end; None for always.
        remind_ms: how long before its end the author is reminded; 0 for not at all.
        reminded: the reminder is out.
    """

    matchers: tuple[LabelMatcher, ...]
    starts_ms: int
    ends_ms: int
    created_by: str = ""
    comment: str = ""
    id: str = ""
    updated_ms: int = 0
    ticket_url: str = ""
    recurrence: Recurrence | None = None
    remind_ms: int = 0
    reminded: bool = False

    def state_at(self, at_ms: int) -> SilenceState:
        """Its state; between two times of a recurrence it is pending."""
        if at_ms >= self.ends_ms:
            return SilenceState.EXPIRED
        if at_ms < self.starts_ms or (self.recurrence is not None and not self.recurrence.contains(at_ms)):
            return SilenceState.PENDING
        return SilenceState.ACTIVE

    @property
    def remind_at_ms(self) -> int | None:
        """When the reminder is due; None if none is."""
        return self.ends_ms - self.remind_ms if self.remind_ms and not self.reminded else None


class Silences:
    """All silences, with what may be done with them.

    `version` rises with every change of which alerts are matched, so that others can keep what they found.
    """

    def __init__(self, *, new_id: Callable[[], str], retention_ms: int = RETENTION_MS, most: int = 0) -> None:
        self._kept: dict[str, Silence] = {}
        self._new_id = new_id
        self._retention_ms = retention_ms
        self._most = most
        self.version = 0
        self._looked = (-1, -1)
        self._reminder: tuple[int, int | None] = (-1, None)
        self._active: set[str] = set()

    def __iter__(self) -> Iterator[Silence]:
        return iter(self._kept.values())

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, silence_id: str) -> Silence:
        """A silence.

        Raises:
            UnknownSilenceError: there is none with this id.
        """
        try:
            return self._kept[silence_id]
        except KeyError:
            raise UnknownSilenceError(silence_id) from None

    def find(self, silence_id: str) -> Silence | None:
        """A silence; None if there is none with this id."""
        return self._kept.get(silence_id)

    def put(self, silence: Silence, now_ms: int) -> tuple[Silence, ...]:
        """Make a silence, or change the one whose id it has.

        Returns:
            The silences as they are kept now: the one asked for, and the old one where a change had to end it.

        Raises:
            SilenceError: it would silence everything, ends before it starts, or there are too many.
            UnknownSilenceError: it has an id that is not known.
        """
        check_silence(silence)
        if silence.ends_ms <= now_ms:
            raise SilenceError("invalid silence: end time can't be in the past")
        old = self.get(silence.id) if silence.id else None
        if old is not None and _may_change(old, silence, now_ms):
            reminded = old.reminded and silence.ends_ms == old.ends_ms
            return (self._keep(dataclasses.replace(silence, updated_ms=now_ms, reminded=reminded)),)
        if self._most and len(self._kept) >= self._most:
            raise SilenceError(f"exceeded maximum number of silences: {len(self._kept)} (limit: {self._most})")
        start = max(silence.starts_ms, now_ms)
        made = dataclasses.replace(silence, id=self._new_id(), starts_ms=start, updated_ms=now_ms, reminded=False)
        ended: tuple[Silence, ...] = ()
        if old is not None and old.state_at(now_ms) is not SilenceState.EXPIRED:
            ended = (self.expire(old.id, now_ms),)
        return (self._keep(made), *ended)

    def expire(self, silence_id: str, now_ms: int) -> Silence:
        """End a silence now; one that has ended stays as it is.

        Raises:
            UnknownSilenceError: there is none with this id.
        """
        one = self.get(silence_id)
        if one.ends_ms <= now_ms:
            return one
        start = min(one.starts_ms, now_ms)
        return self._keep(dataclasses.replace(one, starts_ms=start, ends_ms=now_ms, updated_ms=now_ms))

    def restore(self, silence: Silence) -> None:
        """Take a silence as it was kept."""
        self._keep(silence)

    def query(
        self,
        now_ms: int,
        *,
        states: Iterable[SilenceState] = tuple(SilenceState),
        labels: Mapping[str, str] | None = None,
        filters: Iterable[LabelMatcher] = (),
    ) -> list[Silence]:
        """Silences in some states; that match an alert; whose matchers' values pass filters. In the API's order."""
        wanted, tests = frozenset(states), tuple(filters)
        found = [
            one
            for one in self._kept.values()
            if one.state_at(now_ms) in wanted
            and (labels is None or all_match(one.matchers, labels))
            and passes_filter(tests, {matcher.name: matcher.value for matcher in one.matchers})
        ]
        return sort_silences(found, now_ms)

    def matching(self, labels: Mapping[str, str]) -> tuple[str, ...]:
        """Ids of the silences that match an alert, whatever their state."""
        return tuple(one.id for one in self._kept.values() if all_match(one.matchers, labels))

    def in_force(self, silence_ids: Iterable[str], now_ms: int) -> tuple[str, ...]:
        """Those of some silences that are in force."""
        if self._looked != (now_ms, self.version):
            self._looked = (now_ms, self.version)
            self._active = {one.id for one in self._kept.values() if one.state_at(now_ms) is SilenceState.ACTIVE}
        return tuple(one for one in silence_ids if one in self._active)

    def next_reminder_ms(self) -> int | None:
        """When the next reminder is due."""
        if self._reminder[0] != self.version:
            times = (one.remind_at_ms for one in self._kept.values() if one.remind_at_ms is not None)
            self._reminder = self.version, min(times, default=None)
        return self._reminder[1]

    def take_reminders(self, now_ms: int) -> list[Silence]:
        """The silences whose reminders are due; each is given once."""
        due = [one for one in self._kept.values() if one.remind_at_ms is not None and one.remind_at_ms <= now_ms]
        for one in due:
            self._keep(dataclasses.replace(one, reminded=True))
        return [one for one in due if one.ends_ms > now_ms]

    def collect(self, now_ms: int) -> list[str]:
        """Forget silences that ended long ago; their ids."""
        gone = [one.id for one in self._kept.values() if one.ends_ms + self._retention_ms <= now_ms]
        for silence_id in gone:
            del self._kept[silence_id]
        self.version += bool(gone)
        return gone

    def _keep(self, silence: Silence) -> Silence:
        self._kept[silence.id] = silence
        self.version += 1
        return silence


def check_silence(silence: Silence) -> None:
    """Whether a silence makes sense.

    Raises:
        SilenceError: it does not.
    """
    if not silence.matchers:
        raise SilenceError("invalid silence: at least one matcher required")
    if len(silence.matchers) > _MOST_MATCHERS:
        raise SilenceError(f"invalid silence: more than {_MOST_MATCHERS} matchers")
    for index, one in enumerate(silence.matchers):
        if not one.name:
            raise SilenceError(f'invalid silence: invalid label matcher {index}: invalid label name "{one.name}"')
        try:
            label_matcher(one.name, one.op, one.value)
        except MatcherError as exc:
            problem = f'invalid regular expression "{one.value}": {exc}'
            raise SilenceError(f"invalid silence: invalid label matcher {index}: {problem}") from exc
    # A negative matcher alone is accepted although it passes on the empty value, as in Alertmanager.
    if all(one.op in (MatchOp.EQUAL, MatchOp.REGEX) and one.matches("") for one in silence.matchers):
        raise SilenceError("invalid silence: at least one matcher must not match the empty string")
    if silence.ends_ms < silence.starts_ms:
        raise SilenceError("invalid silence: end time must not be before start time")
    if max(len(silence.comment), len(silence.created_by), len(silence.ticket_url)) > _LONGEST_TEXT:
        raise SilenceError(f"invalid silence: a text is longer than {_LONGEST_TEXT} characters")
    if silence.recurrence is not None:
        _check_recurrence(silence.recurrence)


def sort_silences(silences: Iterable[Silence], now_ms: int) -> list[Silence]:
    """Active ones by their end, then pending ones by their start, then expired ones, the last one to end first."""

    def order(one: Silence) -> tuple[int, int, str]:
        match one.state_at(now_ms):
            case SilenceState.ACTIVE:
                return 0, one.ends_ms, one.id
            case SilenceState.PENDING:
                return 1, one.starts_ms, one.id
            case SilenceState.EXPIRED:
                return 2, -one.ends_ms, one.id

    return sorted(silences, key=order)


def _check_recurrence(recurrence: Recurrence) -> None:
    if not recurrence.cron:
        if not recurrence.intervals:
            raise SilenceError("invalid silence: a recurrence needs intervals or a cron expression")
        return
    try:
        _cron(recurrence.cron, recurrence.location)
    except (ValueError, KeyError, OSError) as exc:
        raise SilenceError(f"invalid silence: {exc}") from exc
    if recurrence.duration_ms <= 0:
        raise SilenceError("invalid silence: a recurrence by cron expression needs a duration")


def _may_change(old: Silence, new: Silence, now_ms: int) -> bool:
    """Whether a change leaves it true which alerts were silenced in the past."""
    if old.matchers != new.matchers or old.recurrence != new.recurrence:
        return False
    if now_ms >= old.ends_ms:
        return False
    if now_ms >= old.starts_ms:
        return new.starts_ms // 1000 == old.starts_ms // 1000
    return new.starts_ms >= now_ms


@lru_cache(maxsize=512)
def _cron(text: str, location: str) -> Cron:
    return parse_cron(text, location)
