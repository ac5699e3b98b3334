"""Alerting rules: each series that an answer holds is an alert, under the labels that the rule gives it.

Where nothing is found nothing is made, however many series were looked at. What repeats between evaluations is found
by number (`numbering`), and annotations are expanded when somebody wants to read them, with the data of the evaluation
that found the alert last.

Source: Prometheus' `rules/alerting.go`. Unlike there, series `ALERTS` never show a label's template where its text is
empty, and alerts whose labels are templates are restored too.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote_plus

import numpy as np

from vedette.model.alerts import Alert
from vedette.model.labels import METRIC_NAME, LabelSet, label_set
from vedette.query.promql import InstantValue, Scalar
from vedette.rules.definitions import ALERT_NAME, AlertingRule, Pairs
from vedette.rules.expansion import AlertData, Surroundings, Templates, expand_pairs, has_actions, is_live
from vedette.rules.numbering import Int64s, SeriesNumbers
from vedette.rules.outcome import RuleError, Samples, as_vector
from vedette.rules.state import (
    NEVER,
    RESOLVED_RETENTION_MS,
    AlertRows,
    AlertState,
    advance,
    new_alerts,
    restored_since,
    send,
)

ALERTS: Final = "ALERTS"
FOR_STATE: Final = "ALERTS_FOR_STATE"
STATE_LABEL: Final = "alertstate"
DUPLICATE: Final = "vector contains metrics with the same labelset after applying alert labels"

_NONE: Final = -1


@dataclass(frozen=True, slots=True)
class ActiveAlert:
    """An alert that is pending or firing, as it is shown.

    Attributes:
        active_ms: since when it is found.
        fired_ms: since when it fires; None while it is pending.
        kept_ms: since when it fires only because of `keep_firing_for`; None where it is found.
        value: of its series, when it was found last.
    """

    labels: LabelSet
    annotations: Pairs
    state: AlertState
    active_ms: int
    fired_ms: int | None
    kept_ms: int | None
    value: float


@dataclass(frozen=True, slots=True)
class LastForState:
    """The last sample of a series `ALERTS_FOR_STATE`, from before nobody looked.

    Attributes:
        labels: of the series, its name included.
        time_ms: of the sample.
        since_s: its value: since when the alert was found, in seconds since the epoch.
    """

    labels: LabelSet
    time_ms: int
    since_s: float


@dataclass(frozen=True, slots=True)
class LastFiring:
    """When an alert fired last, from before nobody looked.

    Attributes:
        labels: of the alert.
        fired_ms: the first time of it that is known.
        last_ms: the last time at which it fired.
        ended_ms: when it was over; None where nobody has seen that.
    """

    labels: LabelSet
    fired_ms: int
    last_ms: int
    ended_ms: int | None


@dataclass(slots=True, eq=False)
class _Known:
    """What an alert is called.

    Attributes:
        labels: its identity.
        source: labels of the series that it was found by.
        shown: annotations as they were expanded last, behind the data that they were expanded for; replaced as one,
            because several threads may look.
    """

    labels: LabelSet
    source: LabelSet
    shown: tuple[bytes, Pairs] = (b"", ())


def _over_ms(last: LastFiring, at_ms: int) -> int:
    return at_ms if last.ended_ms is None else last.ended_ms


def expression_link(external_url: str, query: str) -> str:
    """Where people can see what an expression gives."""
    return f"{external_url.rstrip('/')}/graph?g0.expr={quote_plus(query)}&g0.tab=1"


class Alerting:
    """One alerting rule and its alerts.

    Attributes:
        rule: the rule.
        restored: whether the past has been looked up; until then no samples are given, which would hide it.
    """

    def __init__(
        self, rule: AlertingRule, templates: Templates, around: Surroundings, *, restored: bool = True
    ) -> None:
        self.restored = restored
        self.revise(rule, templates, around)
        self._clear()

    def revise(self, rule: AlertingRule, templates: Templates, around: Surroundings) -> None:
        """Go on under a rule with the same name, labels and expression."""
        self.rule = rule
        self._templates = templates
        self._around = around
        self._labels_vary = has_actions(rule.labels)
        self.is_live = is_live(rule.annotations) or is_live(rule.labels)
        self._annotations_live = is_live(rule.annotations)

    def _clear(self) -> None:
        self._rows: AlertRows = new_alerts(0, NEVER)
        # In step with the rows: names, the number of the series, and the numbers of what is written: ALERTS while
        # pending, ALERTS while firing, ALERTS_FOR_STATE.
        self._known: list[_Known] = []
        self._source: Int64s = np.zeros(0, np.int64)
        self._writes: Int64s = np.zeros((0, 3), np.int64)
        self._places: dict[LabelSet, int] = {}
        # The series that the expression finds, and by their numbers the places of their alerts.
        self._found = SeriesNumbers()
        self._place_of: Int64s = np.zeros(0, np.int64)
        self._written = SeriesNumbers()
        self._show()

    def _show(self) -> None:
        """Let others see the alerts as they are now; they may look at them while a thread goes on."""
        self._shown = (self._rows, self._known)

    @property
    def state(self) -> AlertState:
        """The most pressing state of its alerts."""
        rows, _ = self._shown
        return AlertState(int(rows["state"].max(initial=AlertState.INACTIVE)))

    def step(self, value: InstantValue, *, at_ms: int, limit: int) -> Samples:
        """One evaluation further.

        Raises:
            RuleError: two series would become one alert, or there are more than `limit`; then all alerts are
                forgotten, as in Prometheus. Or it is no vector.
        """
        found = as_vector(value)
        if isinstance(found, Scalar):
            sources, values = self._found.of_sets([()]), np.array([found.value])
        else:
            sources, values = self._found.of_frame(found.labels), found.values
        if not len(sources) and not len(self._rows):
            return self._samples(np.zeros(0, np.int64))
        places = self._find(sources, values, at_ms)
        self._note_sources(places, sources)
        seen = np.zeros(len(self._rows), np.bool_)
        seen[places] = True
        rule = self.rule
        self._rows, active, gone = advance(
            self._rows, seen, at_ms=at_ms, hold_ms=rule.hold_ms, keep_firing_ms=rule.keep_firing_ms
        )
        self._rows["value"][places] = values
        self._rows["seen_ms"][places] = at_ms
        count = int(active.sum())
        if 0 < limit < count:
            written = self._written
            self._clear()
            self._written = written  # what it wrote is still to be ended
            raise RuleError(f"exceeded limit of {limit} with {count} alerts")
        if gone.any():
            active = active[~gone]
            self._drop(gone)
        if self._annotations_live:
            for place in np.flatnonzero(active).tolist():
                self._annotations(self._known[place], self._rows[place])
        self._show()
        return self._samples(np.flatnonzero(active))

    def send(self, *, at_ms: int, resend_delay_ms: int, interval_ms: int, external_url: str = "") -> list[Alert]:
        """The alerts that are due to be sent, and note that they were."""
        if not len(self._rows):
            return []
        self._rows, places = send(self._rows, at_ms=at_ms, resend_delay_ms=resend_delay_ms, interval_ms=interval_ms)
        alerts: list[Alert] = []
        link = expression_link(external_url, self.rule.query) if len(places) else ""
        for place in map(int, places):
            row = self._rows[place]
            ended = int(row["resolved_ms"])
            alerts.append(
                Alert(
                    labels=self._known[place].labels,
                    annotations=self._annotations(self._known[place], row),
                    starts_ms=int(row["fired_ms"]),
                    ends_ms=int(row["valid_ms"]) if ended == NEVER else ended,
                    updated_ms=at_ms,
                    generator_url=link,
                )
            )
        return alerts

    def active(self) -> list[ActiveAlert]:
        """The alerts that are pending or firing, in order of their labels."""
        alerts: list[ActiveAlert] = []
        rows, known = self._shown
        for place in np.flatnonzero(rows["state"] != AlertState.INACTIVE).tolist():
            row = rows[place]
            fired, kept = int(row["fired_ms"]), int(row["keep_ms"])
            alerts.append(
                ActiveAlert(
                    labels=known[place].labels,
                    annotations=self._annotations(known[place], row),
                    state=AlertState(int(row["state"])),
                    active_ms=int(row["active_ms"]),
                    fired_ms=None if fired == NEVER else fired,
                    kept_ms=None if kept == NEVER else kept,
                    value=float(row["value"]),
                )
            )
        return sorted(alerts, key=lambda alert: alert.labels)

    def restore(self, past: Iterable[LastForState], *, at_ms: int, grace_ms: int) -> int:
        """Let alerts that are found again go on as if somebody had looked all the time.

        Returns:
            How many went on.
        """
        rows = self._rows.copy()
        count = 0
        for last in past:
            place = self._places.get(tuple(pair for pair in last.labels if pair[0] != METRIC_NAME))
            if place is None:
                continue
            since_ms = restored_since(
                int(last.since_s) * 1000,
                last.time_ms // 1000 * 1000,
                at_ms=at_ms,
                hold_ms=self.rule.hold_ms,
                grace_ms=grace_ms,
            )
            if since_ms is not None:
                rows["active_ms"][place] = since_ms
                count += 1
        self._rows = rows
        self._show()
        self.restored = True
        return count

    def ended(self, past: Iterable[LastFiring], *, at_ms: int) -> list[LastFiring]:
        """Those of the alerts that fired before nobody looked that are over, and of which somebody may not know it."""
        return [
            last
            for last in past
            if last.labels not in self._places and at_ms - _over_ms(last, at_ms) <= RESOLVED_RETENTION_MS
        ]

    def sources(self, value: InstantValue, at_ms: int) -> dict[LabelSet, tuple[LabelSet, float]]:
        """The alerts that an answer of some other time makes: by their labels, of which series, with which value.

        Raises:
            RuleError: it is no vector.
        """
        found = as_vector(value)
        if isinstance(found, Scalar):
            sources, values = [()], [found.value]
        else:
            sources, values = found.labels.label_sets(), found.values.tolist()
        rows = zip(sources, values, strict=True)
        return {self._alert_labels(AlertData(labels, one, at_ms, self._around)): (labels, one) for labels, one in rows}

    def take_up_ended(
        self, past: Iterable[LastFiring], sources: Mapping[LabelSet, tuple[LabelSet, float]], *, at_ms: int
    ) -> None:
        """Let those be told who do not know yet that these alerts are over. `keep_firing_for` goes on.

        Args:
            past: from `ended`.
            sources: what they were found by. Of an alert that is not there only the labels are known, and a value in
                its annotations is NaN.
            at_ms: now.
        """
        added: list[_Known] = []
        rows: list[AlertRows] = []
        for last in past:
            own = tuple(pair for pair in last.labels if pair[0] != ALERT_NAME)
            source, value = sources.get(last.labels, (own, np.nan))
            row = new_alerts(1, last.fired_ms)
            row["fired_ms"], row["seen_ms"], row["value"] = last.fired_ms, last.last_ms, value
            if last.ended_ms is None and at_ms - last.last_ms < self.rule.keep_firing_ms:
                row["state"], row["keep_ms"] = AlertState.FIRING, last.last_ms
            else:
                row["state"], row["resolved_ms"] = AlertState.INACTIVE, _over_ms(last, at_ms)
            self._places[last.labels] = len(self._known) + len(added)
            added.append(_Known(last.labels, source))
            rows.append(row)
        if added:
            self._add(added, np.concatenate(rows))
            self._show()

    def forget(self, series: Int64s) -> None:
        """These of the series that it wrote have ended."""
        self._written.forget(series.tolist())
        self._writes[np.isin(self._writes, series)] = _NONE

    # Who is who

    def _find(self, sources: Int64s, values: np.ndarray[tuple[int], np.dtype[np.float64]], at_ms: int) -> Int64s:
        """The places of the alerts that series belong to; new ones are added behind the others."""
        grown = self._found.size - len(self._place_of)
        if grown > 0:
            self._place_of = np.concatenate([self._place_of, np.full(grown, _NONE, np.int64)])
        places = np.full(len(sources), _NONE, np.int64) if self._labels_vary else self._place_of[sources]
        fresh: dict[LabelSet, int] = {}
        added: list[_Known] = []
        for row in np.flatnonzero(places == _NONE).tolist():
            source = self._found.labels(int(sources[row]))
            labels = self._alert_labels(AlertData(source, float(values[row]), at_ms, self._around))
            place = self._places.get(labels, fresh.get(labels, _NONE))
            if place == _NONE:
                place = fresh[labels] = len(self._known) + len(added)
                added.append(_Known(labels, source))
            places[row] = place
        if len(np.unique(places)) < len(places):
            self._found.forget(sources[self._place_of[sources] == _NONE].tolist())
            raise RuleError(DUPLICATE)
        if added:
            self._places |= fresh
            self._add(added, new_alerts(len(added), at_ms))
        return places

    def _add(self, added: list[_Known], rows: AlertRows) -> None:
        count = len(added)
        self._known = [*self._known, *added]
        self._rows = np.concatenate([self._rows, rows])
        self._source = np.concatenate([self._source, np.full(count, _NONE, np.int64)])
        self._writes = np.concatenate([self._writes, np.full((count, 3), _NONE, np.int64)])

    def _alert_labels(self, data: AlertData) -> LabelSet:
        labels = {name: text for name, text in data.labels if name != METRIC_NAME}
        labels.update(expand_pairs(self._templates, self.rule.labels, self.rule.name, data))
        labels[ALERT_NAME] = self.rule.name
        return label_set(labels)

    def _note_sources(self, places: Int64s, sources: Int64s) -> None:
        """Keep which series stands for which alert."""
        for row in np.flatnonzero(self._source[places] != sources).tolist():
            self._known[int(places[row])].source = self._found.labels(int(sources[row]))
        self._source[places] = sources
        self._place_of[sources] = places

    def _drop(self, gone: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> None:
        """Forget alerts, and the series that stood for them."""
        kept = np.flatnonzero(~gone)
        moved = np.full(len(gone), _NONE, np.int64)
        moved[kept] = np.arange(len(kept))
        self._rows, self._source, self._writes = self._rows[kept], self._source[kept], self._writes[kept]
        self._known = [self._known[place] for place in kept.tolist()]
        self._places = {known.labels: place for place, known in enumerate(self._known)}
        known = np.flatnonzero(self._place_of != _NONE)
        places = self._place_of[known] = moved[self._place_of[known]]
        # Neither an alert's series any more, nor one that stood for it before another one did.
        former = (places == _NONE) | (self._source[places] != known) if len(kept) else places == _NONE
        self._place_of[known[former]] = _NONE
        self._found.forget(known[former].tolist())

    # What is written and said

    def _samples(self, active: Int64s) -> Samples:
        if not self.restored or not len(active):
            return Samples(np.zeros(0, np.int64), np.zeros(0), self._written)
        firing = (self._rows["state"][active] == AlertState.FIRING).astype(np.int64)
        wanted = np.stack([firing, np.full(len(active), 2)], axis=1)
        numbers = self._writes[active[:, None], wanted]
        for row, column in np.argwhere(numbers == _NONE).tolist():
            place, kind = int(active[row]), int(wanted[row, column])
            (number,) = self._written.of_sets([self._series(place, kind)])
            numbers[row, column] = self._writes[place, kind] = number
        since_s = self._rows["active_ms"][active] // 1000
        values = np.stack([np.ones(len(active)), since_s.astype(np.float64)], axis=1)
        return Samples(numbers.ravel(), values.ravel(), self._written)

    def _series(self, place: int, kind: int) -> LabelSet:
        labels = self._known[place].labels
        if kind == 2:
            return label_set([*labels, (METRIC_NAME, FOR_STATE)])
        state = AlertState.FIRING if kind else AlertState.PENDING
        return label_set([*labels, (METRIC_NAME, ALERTS), (STATE_LABEL, state.name.lower())])

    def _annotations(self, known: _Known, row: np.void) -> Pairs:
        value, seen_ms = float(row["value"]), int(row["seen_ms"])
        # What asks the store or the clock is expanded for each evaluation, all else for each value.
        wanted = struct.pack("<dq", value, seen_ms if self._annotations_live else 0)
        expanded, annotations = known.shown
        if expanded != wanted:
            data = AlertData(known.source, value, seen_ms, self._around)
            annotations = expand_pairs(self._templates, self.rule.annotations, self.rule.name, data)
            known.shown = wanted, annotations
        return annotations
