"""The kinds of receivers that are delivered to, one line each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from vedette.alerting.delivery.apprise import AppriseSender
from vedette.alerting.delivery.discord import DiscordSender
from vedette.alerting.delivery.email import EmailSender
from vedette.alerting.delivery.incidentio import IncidentioSender
from vedette.alerting.delivery.jira import JiraSender
from vedette.alerting.delivery.mattermost import MattermostSender
from vedette.alerting.delivery.msteams import MsteamsSender
from vedette.alerting.delivery.msteamsv2 import Msteamsv2Sender
from vedette.alerting.delivery.opsgenie import OpsgenieSender
from vedette.alerting.delivery.pagerduty import PagerdutySender
from vedette.alerting.delivery.pushover import PushoverSender
from vedette.alerting.delivery.rocketchat import RocketchatSender
from vedette.alerting.delivery.sender import BuildSender
from vedette.alerting.delivery.slack import SlackSender
from vedette.alerting.delivery.sns import SnsSender
from vedette.alerting.delivery.statuspage import StatuspageSender
from vedette.alerting.delivery.telegram import TelegramSender
from vedette.alerting.delivery.victorops import VictoropsSender
from vedette.alerting.delivery.webex import WebexSender
from vedette.alerting.delivery.webhook import WebhookSender

SENDERS: Final[Mapping[str, BuildSender]] = {
    "apprise": AppriseSender,
    "discord": DiscordSender,
    "email": EmailSender,
    "incidentio": IncidentioSender,
    "jira": JiraSender,
    "mattermost": MattermostSender,
    "msteams": MsteamsSender,
    "msteamsv2": Msteamsv2Sender,
    "opsgenie": OpsgenieSender,
    "pagerduty": PagerdutySender,
    "pushover": PushoverSender,
    "rocketchat": RocketchatSender,
    "slack": SlackSender,
    "sns": SnsSender,
    "statuspage": StatuspageSender,
    "telegram": TelegramSender,
    "victorops": VictoropsSender,
    "webex": WebexSender,
    "webhook": WebhookSender,
}
