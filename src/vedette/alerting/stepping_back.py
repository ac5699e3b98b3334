"""When the clock is set back: the state as it would be had the clock always gone as it goes now.

Senders say when their alerts end by the same clock, or by one that was right all along. A machine that went on by
the old time would take what they report as over, and tell nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from vedette.alerting.state import Row, Table

_TIMES: Final[Mapping[Table, tuple[str, ...]]] = {
    Table.ALERT: ("ends_ms", "updated_ms"),
    Table.GROUP: ("next_flush_ms",),
    Table.LOG: ("at_ms", "expires_ms"),
}
"""What was set by the old clock. What people set (silences) stays, and so does the past (when alerts began)."""


def set_back(rows: Iterable[Row], by_ms: int) -> list[Row]:
    """Rows of a machine (`Holdings.all_rows`) for one whose time is earlier."""
    return [Row(row.table, row.key, _set_back(row, by_ms)) for row in rows]


def _set_back(row: Row, by_ms: int) -> dict[str, Any] | None:
    if row.content is None:
        return None
    content = {**row.content, **{name: row.content[name] - by_ms for name in _TIMES.get(row.table, ())}}
    if row.table is Table.ALERT:
        content["starts_ms"] = min(content["starts_ms"], content["ends_ms"])
    return content
