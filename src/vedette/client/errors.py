"""Why a server did not answer as asked: one class for each different thing that a caller does about it.

A query that does not parse is a `QueryError`, as in the server itself; here it knows its expression.
"""

from __future__ import annotations

from vedette.model.errors import QueryError, Span, VedetteError


class ClientError(VedetteError):
    """The server did not do what was asked.

    Attributes:
        problem: what happened, and with which server.
        remedy: what to do about it; empty where the problem says it all.
    """

    def __init__(self, problem: str, *, remedy: str = "") -> None:
        super().__init__(problem, remedy)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.problem}\n{self.remedy}" if self.remedy else self.problem


class UnreachableError(ClientError):
    """There is no server, or no way to it."""


class AccessError(ClientError):
    """The server wants to know who is asking, or does not allow it."""


class AnswerError(ClientError):
    """The server says that it cannot.

    Attributes:
        status: of HTTP.
        kind: the server's word for it, such as `execution`, `timeout` or `too-large`; may be empty.
        detail: the server's sentence.
        retry_after_s: when it is worth trying again; None where the server does not say.
    """

    def __init__(
        self, problem: str, *, status: int, kind: str, detail: str, retry_after_s: float | None, remedy: str = ""
    ) -> None:
        super().__init__(problem, remedy=remedy)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.retry_after_s = retry_after_s


class UnexpectedAnswerError(ClientError):
    """What answered does not speak this API: another program, or a proxy in between."""


class ExpressionError(QueryError):
    """The server does not take an expression.

    Attributes:
        expression: its text.
    """

    def __init__(self, problem: str, *, expression: str, span: Span | None) -> None:
        super().__init__(problem, span=span)
        self.expression = expression


class MissingPackageError(VedetteError):
    """A library that is optional is needed now."""

    def __init__(self, package: str) -> None:
        super().__init__(package)
        self.package = package

    def __str__(self) -> str:
        return f"{self.package} is not installed\nInstall it with: pip install 'vedette[{self.package}]'"
