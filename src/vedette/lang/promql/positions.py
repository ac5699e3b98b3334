"""Where in its text a query went wrong, as people and Prometheus count: lines and columns from 1."""

from __future__ import annotations

from vedette.model.errors import QueryError


def position(text: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of a character; columns count bytes of UTF-8, as Prometheus does."""
    line_start = text.rfind("\n", 0, offset) + 1
    column = len(text[line_start:offset].encode("utf-8", "surrogatepass")) + 1
    return text.count("\n", 0, offset) + 1, column


def describe_error(text: str, error: QueryError) -> str:
    """A parse error as Prometheus prints it: `1:5: parse error: unexpected ...`."""
    if error.span is None:
        return f"parse error: {error.problem}"
    if not text:
        return f"unknown position: parse error: {error.problem}"
    line, column = position(text, error.span.start)
    return f"{line}:{column}: parse error: {error.problem}"
