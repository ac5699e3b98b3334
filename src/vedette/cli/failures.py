"""How an error looks: what, where, and how to mend it; never a traceback for what can be expected."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vedette.cli.exit_codes import ExitCode
from vedette.cli.terminal import Output, err
from vedette.client.errors import AnswerError, ClientError, ExpressionError, UnreachableError
from vedette.model.errors import ConfigError, ConfigErrors, Location, VedetteError

if TYPE_CHECKING:
    from rich.text import Text


class CommandError(VedetteError):
    """A command cannot do what it was asked, for a reason of its own.

    Attributes:
        problem: what is wrong.
        remedy: what to do about it.
        exit_code: what the process says.
    """

    def __init__(self, problem: str, *, remedy: str = "", exit_code: ExitCode = ExitCode.NO) -> None:
        super().__init__(problem, remedy)
        self.problem = problem
        self.remedy = remedy
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class Failure:
    """An error, ready to be shown.

    Attributes:
        kind: a stable word for programs.
        problem: a sentence.
        remedy: what to do about it; may be empty.
        quote: lines of what was wrong, with a mark under the place.
        at: the place; None where there is none.
    """

    kind: str
    problem: str
    remedy: str = ""
    quote: Sequence[str] = ()
    at: Location | None = None
    exit_code: ExitCode = field(default=ExitCode.NO)

    def as_json(self) -> dict[str, Any]:
        """For `--output json`."""
        parts: dict[str, Any] = {"kind": self.kind, "problem": self.problem}
        if self.remedy:
            parts["remedy"] = self.remedy
        if self.at is not None:
            parts |= {"file": self.at.file, "line": self.at.line, "column": self.at.column}
        return parts


def failures_of(error: VedetteError) -> list[Failure]:  # noqa: PLR0911 - one line for each kind
    """What an error has to say; a configuration may have several."""
    match error:
        case ConfigErrors():
            return [_config_failure(one) for one in error.errors]
        case ConfigError():
            return [_config_failure(error)]
        case ExpressionError():
            return [Failure("expression", error.problem, quote=_pointed_at(error))]
        case UnreachableError():
            return [Failure("unreachable", error.problem, error.remedy, exit_code=ExitCode.UNREACHABLE)]
        case AnswerError():
            return [Failure(error.kind or "refused", error.problem, error.remedy)]
        case ClientError():
            return [Failure("client", error.problem, error.remedy)]
        case CommandError():
            return [Failure("failed", error.problem, error.remedy, exit_code=error.exit_code)]
        case _:
            problem, _, remedy = str(error).partition("\n")
            return [Failure("failed", problem, remedy)]


def show_failures(failures: Sequence[Failure], output: Output) -> ExitCode:
    """Print them on standard error; returns the exit code that fits."""
    if output is Output.JSON:
        sys.stderr.write(json.dumps({"errors": [failure.as_json() for failure in failures]}, ensure_ascii=False) + "\n")
    else:
        console = err()
        for failure in failures:
            console.print(rendered(failure), soft_wrap=True)
    return max((failure.exit_code for failure in failures), default=ExitCode.NO)


def rendered(failure: Failure) -> Text:
    """One error for people."""
    from rich.text import Text  # noqa: PLC0415 - only where there is something to show

    text = Text()
    if failure.at is None:
        text.append("error: ", style="bold red")
    else:
        text.append(f"{failure.at}: ", style="bold")
        text.append("error: ", style="bold red")
    text.append(failure.problem)
    for line in failure.quote:
        text.append(f"\n  {line}", style="bold red" if line.strip(" |") == "^" else "dim")
    if failure.remedy:
        text.append(f"\n{failure.remedy}")
    return text


def _config_failure(error: ConfigError) -> Failure:
    quote: list[str] = []
    if error.at.text.strip():
        line = error.at.text.rstrip()
        number = str(error.at.line)
        quote = [f"{number} | {_printable(line)}"]
        if error.at.column:
            before = _printable(line)[: error.at.column - 1]
            quote.append(f"{' ' * len(number)} | {_blank(before)}^")
    return Failure("config", error.problem, error.remedy, quote, error.at)


def _pointed_at(error: ExpressionError) -> list[str]:
    """The expression's line that is wrong, and a mark under the place; all of it where the place is not known."""
    lines = [_printable(line) for line in error.expression.split("\n")]
    if error.span is None:
        return lines
    start = min(error.span.start, len(error.expression))
    number = error.expression.count("\n", 0, start)
    column = start - (error.expression.rfind("\n", 0, start) + 1)
    return [*lines[: number + 1], f"{_blank(lines[number][:column])}^"]


def _printable(line: str) -> str:
    """One cell for each character that is no text, so that a terminal is not told what to do."""
    return "".join(char if char.isprintable() else " " for char in line)


def _blank(text: str) -> str:
    """Spaces as wide as a text."""
    from rich.cells import cell_len  # noqa: PLC0415 - only where there is something to show

    return " " * cell_len(text)
