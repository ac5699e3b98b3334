"""What all commands share: options for the server and the output, and what happens when one fails.

A command is a function whose first argument is the `Invocation`; `command` adds the shared options behind its own.
"""

from __future__ import annotations

import functools
import gc
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from vedette.cli.exit_codes import ExitCode
from vedette.cli.failures import CommandError, failures_of, show_failures
from vedette.cli.terminal import Output
from vedette.client.errors import ClientError, UnreachableError
from vedette.model.errors import VedetteError

if TYPE_CHECKING:
    from vedette.client import Connection

_SERVER: Final = "Server"

_Output = Annotated[Output, typer.Option("--output", "-o", help="A table for people, or JSON for programs.")]
_Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="Data directory. VEDETTE_DATA_DIR, or below the user's data home, unless it is given.",
        rich_help_panel=_SERVER,
    ),
]
_Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        metavar="URL",
        help="The server to ask. VEDETTE_URL, or the one that runs on the data directory, unless it is given.",
        rich_help_panel=_SERVER,
    ),
]
_Token = Annotated[
    str | None,
    typer.Option(
        "--token",
        metavar="TOKEN",
        help="API token; VEDETTE_TOKEN unless it is given. Other users of this machine can see a command's"
        " arguments: prefer --token-file.",
        rich_help_panel=_SERVER,
    ),
]
_TokenFile = Annotated[
    Path | None, typer.Option("--token-file", metavar="FILE", help="A file with the token.", rich_help_panel=_SERVER)
]
_Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        min=0.01,
        help="Give up when the server is silent so long. 130 unless it is given.",
        rich_help_panel=_SERVER,
    ),
]


@dataclass(frozen=True, slots=True)
class Invocation:
    """How a command was called, beyond its own arguments."""

    output: Output = Output.TABLE
    data: Path | None = None
    url: str | None = None
    token: str | None = None
    token_file: Path | None = None
    timeout: float | None = None

    @property
    def wants_json(self) -> bool:
        """Whether a program reads the output."""
        return self.output is Output.JSON

    def data_dir(self) -> Path:
        """The data directory."""
        from vedette.client import default_data_dir  # noqa: PLC0415 - for those who need one only

        return self.data.expanduser() if self.data is not None else default_data_dir()

    def connect(self) -> Connection:
        """A connection to the server that was meant.

        Raises:
            UnreachableError: it cannot be found.
            CommandError: the options contradict each other or are no URL, or the token's file cannot be read.
        """
        from vedette.client import Connection, find_server  # noqa: PLC0415 - for those who ask a server only

        if self.url is not None and self.data is not None:
            raise CommandError(
                "--url names a server and --data another one",
                remedy="Leave one of them out.",
                exit_code=ExitCode.USAGE,
            )
        folder = None if self.data is None else self.data.expanduser()
        try:
            server = find_server(url=self.url, token=self._token(), data_dir=folder)
        except UnreachableError:
            raise
        except ClientError as exc:
            raise CommandError(exc.problem, remedy=exc.remedy, exit_code=ExitCode.USAGE) from exc
        return Connection(server) if self.timeout is None else Connection(server, timeout_s=self.timeout)

    def _token(self) -> str | None:
        if self.token_file is None:
            return self.token
        if self.token is not None:
            raise CommandError("give --token or --token-file, not both", exit_code=ExitCode.USAGE)
        try:
            return self.token_file.expanduser().read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as exc:
            reason = (exc.strerror if isinstance(exc, OSError) else None) or str(exc)
            raise CommandError(f"cannot read the token's file {self.token_file}: {reason}") from exc


_OUTPUT_OPTION: Final = {"output": (_Output, Output.TABLE)}
_DATA_OPTION: Final = {"data": (_Data, None)}
_SERVER_OPTIONS: Final[dict[str, tuple[Any, Any]]] = {
    "url": (_Url, None),
    "token": (_Token, None),
    "token_file": (_TokenFile, None),
    "timeout": (_Timeout, None),
}


def command(
    *, server: bool = False, data: bool = False, output: bool = True
) -> Callable[[Callable[..., ExitCode | None]], Callable[..., None]]:
    """Make a command of a function that takes an `Invocation` and its own arguments.

    Args:
        server: it asks a server (with `--data`, `--url` and so on).
        data: it needs the data directory only.
        output: it can answer in JSON.
    """
    shared: dict[str, tuple[Any, Any]] = {}
    if output:
        shared |= _OUTPUT_OPTION
    if data or server:
        shared |= _DATA_OPTION
    if server:
        shared |= _SERVER_OPTIONS

    def decorate(function: Callable[..., ExitCode | None]) -> Callable[..., None]:
        signature = inspect.signature(function, eval_str=True)
        own = list(signature.parameters.values())[1:]
        added = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=default)
            for name, (kind, default) in shared.items()
        ]

        @functools.wraps(function)
        def run(**values: Any) -> None:
            gc.enable()
            invocation = Invocation(**{name: values.pop(name) for name in shared})
            code = guarded(lambda: function(invocation, **values), invocation.output)
            if code is not ExitCode.OK:
                raise typer.Exit(code)

        parameters = [*own, *added]
        del run.__wrapped__
        # What Typer reads: a function's parameters by inspection, and their types.
        setattr(run, "__signature__", inspect.Signature(parameters))  # noqa: B010 - its type has no such attribute
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return run

    return decorate


def guarded(work: Callable[[], ExitCode | None], output: Output) -> ExitCode:
    """Do something; what can be expected to go wrong is told to the user."""
    try:
        return work() or ExitCode.OK
    except VedetteError as exc:
        return show_failures(failures_of(exc), output)
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return ExitCode.INTERRUPTED
