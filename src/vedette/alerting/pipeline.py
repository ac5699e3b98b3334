"""The machine: alerts, silences and time in; messages and records out.

It holds every alert that is firing or whose end is still to be told, in the groups that the routes make. A group is
looked at once it has waited for company, and every `group_interval` from then on: alerts that are inhibited, silenced
or muted by the calendar are left out, and what remains is compared with what each integration was told last.

Nothing here waits, sends or reads a clock: `receive` and `advance` are given the time and return what is to be
done, `wake_at` says when to call again, and `report` takes note of what became of a message. Until it is reported as
sent, a message does not count as sent; so a crash in between repeats it and never loses it.

Source: Alertmanager's `dispatch`, `notify` and `provider`. Flapping and records are Vedette's own.
"""

from __future__ import annotations

import dataclasses
import heapq
from collections.abc import Callable, Iterable
from typing import Final

from vedette.alerting.flapping import Changes
from vedette.alerting.holdings import HELD_BACK, Group, GroupId, Held, Holdings
from vedette.alerting.inhibition import Inhibitor
from vedette.alerting.intake import join
from vedette.alerting.muting import inactive_outside, muted_in
from vedette.alerting.notification_log import NotificationLog
from vedette.alerting.plan import Plan
from vedette.alerting.records import Effect, Record, Remind, Told, Verdict
from vedette.alerting.routing import Route
from vedette.alerting.silences import RETENTION_MS, Silence, Silences
from vedette.alerting.state import KeptAlert, KeptChanges, KeptDigest, KeptEntry, KeptGroup, Row, Table, decode
from vedette.alerting.telling import Seen, Teller
from vedette.alerting.turn import Turn
from vedette.model.alerts import Alert, fingerprint
from vedette.model.labels import LabelSet

_MAINTENANCE_MS: Final = 15 * 60_000


