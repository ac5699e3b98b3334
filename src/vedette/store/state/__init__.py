"""The state database: accounts and the audit trail now, silences, incidents and dashboards later."""

from vedette.store.state.audit import AuditRecord, AuditTrail, Outcome
from vedette.store.state.database import StateDatabase, open_state
from vedette.store.state.errors import ConflictError, RecordNotFoundError
from vedette.store.state.sessions import Session, SessionOwner, Sessions
from vedette.store.state.tokens import Scope, Token, TokenId, TokenOwner, Tokens
from vedette.store.state.users import Role, User, UserId, Users, canonical_name

__all__ = [
    "AuditRecord",
    "AuditTrail",
    "ConflictError",
    "Outcome",
    "RecordNotFoundError",
    "Role",
    "Scope",
    "Session",
    "SessionOwner",
    "Sessions",
    "StateDatabase",
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
