"""Users, their tokens, sessions and one-time links, and the record of who did what."""

from __future__ import annotations

STATEMENTS = (
    """CREATE TABLE users (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        role TEXT NOT NULL,
        password_hash TEXT,
        password_changed_ms BIGINT,
        disabled SMALLINT NOT NULL,
        created_ms BIGINT NOT NULL
    )""",
    """CREATE TABLE tokens (
        id TEXT PRIMARY KEY,
        user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        secret_hash TEXT NOT NULL,
        scopes TEXT NOT NULL,
        created_ms BIGINT NOT NULL,
        expires_ms BIGINT,
        last_used_ms BIGINT
    )""",
    "CREATE INDEX tokens_by_user ON tokens (user_id)",
    """CREATE TABLE sessions (
        id_hash TEXT PRIMARY KEY,
        user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        setup_only SMALLINT NOT NULL,
        created_ms BIGINT NOT NULL,
        last_seen_ms BIGINT NOT NULL,
        expires_ms BIGINT NOT NULL,
        address TEXT NOT NULL
    )""",
    "CREATE INDEX sessions_by_user ON sessions (user_id)",
    """CREATE TABLE once_links (
        secret_hash TEXT PRIMARY KEY,
        user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        created_ms BIGINT NOT NULL,
        expires_ms BIGINT NOT NULL
    )""",
    """CREATE TABLE audit (
        id {serial},
        at_ms BIGINT NOT NULL,
        actor TEXT NOT NULL,
        action TEXT NOT NULL,
        target TEXT NOT NULL,
        address TEXT NOT NULL,
        outcome TEXT NOT NULL,
        detail TEXT NOT NULL
    )""",
    "CREATE INDEX audit_by_time ON audit (at_ms)",
)
