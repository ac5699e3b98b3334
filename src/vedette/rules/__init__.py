"""Rules: files of them, groups evaluated again and again, alerts and their states, tests and checks of rules."""

from vedette.rules.alerting import ActiveAlert, Alerting, LastFiring, LastForState
from vedette.rules.backtest import (
    Episodes,
    Summary,
    Threshold,
    find_threshold,
    replay,
    summarise,
    with_threshold,
)
from vedette.rules.definitions import AlertingRule, RecordingRule, Rule, RuleFile, RuleGroup, RuleType
from vedette.rules.expansion import AlertData, Surroundings, Templates
from vedette.rules.files import load_rules, parse_rules, read_bytes
from vedette.rules.group import GroupAtWork, GroupDefaults, Health, RuleAtWork
from vedette.rules.history import last_firing, last_for_states
from vedette.rules.lint import Hint, HintKind, KnownMetrics, find_hints
from vedette.rules.outgoing import AlertSink, Outgoing
from vedette.rules.running import Notify, PastAlerts, Queries, RestoreOptions, RuleRunner, RunnerParts
from vedette.rules.sources import RuleSources, read_sources
from vedette.rules.state import AlertState
from vedette.rules.storing import RuleSamples
from vedette.rules.templates import template_language
from vedette.rules.writing import SampleWriter

__all__ = [
    "ActiveAlert",
    "AlertData",
    "AlertSink",
    "AlertState",
    "Alerting",
    "AlertingRule",
    "Episodes",
    "GroupAtWork",
    "GroupDefaults",
    "Health",
    "Hint",
    "HintKind",
    "KnownMetrics",
    "LastFiring",
    "LastForState",
    "Notify",
    "Outgoing",
    "PastAlerts",
    "Queries",
    "RecordingRule",
    "RestoreOptions",
    "Rule",
    "RuleAtWork",
    "RuleFile",
    "RuleGroup",
    "RuleRunner",
    "RuleSamples",
    "RuleSources",
    "RuleType",
    "RunnerParts",
    "SampleWriter",
    "Summary",
    "Surroundings",
    "Templates",
    "Threshold",
    "find_hints",
    "find_threshold",
    "last_firing",
    "last_for_states",
    "load_rules",
    "parse_rules",
    "read_bytes",
    "read_sources",
    "replay",
    "summarise",
    "template_language",
    "with_threshold",
]
