"""Alerts on their way to people: configuration, routing, grouping, inhibition, silences, muting, decisions."""

from vedette.alerting.digest import DigestItem
from vedette.alerting.history import read_record, record_fields, sentence, standing, why_sent
from vedette.alerting.holdings import Group, Held, Holdings
from vedette.alerting.intake import AlertError, complete
from vedette.alerting.notification_log import Address, Reason
from vedette.alerting.pipeline import Pipeline
from vedette.alerting.plan import IntegrationPlan, Plan, ReceiverPlan, build_plan
from vedette.alerting.records import Effect, Form, Notify, Record, Remind, Told, Verdict
from vedette.alerting.routing import GroupId, Route, Step, build_routes, explain
from vedette.alerting.settings.file import AlertingConfig, AlertingFile
from vedette.alerting.settings.load import load_alerting, parse_alerting, read_alerting
from vedette.alerting.settings.render import alertmanager_yaml
from vedette.alerting.silences import Recurrence, Silence, SilenceError, SilenceState, UnknownSilenceError
from vedette.alerting.state import Row, Table
from vedette.alerting.status import AlertState, AlertStatus, alert_status, groups_of, sorted_groups

__all__ = [
    "Address",
    "AlertError",
    "AlertState",
    "AlertStatus",
    "AlertingConfig",
    "AlertingFile",
    "DigestItem",
    "Effect",
    "Form",
    "Group",
    "GroupId",
    "Held",
    "Holdings",
    "IntegrationPlan",
    "Notify",
    "Pipeline",
    "Plan",
    "Reason",
    "ReceiverPlan",
    "Record",
    "Recurrence",
    "Remind",
    "Route",
    "Row",
    "Silence",
    "SilenceError",
    "SilenceState",
    "Step",
    "Table",
    "Told",
    "UnknownSilenceError",
    "Verdict",
    "alert_status",
    "alertmanager_yaml",
    "build_plan",
    "build_routes",
    "complete",
    "explain",
    "groups_of",
    "load_alerting",
    "parse_alerting",
    "read_alerting",
    "read_record",
    "record_fields",
    "sentence",
    "sorted_groups",
    "standing",
    "why_sent",
]
