"""Vedette's HTTP API from Python: for notebooks and scripts, and for the commands."""

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
    "Server",
    "UnexpectedAnswerError",
    "UnreachableError",
    "default_data_dir",
    "find_local_server",
    "find_server",
    "is_running",
]
