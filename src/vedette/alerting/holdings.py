"""The alerts that are known and the groups they are in: what the machine changes as alerts and time come in."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cmp_to_key
from typing import Any

from vedette.alerting.digest import Digest
from vedette.alerting.flapping import Changes
from vedette.alerting.inhibition import Target
from vedette.alerting.notification_log import Address, NotificationLog
from vedette.alerting.routing import GroupId, Route
from vedette.alerting.silences import Silences
from vedette.alerting.state import (
    KeptAlert,
    KeptGroup,
    Key,
    Row,
    Table,
    encode_alert,
    encode_changes,
    encode_digest,
    encode_entry,
    encode_group,
    encode_silence,
)
from vedette.model.alerts import Alert
from vedette.model.labels import LabelSet

Decision = tuple[object, ...]
"""Verdict and facts of a record."""

HELD_BACK = -1
"""Stands for the message of an integration whose news the rate guard holds back."""


@dataclass(slots=True, eq=False)
class Held:
    """An alert that is known.

    Attributes:
        alert: as it was reported last.
        fingerprint: its short name.
        labels: its labels, to look up.
        routes: the routes that it takes, with the groups there.
        targets: the inhibition rules that it is a target of.
        changes: when it began and ended lately.
        firing: whether it was firing when it was last looked at.
        silences: ids of the silences that match it, whatever their state.
        silences_version: of `Silences`, when these were looked up.
        groups: how many groups it is in.
    """

    alert: Alert
    fingerprint: str
    labels: dict[str, str]
    routes: tuple[tuple[Route, GroupId], ...]
    targets: tuple[Target, ...]
    changes: Changes
    firing: bool
    silences: tuple[str, ...] = ()
    silences_version: int = -1
    groups: int = 0


@dataclass(slots=True, eq=False)
class Group:
    """Alerts that are told of together.

    Attributes:
        route: where it was made.
        id: what makes it.
        key: its name in the notification log and in messages.
        alerts: by fingerprint.
        next_flush_ms: when it is looked at next.
        flushed: it was looked at before.
        pending: the integrations whose message is on its way or held back.
        ended: of the last look, the alerts that had ended, with the time of their last report.
        untold: of the last look, somebody could not be told.
        muted_by: of the last look, the time intervals that muted it.
        verdicts: by fingerprint, the last decision for all integrations (None) or for each.
        order: the alerts in Alertmanager's order; empty if they have to be sorted again.
    """

    route: Route
    id: GroupId
    key: str
    next_flush_ms: int
    flushed: bool = False
    alerts: dict[str, Held] = field(default_factory=dict[str, Held])
    pending: dict[Address, int] = field(default_factory=dict[Address, int])
    ended: dict[str, int] = field(default_factory=dict[str, int])
    untold: bool = False
    muted_by: tuple[str, ...] = ()
    verdicts: dict[str, dict[Address | None, Decision]] = field(
        default_factory=dict[str, dict[Address | None, "Decision"]]
    )
    order: list[Held] = field(default_factory=list[Held])

    def add(self, held: Held) -> bool:
        """Take an alert in; whether it was not in before."""
        if held.fingerprint in self.alerts:
            return False
        self.alerts[held.fingerprint] = held
        self.order = []
        held.groups += 1
        return True

    def remove(self, fingerprint: str) -> Held:
        """Let an alert go."""
        held = self.alerts.pop(fingerprint)
        held.groups -= 1
        self.order = []
        self.verdicts.pop(fingerprint, None)
        return held

    def decides(self, fingerprint: str, address: Address | None, decision: Decision) -> bool:
        """Take note of a decision about an alert; whether it is another one than before.

        What holds for all integrations replaces what held for each, and the other way round.
        """
        known = self.verdicts.get(fingerprint)
        if known is not None and known.get(address) == decision:
            return False
        if fingerprint in self.alerts:
            if known is None or address is None:
                self.verdicts[fingerprint] = {address: decision}
            else:
                known.pop(None, None)
                known[address] = decision
        return True

    def sorted(self) -> list[Held]:
        """The alerts by `job`, `instance`, and their other labels."""
        if not self.order:
            self.order = sorted(self.alerts.values(), key=_in_order)
        return self.order


@dataclass(slots=True, eq=False)
class Holdings:
    """Everything that the machine remembers.

    Attributes:
        silences: to look at; they are changed by way of the machine.
        log: what was told.
        alerts: by fingerprint.
        groups: by what makes them.
        digests: what is collected.
        changes: when alerts began and ended lately, by fingerprint; also of alerts that are no longer held.
        touched: the rows that have changed since `changed_rows` was last called.
    """

    silences: Silences
    log: NotificationLog
    alerts: dict[str, Held] = field(default_factory=dict[str, Held])
    groups: dict[GroupId, Group] = field(default_factory=dict[GroupId, Group])
    digests: dict[Address, Digest] = field(default_factory=dict[Address, Digest])
    changes: dict[str, Changes] = field(default_factory=dict[str, Changes])
    touched: dict[tuple[Table, Key], None] = field(default_factory=dict[tuple[Table, Key], None])

    def touch(self, table: Table, *key: object) -> None:
        """Take note that a row has changed, or is there no more."""
        self.touched[table, key] = None

    def changed_rows(self) -> list[Row]:
        """What is to be stored since the last call; a row without content is to be deleted."""
        touched, self.touched = self.touched, {}
        return [Row(table, key, self._content(table, key)) for table, key in touched]

    def all_rows(self) -> list[Row]:
        """Everything that is to be stored."""
        keys: list[tuple[Table, Key]] = [(Table.ALERT, (name,)) for name in self.alerts]
        keys += [(Table.GROUP, tuple(one)) for one in self.groups]
        keys += [(Table.LOG, (group_key, *address)) for (group_key, address), _ in self.log]
        keys += [(Table.SILENCE, (one.id,)) for one in self.silences]
        keys += [(Table.DIGEST, tuple(address)) for address in self.digests]
        # A single change makes nothing flap; most alerts never have another one.
        keys += [(Table.CHANGES, (name,)) for name, changes in self.changes.items() if len(changes.times) > 1]
        return [Row(table, key, self._content(table, key)) for table, key in keys]

    def _content(self, table: Table, key: Key) -> dict[str, Any] | None:
        """What is stored under a key now; None if there is nothing."""
        match table:
            case Table.ALERT:
                held = self.alerts.get(key[0])
                return encode_alert(self._kept(held)) if held is not None else None
            case Table.GROUP:
                group = self.groups.get(GroupId(*key))
                return encode_group(KeptGroup(group.id, group.next_flush_ms, group.flushed)) if group else None
            case Table.LOG:
                entry = self.log.get(key[0], Address(*key[1:]))
                return encode_entry(entry) if entry is not None else None
            case Table.SILENCE:
                silence = self.silences.find(key[0])
                return encode_silence(silence) if silence is not None else None
            case Table.DIGEST:
                digest = self.digests.get(Address(*key))
                return encode_digest(digest) if digest is not None else None
            case Table.CHANGES:
                changes = self.changes.get(key[0])
                return encode_changes(changes) if changes is not None else None

    def _kept(self, held: Held) -> KeptAlert:
        left = tuple(
            group_id.route_id
            for _, group_id in held.routes
            if (group := self.groups.get(group_id)) is None or held.fingerprint not in group.alerts
        )
        return KeptAlert(held.alert, held.firing, left)


def _compare(one: Held, other: Held) -> int:
    for name in ("job", "instance"):
        left, right = one.labels.get(name), other.labels.get(name)
        if left == right:
            continue
        if left is None or right is None:
            return 1 if left is None else -1
        return -1 if left < right else 1
    return _compare_labels(one.alert.labels, other.alert.labels)


def _compare_labels(one: LabelSet, other: LabelSet) -> int:
    """Fewer labels first; then the set that lacks the first name that not both have; then the smaller value."""
    if len(one) != len(other):
        return len(one) - len(other)
    for (name, value), (other_name, other_value) in zip(one, other, strict=True):
        if name != other_name:
            return 1 if name < other_name else -1
        if value != other_value:
            return -1 if value < other_value else 1
    return 0


_in_order = cmp_to_key(_compare)
