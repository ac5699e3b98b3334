"""What alerting remembers: its state as rows of plain data, the history of decisions, and attempts to deliver."""

from __future__ import annotations

STATEMENTS = (
    """CREATE TABLE alert_state (
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        content TEXT NOT NULL,
        PRIMARY KEY (kind, name)
    )""",
    """CREATE TABLE alert_labels (
        fingerprint TEXT PRIMARY KEY,
        alertname TEXT NOT NULL,
        seen_ms BIGINT NOT NULL,
        content TEXT NOT NULL
    )""",
    "CREATE INDEX alert_labels_by_name ON alert_labels (alertname, seen_ms)",
    "CREATE INDEX alert_labels_by_time ON alert_labels (seen_ms)",
    """CREATE TABLE alert_history (
        id {serial},
        at_ms BIGINT NOT NULL,
        fingerprint TEXT NOT NULL,
        message BIGINT,
        content TEXT NOT NULL
    )""",
    "CREATE INDEX alert_history_by_alert ON alert_history (fingerprint, at_ms)",
    "CREATE INDEX alert_history_by_message ON alert_history (message)",
    "CREATE INDEX alert_history_by_time ON alert_history (at_ms)",
    """CREATE TABLE alert_attempts (
        id {serial},
        at_ms BIGINT NOT NULL,
        message BIGINT NOT NULL,
        receiver TEXT NOT NULL,
        content TEXT NOT NULL
    )""",
    "CREATE INDEX alert_attempts_by_message ON alert_attempts (message)",
    "CREATE INDEX alert_attempts_by_receiver ON alert_attempts (receiver, at_ms)",
    "CREATE INDEX alert_attempts_by_time ON alert_attempts (at_ms)",
)
