"""Values for named query parameters, in the text form that ClickHouse reads.

At the top level a string is escaped as in TabSeparated; inside an array it is a quoted literal.
Source: https://clickhouse.com/docs/interfaces/http#cli-queries-with-parameters
"""

from __future__ import annotations

from vedette.store.engine.protocol import Parameter, Parameters

_ESCAPES = str.maketrans(
    {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0", "\b": "\\b", "\f": "\\f", "'": "\\'"}
)


def format_parameters(parameters: Parameters | None) -> dict[str, str]:
    """All parameters of a query as text, by name."""
    return {name: format_parameter(value) for name, value in (parameters or {}).items()}


def format_parameter(value: Parameter) -> str:
    """One parameter as text."""
    if isinstance(value, str):
        return value.translate(_ESCAPES)
    if isinstance(value, (int, float)):
        return repr(value)
    return f"[{','.join(_literal(item) for item in value)}]"


def quote_string(text: str) -> str:
    """A string literal for places where no parameter is accepted (settings, backups)."""
    return f"'{text.translate(_ESCAPES)}'"


def quote_identifier(name: str) -> str:
    """A table's or column's name."""
    escaped = name.translate(_ESCAPES).replace("`", "\\`")
    return f"`{escaped}`"


def _literal(item: str | int) -> str:
    return quote_string(item) if isinstance(item, str) else repr(int(item))
