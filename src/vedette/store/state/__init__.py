"""The state database: accounts, the audit trail and what alerting remembers; incidents and dashboards later."""

from vedette.store.state.alerts import AlertBatch, AlertStore, AttemptRow, HistoryRow, KeepLimits, LabelsRow, StateRow
from vedette.store.state.audit import AuditRecord, AuditTrail, Outcome
from vedette.store.state.database import StateDatabase, open_state
from vedette.store.state.errors import ConflictError, RecordNotFoundError
from vedette.store.state.sessions import Session, SessionOwner, Sessions
from vedette.store.state.tokens import Scope, Token, TokenId, TokenOwner, Tokens
from vedette.store.state.users import Role, User, UserId, Users, canonical_name

__all__ = [
    "AlertBatch",
    "AlertStore",
    "AttemptRow",
    "AuditRecord",
    "AuditTrail",
    "ConflictError",
    "HistoryRow",
    "KeepLimits",
    "LabelsRow",
    "Outcome",
    "RecordNotFoundError",
    "Role",
    "Scope",
    "Session",
    "SessionOwner",
    "Sessions",
    "StateDatabase",
    "StateRow",
    "Token",
    "TokenId",
    "TokenOwner",
    "Tokens",
    "User",
    "UserId",
    "Users",
    "canonical_name",
    "open_state",
]
