"""Who is asking, and what they may: login, sessions, tokens, local access."""

from vedette.http.auth.accounts import Accounts, open_accounts
from vedette.http.auth.authenticator import Authenticator
from vedette.http.auth.local_access import LocalAccess, local_access
from vedette.http.auth.principals import Principal, Proof, principal_of

__all__ = [
    "Accounts",
    "Authenticator",
    "LocalAccess",
    "Principal",
    "Proof",
    "local_access",
    "open_accounts",
    "principal_of",
]
