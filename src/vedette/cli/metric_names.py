"""Completion of metric names in a shell: asked of the local server, quickly or not at all."""

from __future__ import annotations

import re
from typing import Any, Final, cast

from vedette.model.errors import VedetteError

_PATIENCE_S: Final = 0.8
_MOST: Final = 200
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")


def complete_expression(incomplete: str) -> list[str]:
    """What the word under the cursor may become: its last name made whole.

    Errors are kept to itself: a shell that completes must not be talked into.
    """
    found = _NAME.search(incomplete)
    start = found.start() if found else len(incomplete)
    try:
        names = _metric_names(incomplete[start:])
    except (VedetteError, OSError):
        return []
    return [incomplete[:start] + name for name in names]


def _metric_names(prefix: str) -> list[str]:
    from vedette.client import Connection, find_server  # noqa: PLC0415 - only when asked

    with Connection(find_server(), timeout_s=_PATIENCE_S) as connection:
        data = connection.ask("/api/v1/label/__name__/values").data
    if not isinstance(data, list):
        return []
    names = cast("list[Any]", data)
    return [name for name in names if isinstance(name, str) and name.startswith(prefix)][:_MOST]
