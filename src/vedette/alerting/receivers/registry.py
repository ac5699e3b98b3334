"""The kinds of receivers, one line each, and the section that holds them: one key `<kind>_configs` for each.

The order is that in which Alertmanager builds a receiver's integrations.
"""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from vedette.alerting.receivers.apprise import AppriseSettings
from vedette.alerting.receivers.discord import DiscordSettings
from vedette.alerting.receivers.email import EmailSettings
from vedette.alerting.receivers.incidentio import IncidentioSettings
from vedette.alerting.receivers.jira import JiraSettings
from vedette.alerting.receivers.kind import Integration
from vedette.alerting.receivers.mattermost import MattermostSettings
from vedette.alerting.receivers.msteams import MsteamsSettings
from vedette.alerting.receivers.msteamsv2 import Msteamsv2Settings
from vedette.alerting.receivers.opsgenie import OpsgenieSettings
from vedette.alerting.receivers.pagerduty import PagerdutySettings
from vedette.alerting.receivers.pushover import PushoverSettings
from vedette.alerting.receivers.rocketchat import RocketchatSettings
from vedette.alerting.receivers.slack import SlackSettings
from vedette.alerting.receivers.sns import SnsSettings
from vedette.alerting.receivers.statuspage import StatuspageSettings
from vedette.alerting.receivers.telegram import TelegramSettings
from vedette.alerting.receivers.victorops import VictoropsSettings
from vedette.alerting.receivers.webex import WebexSettings
from vedette.alerting.receivers.webhook import WebhookSettings
from vedette.alerting.receivers.wechat import WechatSettings
from vedette.alerting.settings.fields import Templates
from vedette.config.fields import Interval, Positive
from vedette.config.settings import Problem, Settings
from vedette.model.durations import Duration

KINDS: Final[tuple[type[Integration], ...]] = (
    WebhookSettings,
    EmailSettings,
    PagerdutySettings,
    OpsgenieSettings,
    WechatSettings,
    SlackSettings,
    VictoropsSettings,
    PushoverSettings,
    SnsSettings,
    TelegramSettings,
    DiscordSettings,
    WebexSettings,
    MsteamsSettings,
    Msteamsv2Settings,
    JiraSettings,
    IncidentioSettings,
    RocketchatSettings,
    MattermostSettings,
    StatuspageSettings,
    AppriseSettings,
)


class Entry(NamedTuple):
    """An integration with its place in its receiver.

    Attributes:
        kind: its kind.
        number: its place among those of its kind, from 0; part of its identity in the notification log.
        settings: what is said of it.
    """

    kind: str
    number: int
    settings: Integration


def entry_key(kind: str) -> str:
    """The option of a receiver that lists integrations of a kind."""
    return f"{kind}_configs"


@dataclass(frozen=True, slots=True, kw_only=True)
class RateGuardSettings(Settings):
    """When many messages become one."""

    messages: Positive = 30
    """How many messages within `per` are sent one by one; what is more is told in one summary."""
    per: Interval = Duration(600_000)
    """The time in which they are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedReceiver(Settings):
    """Who is told, and in which ways."""

    name: str = ""
    """Name for routes to refer to. Required."""
    labels: Templates = ()
    """Labels of the receiver, for templates and the API."""
    rate_guard: RateGuardSettings | None = None
    """Limit on messages: a storm becomes one summary. Vedette's own."""

    def problems(self) -> Iterable[Problem]:
        """A name."""
        if not self.name:
            yield Problem((), "missing name in receiver", "Add `name`.")

    def entries(self) -> Iterator[Entry]:
        """All its integrations."""
        for kind in KINDS:
            listed = cast("tuple[Integration, ...]", getattr(self, entry_key(kind.kind)))
            for number, settings in enumerate(listed):
                yield Entry(kind.kind, number, settings)


if TYPE_CHECKING:

    class ReceiverSettings(NamedReceiver):
        """A receiver with one list of integrations for each kind."""

else:
    ReceiverSettings: Any = dataclasses.make_dataclass(
        "ReceiverSettings",
        [(entry_key(kind.kind), tuple[kind, ...], ()) for kind in KINDS],
        bases=(NamedReceiver,),
        namespace={"__doc__": "A receiver with one list of integrations for each kind.", "__module__": __name__},
        frozen=True,
        slots=True,
        kw_only=True,
    )
