"""The session's cookie.

Over https it is called `__Host-…` and Secure, so that no other host and no plain http answer can set one in
its place. It holds a random id that the server chose; an id that a client brings is never adopted.
"""

from __future__ import annotations

_MAX_ID_BYTES = 128


class SessionCookie:
    """Reads and writes the cookie of one name."""

    def __init__(self, name: str) -> None:
        self._plain = name
        self._secure = f"__Host-{name}"

    def read(self, cookies: bytes, *, secure: bool) -> str:
        """The session's id in a Cookie header; empty where there is none."""
        wanted = (self._secure if secure else self._plain).encode()
        for pair in cookies.split(b";"):
            name, _, value = pair.strip().partition(b"=")
            if name == wanted and len(value) <= _MAX_ID_BYTES:
                return value.decode("latin-1")
        return ""

    def set(self, session_id: str, *, secure: bool) -> str:
        """The value of Set-Cookie that begins a session. The server ends it; the browser, when it closes."""
        return f"{self._name(secure=secure)}={session_id}; Path=/; HttpOnly; SameSite=Lax{'; Secure' * secure}"

    def clear(self, *, secure: bool) -> str:
        """The value of Set-Cookie that removes it."""
        name = self._name(secure=secure)
        return f"{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{'; Secure' * secure}"

    def _name(self, *, secure: bool) -> str:
        return self._secure if secure else self._plain
