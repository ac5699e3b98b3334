"""One call of the machine: its time, and what comes out of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from vedette.alerting.holdings import Group
from vedette.alerting.notification_log import Address
from vedette.alerting.records import Effect, Record, Verdict


@dataclass(slots=True)
class Turn:
    """A call.

    Attributes:
        now_ms: its time, milliseconds since the epoch.
        out: what somebody has to do, and what was decided.
    """

    now_ms: int
    out: list[Effect] = field(default_factory=list[Effect])

    def note(
        self,
        group: Group,
        names: Iterable[str],
        verdict: Verdict,
        *,
        address: Address | None = None,
        by: tuple[str, ...] = (),
        detail: str = "",
        until_ms: int | None = None,
        message: int | None = None,
    ) -> None:
        """Record a decision about alerts of a group, for those for which it is another one than the last."""
        now_ms, receiver, key, route_id = self.now_ms, group.route.receiver, group.key, group.route.id
        decision = (verdict, by, detail, until_ms, message)
        self.out.extend(
            Record(now_ms, name, verdict, receiver, address, key, route_id, by, detail, until_ms, message)
            for name in names
            if group.decides(name, address, decision)
        )

    def note_apart(
        self, names: Iterable[str], verdict: Verdict, address: Address, *, detail: str, message: int
    ) -> None:
        """Record what became of alerts in a message that is not about one group."""
        self.out.extend(
            Record(self.now_ms, name, verdict, address.receiver, address, detail=detail, message=message)
            for name in names
        )
