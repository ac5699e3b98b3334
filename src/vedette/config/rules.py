"""How rules are evaluated: `rules`. Which ones is said by `rule_files`, how often by `global.evaluation_interval`."""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

from dataclasses import dataclass

from vedette.config.fields import DurationOption, Interval, Positive
from vedette.config.settings import Settings
from vedette.model.durations import Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules(Settings):
    """How rules are evaluated. In Prometheus most of these are flags."""

    concurrency: Positive = 10
    """Rules' queries at a time, besides those of people; further ones wait. Takes effect with the next start."""
    resend_delay: Interval = Duration(60_000)
    """How often an alert that goes on firing is sent again (`--rules.alert.resend-delay`)."""
    notification_queue: Positive = 10_000
    """Alerts that wait to be sent, for each Alertmanager elsewhere; when there are more the oldest are dropped
    (`--alertmanager.notification-queue-capacity`). Holds for Alertmanagers that are found from then on."""
    backtest_evaluations: Positive = 2_000_000
    """Evaluations that a backtest may make, of all its rules together: a month of one a minute has 43,200."""
    backtest_runs: Positive = 1_000_000
    """How often series may begin to be found in the backtest of one rule; each takes some 100 bytes of memory."""
    outage_tolerance: DurationOption = Duration(3_600_000)
    """After a start, alerts that were seen within this time go on where they were
    (`--rules.alert.for-outage-tolerance`). Takes effect with the next start."""
    grace_period: DurationOption = Duration(600_000)
    """After a start, a pending alert waits at least this long until it fires; rules with a shorter `for` begin anew
    (`--rules.alert.for-grace-period`). Takes effect with the next start."""
