"""What the machine asks for and what it notes down.

Effects are what somebody has to do: send a message, remind the author of a silence. Records say what was decided
about an alert, for whom and why; they are made when the decision changes, and answer later why a message was sent
and why nobody was told.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vedette.alerting.digest import DigestItem
from vedette.alerting.notification_log import Address, Reason
from vedette.alerting.silences import Silence
from vedette.model.alerts import Alert
from vedette.model.labels import LabelSet


class Form(StrEnum):
    """What a message is about."""

    GROUP = "group"
    DIGEST = "digest"
    SUMMARY = "summary"


@dataclass(frozen=True, slots=True)
class Told:
    """An alert in a message.

    Attributes:
        alert: the alert.
        firing: whether it is told as firing. Its end then means nothing: it may pass while the message is on its way.
        flapping: whether it fires and ends again and again.
    """

    alert: Alert
    firing: bool
    flapping: bool = False


@dataclass(frozen=True, slots=True)
class Notify:
    """Send a message, and report what became of it.

    Attributes:
        id: to report it by; unique and rising, also across restarts.
        form: about a group, everything since the last digest, or what the rate guard held back.
        address: to which integration.
        group_key: name of the group, for deduplication; of a digest or summary, a name that stays the same.
        group_labels: what the group's alerts share.
        route_id: the route that made the group; empty for digests and summaries.
        route_labels: templates of the notification's labels.
        alerts: in Alertmanager's order; those that have ended only where the integration wants them.
        items: of a digest, what happened to each alert.
        omitted: how many alerts found no room.
        reason: why now; None for digests and summaries.
        at_ms: when it was decided.
        give_up_ms: until when to try.
    """

    id: int
    form: Form
    address: Address
    group_key: str
    alerts: tuple[Told, ...]
    at_ms: int
    give_up_ms: int
    group_labels: LabelSet = ()
    route_id: str = ""
    route_labels: tuple[tuple[str, str], ...] = ()
    items: tuple[DigestItem, ...] = ()
    omitted: int = 0
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Remind:
    """Tell the author that a silence is about to end."""

    silence: Silence


class Verdict(StrEnum):
    """What was decided about an alert in a group, for all of a receiver's integrations or for one."""

    FIRED = "fired"
    RESOLVED = "resolved"
    FLAPPING = "flapping"
    WAITING = "waiting"
    INHIBITED = "inhibited"
    INACTIVE = "outside of active time intervals"
    MUTED = "muted by time intervals"
    SILENCED = "silenced"
    NOBODY = "receiver without integrations"
    UNDELIVERED = "kind is not delivered"
    SENDING = "sending"
    STILL_SENDING = "still sending the last message"
    SENT = "sent"
    FAILED = "failed"
    COLLECTED = "collected for the digest"
    HELD_BACK = "held back by the rate guard"
    NOT_DUE = "not due"
    ENDED_UNTOLD = "ended before anybody was told"
    ENDED_UNWANTED = "its end is not told"


@dataclass(frozen=True, slots=True)
class Record:
    """A decision about an alert.

    Attributes:
        at_ms: when.
        fingerprint: which alert.
        verdict: what.
        receiver: for whom; empty where it concerns the alert itself.
        address: for which integration; None where it concerns all of them.
        group_key: in which group; empty where it concerns the alert itself.
        route_id: on which route.
        by: what did it: silences, inhibiting alerts, time intervals.
        detail: the rule, the reason, the error.
        until_ms: until when it holds at least; None where that is not known.
        message: the message, as in `Notify.id`.
    """

    at_ms: int
    fingerprint: str
    verdict: Verdict
    receiver: str = ""
    address: Address | None = None
    group_key: str = ""
    route_id: str = ""
    by: tuple[str, ...] = ()
    detail: str = ""
    until_ms: int | None = None
    message: int | None = None


Effect = Notify | Remind | Record
