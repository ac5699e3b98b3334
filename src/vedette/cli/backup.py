"""`vedette backup` and `vedette restore`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from vedette.cli.exit_codes import ExitCode
from vedette.cli.failures import CommandError
from vedette.cli.invocation import Invocation, command
from vedette.cli.progress import progress
from vedette.cli.terminal import show_json
from vedette.client.errors import UnexpectedAnswerError

_PATH: Final = "/api/vedette/v1/backup"
_ENGINE: Final = "engine"
_STATE: Final = "state.db"


def register(app: typer.Typer, *, panel: str) -> None:
    """Add the commands."""
    app.command("backup", rich_help_panel=panel, epilog="Example: `vedette backup /backup/vedette-monday`")(backup)
    example = "Example: `vedette restore /backup/vedette-monday --data /var/lib/vedette`"
    app.command("restore", rich_help_panel=panel, epilog=example)(restore)


@command(server=True)
def backup(
    invocation: Invocation,
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where to; a new or empty directory on the server's machine.")
    ],
) -> None:
    """Copy everything that is stored, while the server runs.

    The copy is what was stored at one moment. The server writes it: its user must be able to.
    """
    from vedette.client import Call  # noqa: PLC0415 - as all of the client

    with invocation.connect() as connection:
        # What `.` means is known here, and to a server elsewhere it means nothing.
        target = directory.expanduser()
        if connection.server.local:
            target = target.absolute()
        elif not target.is_absolute():
            raise CommandError(
                f"{directory} is no absolute path",
                remedy="The server is on another machine; name a directory there from its root.",
                exit_code=ExitCode.USAGE,
            )
        call = Call(
            _PATH,
            method="POST",
            content=json.dumps({"directory": str(target)}).encode(),
            kind="application/json",
            patient=True,
        )
        result: Any = None
        with progress("backup") as advance:
            for said in connection.lines(call):
                match said:
                    case {"stage": str(stage), "done": int(done), "total": int(total)}:
                        advance(stage, done, total)
                    case {"error": str(problem)}:
                        raise CommandError(f"the backup failed: {problem}")
                    case {"result": found}:
                        result = found
                    case _:
                        raise UnexpectedAnswerError("the server tells of its backup in an unknown form")
    if result is None:
        raise CommandError(
            f"the server stopped before the backup was done; {target} is not complete",
            remedy="Remove it and try again; the server's log says what happened.",
        )
    if invocation.wants_json:
        show_json(result)
    else:
        typer.echo(f"backup written to {target}")


@command(data=True)
def restore(
    invocation: Invocation,
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A backup made by `vedette backup`.")],
) -> None:
    """Bring a backup back into an empty data directory, while no server runs on it."""
    from vedette.client import is_running  # noqa: PLC0415 - as all of the client

    source, data_dir = directory.expanduser().absolute(), invocation.data_dir()
    for part in (source / _ENGINE, source / _STATE):
        if not part.exists():
            raise CommandError(f"{source} is not a complete backup: {part} is not there")
    if is_running(data_dir):
        raise CommandError(
            f"a server is running on the data directory {data_dir}",
            remedy="Stop it first, or restore into another directory with --data DIR.",
        )
    if (data_dir / _STATE).exists():
        raise CommandError(
            f"the data directory {data_dir} is in use: it has accounts",
            remedy="A backup comes back into an empty one; move this one away, or name another with --data DIR.",
        )
    _restore_offline(source, data_dir)
    if invocation.wants_json:
        show_json({"restored": str(source), "data": str(data_dir)})
    else:
        typer.echo(f"restored {source} into {data_dir}; start it with `vedette up`")


def _restore_offline(source: Path, data_dir: Path) -> None:
    """Hold the data directory as a server would, let the engine read the copy, and put the accounts beside it."""
    from vedette.http.run_files import hold_data_directory  # noqa: PLC0415 - the server's parts
    from vedette.store.engine import ChdbEngine  # noqa: PLC0415 - likewise
    from vedette.store.metrics.backup import restore as restore_tables  # noqa: PLC0415 - likewise
    from vedette.store.schema import migrate  # noqa: PLC0415 - likewise

    with hold_data_directory(data_dir):
        engine = ChdbEngine(data_dir / _ENGINE)
        try:
            restore_tables(engine, source / _ENGINE)
            migrate(engine)
        finally:
            engine.close()
        try:
            # Under its name once it is whole: until then a restore that was interrupted can be repeated.
            unfinished = data_dir / f".{_STATE}.new"
            shutil.copyfile(source / _STATE, unfinished)
            unfinished.chmod(0o600)
            unfinished.replace(data_dir / _STATE)
        except OSError as exc:
            raise CommandError(f"cannot copy {source / _STATE} into {data_dir}: {exc.strerror or exc}") from exc
