"""What is known about a connection, shared by all requests on it: the protocol writes it, requests read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

CONNECTION = "vedette.connection"
UNASKED: Any = object()


@dataclass(slots=True)
class ConnectionFacts:
    """One connection's.

    Attributes:
        peer_user: the user id of the other end's process; None where it cannot be told, UNASKED until it
            has been asked for.
        lost: the client has left.
    """

    peer_user: Any = UNASKED
    lost: bool = False
