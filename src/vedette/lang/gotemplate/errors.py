"""What can be wrong with a template: its text, or what it does with the data."""

from __future__ import annotations

from vedette.model.errors import VedetteError


class TemplateError(VedetteError):
    """A template has to be mended. The message is Go's, with template, line and column."""


class TemplateSyntaxError(TemplateError):
    """A template's text cannot be read.

    Attributes:
        line: where, from 1; 0 if it is not known.
        column: in which character of the line, from 1; 0 if it is not known.
    """

    def __init__(self, problem: str, *, line: int = 0, column: int = 0) -> None:
        super().__init__(problem)
        self.line = line
        self.column = column


class TemplateExecutionError(TemplateError):
    """A template cannot be executed with these data, would be unsafe in HTML, or needs more than it may."""


class FunctionError(Exception):
    """A template function cannot do what it was asked; it becomes a `TemplateExecutionError` with the place."""


class LimitError(FunctionError):
    """An execution needs more than it may."""