class Pipeline:
    """See the module. All times are milliseconds since the epoch and must not go back from call to call.

    Attributes:
        holdings: alerts, groups, silences and what was told; to look at.
    """

    def __init__(self, plan: Plan, *, new_id: Callable[[], str], retention_ms: int = RETENTION_MS) -> None:
        """Start without any alert.

        Args:
            plan: the configuration.
            new_id: makes ids of silences.
            retention_ms: how long ended silences and the notification log are kept.
        """
        self.holdings = Holdings(
            silences=Silences(new_id=new_id, retention_ms=retention_ms),
            log=NotificationLog(retention_ms=retention_ms),
        )
        self._plan = plan
        self._teller = Teller(plan, self.holdings)
        self._inhibitor = Inhibitor(plan.inhibit_rules)
        self._fingerprints: dict[LabelSet, str] = {}
        self._queue: list[tuple[int, int, GroupId]] = []
        self._queued = 0
        self._maintained_ms = 0

    @property
    def plan(self) -> Plan:
        """The configuration."""
        return self._plan

    # What comes in.

    def receive(self, alerts: Iterable[Alert], now_ms: int) -> list[Effect]:
        """Take reports of alerts. Messages come from `advance`, to be called at `wake_at`."""
        turn = Turn(now_ms)
        for alert in alerts:
            self._receive(alert, turn)
        return turn.out

    def advance(self, now_ms: int) -> list[Effect]:
        """Do everything that is due."""
        turn = Turn(now_ms)
        while self._queue and self._queue[0][0] <= now_ms:
            due_ms, _, group_id = heapq.heappop(self._queue)
            group = self.holdings.groups.get(group_id)
            if group is not None and group.next_flush_ms == due_ms:
                self._flush(group, turn)
        self._teller.send_due(turn)
        self._remind(turn)
        if now_ms - self._maintained_ms >= _MAINTENANCE_MS:
            self._maintain(now_ms)
        return turn.out

    def wake_at(self) -> int | None:
        """When `advance` has to be called next; None if there is nothing to wait for."""
        while self._queue:
            due_ms, _, group_id = self._queue[0]
            group = self.holdings.groups.get(group_id)
            if group is not None and group.next_flush_ms == due_ms:
                break
            heapq.heappop(self._queue)
        times = [self._queue[0][0]] if self._queue else []
        times += self._teller.wake_times()
        reminder_ms = self.holdings.silences.next_reminder_ms()
        return min([*times, reminder_ms] if reminder_ms is not None else times, default=None)

    def report(self, message: int, now_ms: int, *, error: str = "") -> list[Effect]:
        """Take note of what became of a message: it is out, or (with an error) will not be tried any more.

        A message that is not known, because it was reported before or made before a restart, is ignored.
        """
        turn = Turn(now_ms)
        for group in self._teller.report(message, error, turn):
            self._finish(group)
        return turn.out

    def put_silence(self, silence: Silence, now_ms: int) -> Silence:
        """Make or change a silence; see `Silences.put`.

        Raises:
            SilenceError: it makes no sense.
            UnknownSilenceError: it has an id that is not known.
        """
        kept = self.holdings.silences.put(silence, now_ms)
        for one in kept:
            self.holdings.touch(Table.SILENCE, one.id)
        return kept[0]

    def expire_silence(self, silence_id: str, now_ms: int) -> Silence:
        """End a silence now.

        Raises:
            UnknownSilenceError: there is none with this id.
        """
        ended = self.holdings.silences.expire(silence_id, now_ms)
        self.holdings.touch(Table.SILENCE, silence_id)
        return ended

    def reconfigure(self, plan: Plan, now_ms: int) -> list[Effect]:
        """Go by another configuration. Groups that are in both keep their clocks and what is on its way for them."""
        turn = Turn(now_ms)
        old = self.holdings.groups
        self._plan = plan
        self.holdings.groups = {}
        self._queue = []
        self._inhibitor = Inhibitor(plan.inhibit_rules)
        self._teller.use(plan, now_ms)
        for held in list(self.holdings.alerts.values()):
            held.groups = 0
            held.targets = self._inhibitor.targets(held.labels)
            held.routes = self._routes(held.alert.labels, held.labels)
            self._inhibitor.put(held.fingerprint, held.labels, held.alert.ends_ms)
            for route, group_id in held.routes:
                before = old.get(group_id)
                if before is None or held.fingerprint in before.alerts:
                    self._enter(route, group_id, held, turn, before=before)
            self._forget_if_left(held)
        for group_id in old.keys() - self.holdings.groups.keys():
            self.holdings.touch(Table.GROUP, *group_id)
        return turn.out

    # What can be looked at.

    def in_flight(self) -> int:
        """How many messages are on their way."""
        return self._teller.in_flight()

    def inhibited(self, held: Held, now_ms: int) -> tuple[str, ...]:
        """Fingerprints of some alerts that inhibit an alert."""
        found = self._inhibitor.inhibited(held.targets, now_ms)
        return found.sources if found is not None else ()

    def silenced(self, held: Held, now_ms: int) -> tuple[str, ...]:
        """Ids of the silences in force for an alert."""
        silences = self.holdings.silences
        if held.silences_version != silences.version:
            held.silences = silences.matching(held.labels)
            held.silences_version = silences.version
        return silences.in_force(held.silences, now_ms) if held.silences else ()

    def is_flapping(self, held: Held, now_ms: int) -> bool:
        """Whether an alert fires and ends again and again."""
        return held.changes.flapping and held.changes.is_flapping(now_ms, self._plan.flapping)

    # What survives a restart.

    def restore(self, rows: Iterable[Row], now_ms: int) -> list[Effect]:
        """Take over what was stored (`Holdings.all_rows`, `changed_rows`), before anything else comes in.

        An alert that was firing and whose end passed in the meantime has had nobody to report to: it counts for
        another `resolve_timeout`. Messages that were on their way are made again.

        Raises:
            ValueError, KeyError, TypeError: a row is not what was stored.
        """
        holdings = self.holdings
        clocks: dict[GroupId, KeptGroup] = {}
        alerts: list[KeptAlert] = []
        digests: list[KeptDigest] = []
        for row in rows:
            match decode(row):
                case KeptAlert() as kept:
                    alerts.append(kept)
                case KeptGroup() as kept:
                    clocks[kept.id] = kept
                case KeptEntry() as kept:
                    holdings.log.restore(kept.group_key, kept.address, kept.entry)
                case KeptDigest() as kept:
                    digests.append(kept)
                case KeptChanges() as kept:
                    holdings.changes[kept.fingerprint] = kept.changes
                case Silence() as silence:
                    holdings.silences.restore(silence)
        holdings.touched = {}
        for kept in digests:
            self._teller.restore(kept, now_ms)
        turn = Turn(now_ms)
        for kept in alerts:
            self._restore_alert(kept, clocks, turn)
        return turn.out

    # Alerts.

    def _receive(self, alert: Alert, turn: Turn) -> None:
        name = self._name(alert.labels)
        held = self.holdings.alerts.get(name)
        if held is None:
            held = self._hold(alert, name, firing=False)
        else:
            self._look(held, turn)
            held.alert = join(held.alert, alert)
        self._look(held, turn)
        self._inhibitor.put(name, held.labels, held.alert.ends_ms)
        for route, group_id in held.routes:
            self._enter(route, group_id, held, turn)
        self.holdings.touch(Table.ALERT, name)

    def _hold(self, alert: Alert, name: str, *, firing: bool) -> Held:
        labels = dict(alert.labels)
        routes = self._routes(alert.labels, labels)
        targets = self._inhibitor.targets(labels)
        changes = self.holdings.changes.setdefault(name, Changes())
        held = Held(alert, name, labels, routes, targets, changes, firing=firing)
        self.holdings.alerts[name] = held
        return held

    def _look(self, held: Held, turn: Turn) -> None:
        """Take note if an alert has begun or ended since it was last looked at."""
        now_ms, rule = turn.now_ms, self._plan.flapping
        firing = held.alert.ends_ms > now_ms
        if firing is held.firing:
            return
        held.firing = firing
        name, changes = held.fingerprint, held.changes
        at_ms = now_ms if firing else min(held.alert.ends_ms, now_ms)
        turn.out.append(Record(at_ms, name, Verdict.FIRED if firing else Verdict.RESOLVED))
        before = changes.is_flapping(now_ms, rule)
        changes.add(now_ms, rule)
        if changes.flapping and not before:
            detail = f"{len(changes.times)} changes"
            turn.out.append(Record(now_ms, name, Verdict.FLAPPING, detail=detail, until_ms=changes.quiet_at_ms(rule)))
        if len(changes.times) > 1:
            self.holdings.touch(Table.CHANGES, name)
        self.holdings.touch(Table.ALERT, name)

    def _routes(self, labels: LabelSet, mapping: dict[str, str]) -> tuple[tuple[Route, GroupId], ...]:
        found = self._plan.root.match(mapping)
        return tuple((route, GroupId(route.id, route.group_labels(labels))) for route in found)

    def _enter(
        self, route: Route, group_id: GroupId, held: Held, turn: Turn, *, before: Group | KeptGroup | None = None
    ) -> None:
        """Put an alert into its group, which is made if it is not there, with the clock that it had before."""
        now_ms = turn.now_ms
        group = self.holdings.groups.get(group_id)
        if group is None:
            group = Group(route, group_id, route.group_key(group_id.labels), now_ms + route.group_wait_ms)
            if before is not None:
                group.flushed, group.next_flush_ms = before.flushed, before.next_flush_ms
            if isinstance(before, Group):
                group.pending = {one: number for one, number in before.pending.items() if number != HELD_BACK}
                group.untold = True
            self.holdings.groups[group_id] = group
            self._schedule(group)
            self.holdings.touch(Table.GROUP, *group_id)
        # What has waited long enough elsewhere, e.g. while this was not running, need not wait here again.
        if not group.flushed and held.alert.starts_ms + route.group_wait_ms < now_ms < group.next_flush_ms:
            group.next_flush_ms = now_ms
            self._schedule(group)
        if group.add(held):
            detail = "group_interval" if group.flushed else "group_wait"
            until_ms = group.next_flush_ms
            turn.note(group, (held.fingerprint,), Verdict.WAITING, detail=detail, until_ms=until_ms)

    def _name(self, labels: LabelSet) -> str:
        name = self._fingerprints.get(labels)
        if name is None:
            name = self._fingerprints[labels] = fingerprint(labels)
        return name

    def _forget_if_left(self, held: Held) -> None:
        if not held.groups:
            del self.holdings.alerts[held.fingerprint]
            self._fingerprints.pop(held.alert.labels, None)
            self._inhibitor.drop(held.fingerprint, held.labels)
            self.holdings.touch(Table.ALERT, held.fingerprint)

    def _restore_alert(self, kept: KeptAlert, clocks: dict[GroupId, KeptGroup], turn: Turn) -> None:
        alert = kept.alert
        if kept.firing and alert.ends_ms <= turn.now_ms:
            end_ms = turn.now_ms + self._plan.resolve_timeout_ms
            alert = dataclasses.replace(alert, ends_ms=end_ms, presumed_end=True)
        held = self._hold(alert, self._name(alert.labels), firing=kept.firing)
        self._inhibitor.put(held.fingerprint, held.labels, alert.ends_ms)
        for route, group_id in held.routes:
            if group_id.route_id not in kept.gone:
                self._enter(route, group_id, held, turn, before=clocks.get(group_id))
        self._forget_if_left(held)

    # Groups.

    def _schedule(self, group: Group) -> None:
        self._queued += 1
        heapq.heappush(self._queue, (group.next_flush_ms, self._queued, group.id))

    def _flush(self, group: Group, turn: Turn) -> None:
        """Look at a group: tell whom there is something to tell."""
        group.next_flush_ms = turn.now_ms + group.route.group_interval_ms
        group.flushed = True
        self._schedule(group)
        self.holdings.touch(Table.GROUP, *group.id)
        group.untold = False
        group.ended = {}
        visible = self._visible(group, turn)
        if visible:
            firing = frozenset(name for name, told in visible.items() if told.firing)
            seen = Seen(visible, firing, frozenset(visible.keys() - firing))
            self._teller.tell(group, seen, turn)
        if not group.pending:
            self._finish(group)

    def _visible(self, group: Group, turn: Turn) -> dict[str, Told]:
        """The alerts of a group that nothing hides, in order."""
        route, now_ms = group.route, turn.now_ms
        open_: dict[str, Held] = {}
        told: dict[str, Told] = {}
        for held in group.sorted():
            name = held.fingerprint
            self._look(held, turn)
            flapping = held.changes.flapping and self.is_flapping(held, now_ms)
            firing = held.firing or (flapping and route.hold_flapping)
            if not firing:
                group.ended[name] = held.alert.updated_ms
            found = self._inhibitor.inhibited(held.targets, now_ms) if held.targets else None
            if found is not None:
                turn.note(group, (name,), Verdict.INHIBITED, by=found.sources, detail=found.rule)
                continue
            open_[name] = held
            told[name] = Told(held.alert, firing, flapping)
        group.muted_by = ()
        if route.active_intervals or route.mute_intervals:
            for verdict, find in ((Verdict.INACTIVE, inactive_outside), (Verdict.MUTED, muted_in)):
                names = find(route, self._plan.intervals, now_ms)
                if names:
                    group.muted_by = names
                    turn.note(group, told, verdict, by=names)
                    return {}
        silences = self.holdings.silences
        if len(silences):
            for name, held in open_.items():
                silenced = self.silenced(held, now_ms)
                if silenced:
                    until_ms = min(silences.get(one).ends_ms for one in silenced)
                    turn.note(group, (name,), Verdict.SILENCED, by=silenced, until_ms=until_ms)
                    del told[name]
        return told

    def _finish(self, group: Group) -> None:
        """After everybody was told: let go of alerts that have ended and were not reported again since."""
        if not group.untold:
            for name, updated_ms in group.ended.items():
                held = group.alerts.get(name)
                if held is not None and not held.firing and held.alert.updated_ms == updated_ms:
                    group.remove(name)
                    self.holdings.touch(Table.ALERT, name)
                    self._forget_if_left(held)
        group.ended = {}
        # At once, as in newer Alertmanagers: an alert that fires again waits for company again. Up to 0.25 the
        # empty group lived on for up to 30 seconds.
        if not group.alerts and self.holdings.groups.get(group.id) is group:
            del self.holdings.groups[group.id]
            self.holdings.touch(Table.GROUP, *group.id)

    # Upkeep.

    def _remind(self, turn: Turn) -> None:
        silences = self.holdings.silences
        due_ms = silences.next_reminder_ms()
        if due_ms is not None and due_ms <= turn.now_ms:
            for silence in silences.take_reminders(turn.now_ms):
                turn.out.append(Remind(silence))
                self.holdings.touch(Table.SILENCE, silence.id)

    def _maintain(self, now_ms: int) -> None:
        self._maintained_ms = now_ms
        holdings, rule = self.holdings, self._plan.flapping
        for group_key, address in holdings.log.collect(now_ms):
            holdings.touch(Table.LOG, group_key, *address)
        for silence_id in holdings.silences.collect(now_ms):
            holdings.touch(Table.SILENCE, silence_id)
        for name, changes in list(holdings.changes.items()):
            if name not in holdings.alerts and changes.is_idle(now_ms, rule):
                del holdings.changes[name]
                holdings.touch(Table.CHANGES, name)
