"""Who is told what, and when: from what a group has to tell to messages, at once, in digests or in summaries.

A message counts as sent when it is reported as sent. Until then the group knows that its integration is busy, and
nothing else is sent there; a message that failed is decided anew at the group's next look.

Source: Alertmanager's `notify`. Digests and summaries are Vedette's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from vedette.alerting.digest import Digest, DigestItem, News
from vedette.alerting.holdings import HELD_BACK, Group, GroupId, Holdings
from vedette.alerting.notification_log import Address, Entry, Reason, decide
from vedette.alerting.plan import IntegrationPlan, Plan
from vedette.alerting.rate_guard import RateGuard
from vedette.alerting.records import Form, Notify, Told, Verdict
from vedette.alerting.state import KeptDigest, Table
from vedette.alerting.turn import Turn

_SHORTEST_TRY_MS: Final = 10_000
_MOST_IN_SUMMARY: Final = 10_000


@dataclass(frozen=True, slots=True)
class Seen:
    """What a group has to tell: its alerts that nothing hides.

    Attributes:
        told: by fingerprint, in Alertmanager's order.
        firing: fingerprints of those that are firing.
        resolved: of those that have ended.
    """

    told: dict[str, Told]
    firing: frozenset[str]
    resolved: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Part:
    """A group's share in a message."""

    group_id: GroupId
    group_key: str
    seen: Seen
    repeat_ms: int


@dataclass(frozen=True, slots=True)
class _Flight:
    """A message that is on its way.

    Attributes:
        parts: the groups that it is about; none for a digest.
        fingerprints: the alerts of a digest.
    """

    form: Form
    address: Address
    parts: tuple[_Part, ...]
    fingerprints: tuple[str, ...]
    reason: str


