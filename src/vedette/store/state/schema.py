"""The tables of the state database, as queries see them.

The shape on disk is made by `migrations`; a test compares the two. Times are milliseconds since the
epoch, ids and hashes are text, and yes/no is 0/1, so that SQLite and PostgreSQL hold the same values.
Secrets are never here: only their hashes are.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, MetaData, SmallInteger, Table, Text

METADATA = MetaData()

SCHEMA_VERSION = Table(
    "schema_version",
    METADATA,
    Column("version", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("applied_ms", BigInteger, nullable=False),
)

USERS = Table(
    "users",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("password_hash", Text),
    Column("password_changed_ms", BigInteger),
    Column("disabled", SmallInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

TOKENS = Table(
    "tokens",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("secret_hash", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger),
    Column("last_used_ms", BigInteger),
    Index("tokens_by_user", "user_id"),
)

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("id_hash", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("setup_only", SmallInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("last_seen_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("address", Text, nullable=False),
    Index("sessions_by_user", "user_id"),
)

ONCE_LINKS = Table(
    "once_links",
    METADATA,
    Column("secret_hash", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
)

AUDIT = Table(
    "audit",
    METADATA,
    # BigInteger on PostgreSQL; SQLite numbers rows by itself only where the type reads INTEGER.
    Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Index("audit_by_time", "at_ms"),
)

ALERT_STATE = Table(
    "alert_state",
    METADATA,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("content", Text, nullable=False),
)

ALERT_LABELS = Table(
    "alert_labels",
    METADATA,
    Column("fingerprint", Text, primary_key=True),
    Column("alertname", Text, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Column("content", Text, nullable=False),
    Index("alert_labels_by_name", "alertname", "seen_ms"),
    Index("alert_labels_by_time", "seen_ms"),
)

ALERT_HISTORY = Table(
    "alert_history",
    METADATA,
    Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("message", BigInteger),
    Column("content", Text, nullable=False),
    Index("alert_history_by_alert", "fingerprint", "at_ms"),
    Index("alert_history_by_message", "message"),
    Index("alert_history_by_time", "at_ms"),
)

ALERT_ATTEMPTS = Table(
    "alert_attempts",
    METADATA,
    Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("message", BigInteger, nullable=False),
    Column("receiver", Text, nullable=False),
    Column("content", Text, nullable=False),
    Index("alert_attempts_by_message", "message"),
    Index("alert_attempts_by_receiver", "receiver", "at_ms"),
    Index("alert_attempts_by_time", "at_ms"),
)
