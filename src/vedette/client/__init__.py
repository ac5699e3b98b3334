"""Vedette's HTTP API from Python: for notebooks and scripts, and for the commands.

What is named here is imported when it is first used: a command that asks nobody should not wait for an HTTP library.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from vedette.client.client import Client
    from vedette.client.connection import Answer, Call, Connection
    from vedette.client.errors import (
        AccessError,
        AnswerError,
        ClientError,
        ExpressionError,
        MissingPackageError,
        UnexpectedAnswerError,
        UnreachableError,
    )
    from vedette.client.local_server import Server, default_data_dir, find_local_server, find_server, is_running
    from vedette.client.results import SampleTable

__all__ = [
    "AccessError",
    "Answer",
    "AnswerError",
    "Call",
    "Client",
    "ClientError",
    "Connection",
    "ExpressionError",
    "MissingPackageError",
    "SampleTable",
    "Server",
    "UnexpectedAnswerError",
    "UnreachableError",
    "default_data_dir",
    "find_local_server",
    "find_server",
    "is_running",
]

_HOMES: Final = {
    "client": ("Client",),
    "connection": ("Answer", "Call", "Connection"),
    "local_server": ("Server", "default_data_dir", "find_local_server", "find_server", "is_running"),
    "results": ("SampleTable",),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = next((module for module, names in _HOMES.items() if name in names), "errors")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)