class Teller:
    """Makes messages and takes note of what becomes of them."""

    def __init__(self, plan: Plan, holdings: Holdings) -> None:
        self._holdings = holdings
        self._flights: dict[int, _Flight] = {}
        self._last_message = 0
        self._guards: dict[Address, RateGuard] = {}
        self._back: dict[Address, dict[GroupId, _Part]] = {}
        self._receivers = plan.receivers

    def in_flight(self) -> int:
        """How many messages are on their way."""
        return len(self._flights)

    def wake_times(self) -> Iterator[int]:
        """When digests and summaries are due."""
        for digest in self._holdings.digests.values():
            if digest.items and digest.sending is None:
                yield digest.due_ms
        for guard in self._guards.values():
            if guard.summary_ms is not None:
                yield guard.summary_ms

    def use(self, plan: Plan, now_ms: int) -> None:
        """Go by another configuration.

        What was collected for a digest that is no more counts as not told, and is told at once where that is wanted.
        """
        self._receivers = plan.receivers
        self._guards = {}
        self._back = {}
        for address, digest in list(self._holdings.digests.items()):
            integration = self.integration(address)
            cron = integration.digest if integration is not None else None
            if cron is None:
                del self._holdings.digests[address]
                self._holdings.touch(Table.DIGEST, *address)
                self._untell(address, digest.items.values())
            elif cron != digest.cron:
                digest.cron, digest.due_ms = cron, cron.next_after(now_ms)

    def restore(self, kept: KeptDigest, now_ms: int) -> None:
        """Take over what was collected before a restart; where the digest is no more, it counts as not told."""
        integration = self.integration(kept.address)
        if integration is not None and integration.digest is not None:
            due_ms = integration.digest.next_after(now_ms)
            self._holdings.digests[kept.address] = Digest(integration.digest, due_ms, kept.items, kept.omitted)
            return
        self._holdings.touch(Table.DIGEST, *kept.address)
        self._untell(kept.address, kept.items.values())

    def integration(self, address: Address) -> IntegrationPlan | None:
        """What is said of an integration; None if it is not in the configuration."""
        receiver = self._receivers.get(address.receiver)
        return next((one for one in receiver.integrations if one.address == address), None) if receiver else None

    def tell(self, group: Group, seen: Seen, turn: Turn) -> None:
        """Tell a group's receiver what there is to tell."""
        receiver = self._receivers[group.route.receiver]
        if not receiver.integrations:
            turn.note(group, seen.told, Verdict.NOBODY)
        for integration in receiver.integrations:
            self._consider(group, integration, seen, turn)

    def send_due(self, turn: Turn) -> None:
        """Send the digests and summaries that are due."""
        for address, digest in self._holdings.digests.items():
            if digest.items and digest.sending is None and digest.due_ms <= turn.now_ms:
                self._send_digest(address, digest, turn)
        for address, guard in self._guards.items():
            if guard.summary_ms is not None and guard.summary_ms <= turn.now_ms:
                self._send_summary(address, guard, turn)

    def report(self, message: int, error: str, turn: Turn) -> list[Group]:
        """Take note of what became of a message; the groups for which nothing is on its way any more."""
        flight = self._flights.pop(message, None)
        if flight is None:
            return []
        verdict = Verdict.FAILED if error else Verdict.SENT
        detail = error or flight.reason
        if flight.form is Form.DIGEST:
            digest = self._holdings.digests.get(flight.address)
            if digest is not None:
                digest.sent(ok=not error)
                self._holdings.touch(Table.DIGEST, *flight.address)
            turn.note_apart(flight.fingerprints, verdict, flight.address, detail=detail, message=message)
        idle: list[Group] = []
        for part in flight.parts:
            if not error:
                self._log(part, flight.address, turn.now_ms)
            group = self._holdings.groups.get(part.group_id)
            if group is None:
                turn.note_apart(part.seen.told, verdict, flight.address, detail=detail, message=message)
                continue
            turn.note(group, part.seen.told, verdict, address=flight.address, detail=detail, message=message)
            if group.pending.get(flight.address) == message:
                del group.pending[flight.address]
                group.untold = group.untold or bool(error)
                if not group.pending:
                    idle.append(group)
        return idle

    def _consider(self, group: Group, integration: IntegrationPlan, seen: Seen, turn: Turn) -> None:
        address = integration.address
        if not integration.delivered:
            turn.note(group, seen.told, Verdict.UNDELIVERED, address=address)
            return
        if group.pending.get(address, HELD_BACK) != HELD_BACK:
            group.untold = True
            turn.note(group, seen.told, Verdict.STILL_SENDING, address=address)
            return
        entry = self._holdings.log.get(group.key, address)
        reason = decide(
            entry,
            seen.firing,
            seen.resolved,
            now_ms=turn.now_ms,
            repeat_ms=group.route.repeat_interval_ms,
            send_resolved=integration.send_resolved,
        )
        if reason is None:
            self._drop_back(group, address)
            self._note_quiet(group, integration, seen, entry, turn)
            return
        part = _Part(group.id, group.key, seen, group.route.repeat_interval_ms)
        if integration.digest is not None:
            self._collect(group, integration, part, reason, turn)
        elif seen.firing or integration.send_resolved:
            self._send(group, integration, part, reason, turn)
        else:
            self._drop_back(group, address)
            self._log(part, address, turn.now_ms)
            turn.note(group, seen.resolved, Verdict.ENDED_UNWANTED, address=address)

    @staticmethod
    def _note_quiet(group: Group, integration: IntegrationPlan, seen: Seen, entry: Entry | None, turn: Turn) -> None:
        """Record why an integration is told nothing."""
        address = integration.address
        known = frozenset[str]()
        if entry is not None:
            known = entry.resolved
            until_ms = entry.at_ms + group.route.repeat_interval_ms
            turn.note(group, seen.firing, Verdict.NOT_DUE, address=address, until_ms=until_ms)
        verdict = Verdict.ENDED_UNTOLD if integration.send_resolved else Verdict.ENDED_UNWANTED
        turn.note(group, seen.resolved - known, verdict, address=address)

    def _send(self, group: Group, integration: IntegrationPlan, part: _Part, reason: Reason, turn: Turn) -> None:
        address, route, told = integration.address, group.route, part.seen.told
        guard = self._guard(address)
        if guard is not None and not guard.admit(turn.now_ms):
            self._back.setdefault(address, {})[group.id] = part
            group.pending[address] = HELD_BACK
            until_ms = guard.summary_ms
            turn.note(group, told, Verdict.HELD_BACK, address=address, detail=reason, until_ms=until_ms)
            return
        self._drop_back(group, address)
        message = self._flight(_Flight(Form.GROUP, address, (part,), (), reason), turn.now_ms)
        turn.note(group, told, Verdict.SENDING, address=address, detail=reason, message=message)
        group.pending[address] = message
        turn.out.append(
            Notify(
                id=message,
                form=Form.GROUP,
                address=address,
                group_key=group.key,
                group_labels=group.id.labels,
                route_id=route.id,
                route_labels=route.labels,
                alerts=_wanted(told.values(), integration),
                reason=reason,
                at_ms=turn.now_ms,
                give_up_ms=turn.now_ms + max(route.group_interval_ms, _SHORTEST_TRY_MS),
            )
        )

    def _collect(self, group: Group, integration: IntegrationPlan, part: _Part, reason: Reason, turn: Turn) -> None:
        """Keep what an integration would be told now for its digest."""
        address = integration.address
        assert integration.digest is not None  # noqa: S101 - asked by the caller
        digest = self._holdings.digests.setdefault(address, Digest(integration.digest, 0))
        if not digest.items:
            digest.due_ms = digest.cron.next_after(turn.now_ms)
        entry = self._holdings.log.get(group.key, address)
        news: dict[str, News] = {}
        for name, told in part.seen.told.items():
            if told.firing:
                new = entry is None or name not in entry.firing
                wanted = new or reason is Reason.REPEAT
            else:
                new = entry is None or name not in entry.resolved
                # Who does not want to hear of ends is still not told that something fires which has ended.
                wanted = new and (integration.send_resolved or name in digest.items)
            if wanted:
                news[name] = News(told.alert, told.firing, new)
        digest.collect(news, group.key, turn.now_ms)
        self._log(part, address, turn.now_ms)
        self._holdings.touch(Table.DIGEST, *address)
        turn.note(group, news, Verdict.COLLECTED, address=address, detail=reason, until_ms=digest.due_ms)

    def _send_digest(self, address: Address, digest: Digest, turn: Turn) -> None:
        items = digest.take(turn.now_ms)
        message = self._flight(_Flight(Form.DIGEST, address, (), tuple(items), Form.DIGEST), turn.now_ms)
        turn.note_apart(items, Verdict.SENDING, address, detail=Form.DIGEST, message=message)
        turn.out.append(
            Notify(
                id=message,
                form=Form.DIGEST,
                address=address,
                group_key=f"{Form.DIGEST}:{address}",
                alerts=tuple(Told(one.alert, one.firing) for one in items.values()),
                items=tuple(items.values()),
                omitted=digest.omitted,
                at_ms=turn.now_ms,
                give_up_ms=digest.due_ms,
            )
        )

    def _send_summary(self, address: Address, guard: RateGuard, turn: Turn) -> None:
        parts = tuple(self._back.pop(address, {}).values())
        if not parts:
            guard.summary_ms = None
            return
        guard.summarise(turn.now_ms)
        told = {name: one for part in parts for name, one in part.seen.told.items()}
        alerts = _wanted(told.values(), self.integration(address))
        message = self._flight(_Flight(Form.SUMMARY, address, parts, (), Form.SUMMARY), turn.now_ms)
        for part in parts:
            group = self._holdings.groups.get(part.group_id)
            if group is not None:
                group.pending[address] = message
                names = part.seen.told
                turn.note(group, names, Verdict.SENDING, address=address, detail=Form.SUMMARY, message=message)
        turn.out.append(
            Notify(
                id=message,
                form=Form.SUMMARY,
                address=address,
                group_key=f"{Form.SUMMARY}:{address}",
                alerts=alerts[:_MOST_IN_SUMMARY],
                omitted=max(len(alerts) - _MOST_IN_SUMMARY, 0),
                at_ms=turn.now_ms,
                give_up_ms=turn.now_ms + max(guard.rule.per_ms, _SHORTEST_TRY_MS),
            )
        )

    def _guard(self, address: Address) -> RateGuard | None:
        rule = self._receivers[address.receiver].guard
        return self._guards.setdefault(address, RateGuard(rule)) if rule is not None else None

    def _drop_back(self, group: Group, address: Address) -> None:
        """What was held back of a group is out of date."""
        if group.pending.get(address) == HELD_BACK:
            del group.pending[address]
            self._back.get(address, {}).pop(group.id, None)

    def _untell(self, address: Address, items: Iterable[DigestItem]) -> None:
        for item in items:
            self._holdings.log.forget(item.group_key, address)
            self._holdings.touch(Table.LOG, item.group_key, *address)

    def _flight(self, flight: _Flight, now_ms: int) -> int:
        # Not from 1 after each start: the records of earlier runs name messages too.
        self._last_message = max(self._last_message + 1, now_ms * 1000)
        self._flights[self._last_message] = flight
        return self._last_message

    def _log(self, part: _Part, address: Address, now_ms: int) -> None:
        seen, repeat_ms = part.seen, part.repeat_ms
        self._holdings.log.put(
            part.group_key, address, firing=seen.firing, resolved=seen.resolved, now_ms=now_ms, repeat_ms=repeat_ms
        )
        self._holdings.touch(Table.LOG, part.group_key, *address)


def _wanted(told: Iterable[Told], integration: IntegrationPlan | None) -> tuple[Told, ...]:
    """The alerts that an integration wants to hear of."""
    all_of_them = integration is None or integration.send_resolved
    return tuple(one for one in told if all_of_them or one.firing)
