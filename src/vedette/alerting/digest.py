"""Digests: everything since the last message, in one message at fixed times.

Whatever an integration would have been told at once is collected instead, one item for each alert: how it stands,
how often it fired and ended since the last digest. Sent items are forgotten once the digest is out; what changed in
the meantime stays for the next one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from vedette.alerting.cron import Cron
from vedette.model.alerts import Alert

MOST_ITEMS: Final = 10_000


class News(NamedTuple):
    """What an integration would be told of an alert.

    Attributes:
        alert: the alert.
        firing: whether it is firing.
        new: whether it began or ended since the integration was told last; if not, it is a reminder.
    """

    alert: Alert
    firing: bool
    new: bool


@dataclass(frozen=True, slots=True)
class DigestItem:
    """What happened to one alert since the last digest.

    Attributes:
        alert: as it was reported last.
        firing: whether it was firing when it was collected last.
        fired: how often it was found firing after it had not been.
        resolved: how often it was found ended after it had been firing.
        first_ms: when it was collected first.
        last_ms: when it was collected last.
        group_key: the group in which it was collected last.
    """

    alert: Alert
    firing: bool
    fired: int
    resolved: int
    first_ms: int
    last_ms: int
    group_key: str


@dataclass(slots=True)
class Digest:
    """What is collected for one integration.

    Attributes:
        cron: when it is due.
        due_ms: when it is due next.
        items: by fingerprint.
        omitted: how many alerts found no room.
        sending: the items of the message that is on its way; None if there is none.
    """

    cron: Cron
    due_ms: int
    items: dict[str, DigestItem] = field(default_factory=dict[str, DigestItem])
    omitted: int = 0
    sending: dict[str, DigestItem] | None = None

    def collect(self, news: Mapping[str, News], group_key: str, now_ms: int) -> None:
        """Take note of alerts, by fingerprint."""
        for fingerprint, (alert, firing, new) in news.items():
            known = self.items.get(fingerprint)
            if known is None and len(self.items) >= MOST_ITEMS:
                self.omitted += 1
                continue
            changed = new if known is None else known.firing is not firing
            self.items[fingerprint] = DigestItem(
                alert=alert,
                firing=firing,
                fired=(known.fired if known else 0) + (changed and firing),
                resolved=(known.resolved if known else 0) + (changed and not firing),
                first_ms=known.first_ms if known else now_ms,
                last_ms=now_ms,
                group_key=group_key,
            )

    def take(self, now_ms: int) -> dict[str, DigestItem]:
        """The items of the message that goes out now."""
        self.due_ms = self.cron.next_after(now_ms)
        self.sending = dict(self.items)
        return self.sending

    def sent(self, *, ok: bool) -> None:
        """The message is out, or could not be sent; then its items stay."""
        if ok and self.sending is not None:
            self.items = {name: one for name, one in self.items.items() if self.sending.get(name) is not one}
            self.omitted = 0
        self.sending = None
