"""What is known about a connection, shared by all requests on it: the protocol writes it, requests read it.

Clients send the same headers with every request of a connection; what was made of them is kept here, so that it is
made once. It depends on nothing but the connection and those headers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vedette.http.head import RequestHead

CONNECTION = "vedette.connection"
UNASKED: Any = object()


@dataclass(slots=True)
class ConnectionFacts:
    """One connection's.

    Attributes:
        peer_user: the user id of the other end's process; None where it cannot be told, UNASKED until it
            has been asked for.
        lost: the client has left.
        head: of the latest request, and
        head_of: the HTTP version and the headers that it was made of.
        judged: the head for which it was decided whether the client is a trusted local program, and
        refusal: why it is not; empty if it is.
    """

    peer_user: Any = UNASKED
    lost: bool = False
    head: RequestHead | None = None
    head_of: tuple[str, list[tuple[bytes, bytes]]] | None = None
    judged: RequestHead | None = None
    refusal: str = ""
