"""When a caller without credentials is trusted because it is on this machine.

A Prometheus, an agent or `curl` next to Vedette should work without any set-up; a web page in the
browser next to it, another user of the machine, or the public behind a reverse proxy on the machine should
get nothing. An address of 127.0.0.1 tells these apart from nobody, so every line of `refusal` must hold.
docs/decisions/0006-local-access.md has the reasons.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.types import Scope

from vedette.http.auth.peer_user import user_of_peer
from vedette.http.connection import CONNECTION, UNASKED, ConnectionFacts
from vedette.http.head import RequestHead, parse_address
from vedette.http.security import Origin, request_origin
from vedette.http.settings import AuthMode, ListenAddress


@dataclass(frozen=True, slots=True)
class LocalAccess:
    """The rule for callers without credentials.

    Attributes:
        enabled: whether any may be trusted at all.
        find_user: asks the kernel whose the other end of a connection is.
    """

    enabled: bool
    find_user: Callable[[tuple[str, int], tuple[str, int]], int | None] = user_of_peer

    def refusal(self, head: RequestHead, scope: Scope) -> str:
        """Why this caller is not trusted; empty if it is."""
        if not self.enabled:
            return "only callers with credentials are served here"
        facts = scope.get(CONNECTION)
        if not isinstance(facts, ConnectionFacts) or facts.head is not head:
            return self._judge(head, scope)
        # All that is looked at is the connection and this head, which is the same as long as the headers are.
        if facts.judged is not head:
            facts.refusal = self._judge(head, scope)
            facts.judged = head
        return facts.refusal

    def _judge(self, head: RequestHead, scope: Scope) -> str:  # noqa: PLR0911 - one line for each reason
        if head.peer is None or not head.peer.is_loopback or not _is_loopback(str(scope["server"][0])):
            return "the request does not come from this machine"
        if head.forwarded:
            return "the request came through a proxy"
        if scope["http_version"] == "1.0":
            # What nginx speaks to its backends unless told otherwise, while it sets no header of its own.
            return "the request is HTTP/1.0, as reverse proxies send it"
        if not _is_loopback(head.host):
            # Covers DNS rebinding: a page of evil.example whose name now points to 127.0.0.1.
            return f"the Host header {head.authority!r} is not a name of this machine's loopback"
        if request_origin(head) is Origin.FOREIGN:
            return "the request began on another site's page"
        if self._peer_user(scope) != os.geteuid():
            return "the client does not run as the same user as Vedette"
        return ""

    def _peer_user(self, scope: Scope) -> int | None:
        facts = scope.get(CONNECTION)
        if not isinstance(facts, ConnectionFacts):
            return None
        if facts.peer_user is UNASKED:
            facts.peer_user = self.find_user(tuple(scope["client"]), tuple(scope["server"]))
        return facts.peer_user


def local_access(mode: AuthMode, listen: Sequence[ListenAddress]) -> LocalAccess:
    """The rule that follows from the settings: nobody is trusted once any address is reachable from outside."""
    return LocalAccess(enabled=mode is AuthMode.AUTO and all(_is_loopback(address.host) for address in listen))


def _is_loopback(host: str) -> bool:
    address = parse_address(host)
    return host == "localhost" if address is None else address.is_loopback
