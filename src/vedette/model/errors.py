"""Vedette's errors: one subclass for each different thing that a caller does about it.

They are made of parts (place, problem, remedy), not prose, so that the command line, the API and the
web interface show the same facts. A message names the thing, quotes what was found and says what was
expected; it never holds a secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class VedetteError(Exception):
    """The root: something that a user or a client can act upon."""


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file.

    Attributes:
        file: path as the user wrote it.
        line: from 1; 0 where only the file is known.
        column: from 1; 0 where only the line is known.
        text: the line itself, for quoting; empty where it is not known.
    """

    file: str
    line: int = 0
    column: int = 0
    text: str = ""

    def __str__(self) -> str:
        if not self.line:
            return self.file
        return f"{self.file}:{self.line}:{self.column}" if self.column else f"{self.file}:{self.line}"


class ConfigError(VedetteError):
    """A file has to be mended.

    Attributes:
        at: where.
        problem: what is wrong, with the offending value.
        remedy: how to mend it; empty where the problem says it all.
    """

    def __init__(self, *, at: Location, problem: str, remedy: str = "") -> None:
        super().__init__(at, problem, remedy)
        self.at = at
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        lines = [f"{self.at}: {self.problem}"]
        if self.at.text.strip():
            lines.append(f"  {self.at.line} | {self.at.text.rstrip()}")
        if self.remedy:
            lines.append(self.remedy)
        return "\n".join(lines)


class ConfigErrors(VedetteError):  # noqa: N818 - it is several of them
    """All errors of a configuration at once."""

    def __init__(self, errors: Sequence[ConfigError]) -> None:
        super().__init__(tuple(errors))
        self.errors = tuple(errors)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of character offsets in a query's text."""

    start: int
    end: int


class QueryError(VedetteError):
    """A query has to be mended (it does not parse, or its types do not fit).

    Attributes:
        problem: what is wrong.
        span: where in the query; None where no one place is to blame.
    """

    def __init__(self, problem: str, *, span: Span | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.span = span

    def __str__(self) -> str:
        return self.problem


class QueryExecutionError(VedetteError):
    """A well-formed query cannot be answered on these data (e.g. many-to-many matching)."""


class QueryTimeoutError(VedetteError):
    """A query ran longer than it may."""


class QueryCancelledError(VedetteError):
    """The client went away before its query was answered."""


class LimitExceededError(VedetteError):
    """Something is larger than a configured limit allows.

    Attributes:
        limit: the option's name, as in the configuration.
        allowed: what the option says now.
        found: what was asked for; None where counting stopped at the limit.
    """

    def __init__(self, *, limit: str, allowed: int, found: int | None, what: str) -> None:
        super().__init__(limit, allowed, found, what)
        self.limit = limit
        self.allowed = allowed
        self.found = found
        self.what = what

    def __str__(self) -> str:
        found = "more" if self.found is None else f"{self.found:,}"
        return (
            f"{self.what}: {found} where {self.allowed:,} are allowed; "
            f"narrow the request or raise `{self.limit}` in the configuration"
        )


class DecodeError(VedetteError):
    """Bytes from outside do not follow their format.

    Attributes:
        problem: what is wrong, with the offending value quoted (shortened).
        line: from 1, for text formats; 0 otherwise.
    """

    def __init__(self, problem: str, *, line: int = 0) -> None:
        super().__init__(problem, line)
        self.problem = problem
        self.line = line

    def __str__(self) -> str:
        return f"line {self.line}: {self.problem}" if self.line else self.problem


class OverloadedError(VedetteError):
    """Come back later: a buffer is full or the disk is.

    Attributes:
        retry_after_s: when it is worth trying again, in seconds.
    """

    def __init__(self, problem: str, *, retry_after_s: float) -> None:
        super().__init__(problem)
        self.retry_after_s = retry_after_s


class StorageError(VedetteError):
    """The engine could not do what it was asked: the disk, its files or its SQL."""


class UnavailableError(VedetteError):
    """A part that is needed is not there: no server, no permission, an unsuitable machine."""
