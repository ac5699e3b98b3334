"""Random secrets and what is stored of them: tokens, session ids, one-time links.

A token reads `vdt_<id>_<secret>`: the prefix lets scanners of repositories and logs recognise it, the id is
looked up, the secret is compared. All secrets have at least 160 random bits; a single SHA-256 suffices to
store such a value, whereas passwords go through argon2 (`passwords`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

LOCAL_ID = "local"

_TOKEN = re.compile(r"vdt_([a-z2-7]{16}|local)_([a-z2-7]{32})")


@dataclass(frozen=True, slots=True)
class TokenText:
    """A token taken apart."""

    id: str
    secret: str

    def __repr__(self) -> str:
        return f"TokenText(id={self.id!r})"

    @property
    def full(self) -> str:
        """What the client sends."""
        return f"vdt_{self.id}_{self.secret}"


def new_token(token_id: str | None = None) -> TokenText:
    """A fresh token; with a random id unless one is given."""
    return TokenText(id=token_id or _base32(10), secret=_base32(20))


def parse_token(text: str) -> TokenText | None:
    """Take a token apart; None for what is none."""
    match = _TOKEN.fullmatch(text)
    return None if match is None else TokenText(match[1], match[2])


def new_secret() -> str:
    """For session ids and one-time links."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    """What is stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


def same_secret(hashed: str, other: str) -> bool:
    """Compare two hashes in a time that does not depend on them."""
    return hmac.compare_digest(hashed.encode(), other.encode())


def _base32(size_bytes: int) -> str:
    return base64.b32encode(secrets.token_bytes(size_bytes)).decode().lower().rstrip("=")
