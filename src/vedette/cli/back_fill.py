"""`vedette import openmetrics`: samples with their times, from a file, of any age within retention."""

from __future__ import annotations

import json
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Final, cast

import typer

from vedette.cli.failures import CommandError
from vedette.cli.invocation import Invocation, command
from vedette.cli.openmetrics_chunks import Chunk, read_chunks
from vedette.cli.terminal import err, show_json
from vedette.client.errors import AnswerError, UnexpectedAnswerError
from vedette.model.errors import ConfigError, Location

if TYPE_CHECKING:
    from rich.progress import Progress

    from vedette.client import Connection

_PATH: Final = "/api/vedette/v1/import/openmetrics"
_KIND: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_LINE = re.compile(r"line (\d{1,9}): (.*)", re.DOTALL)
_MOST_TRIES: Final = 60
_LONGEST_WAIT_S: Final = 30.0
_TAIL_BYTES: Final = 256


def register(app: typer.Typer, *, panel: str) -> None:
    """Add the commands."""
    group = typer.Typer(help="Bring in samples from files.", no_args_is_help=True)
    group.command("openmetrics", epilog="Example: `vedette import openmetrics history.om.gz`")(openmetrics)
    app.add_typer(group, name="import", rich_help_panel=panel)


@dataclass(slots=True)
class _Sum:
    """What became of the samples."""

    samples: int = 0
    dropped: Counter[str] = field(default_factory=Counter[str])


@command(server=True)
def openmetrics(
    invocation: Invocation,
    file: Annotated[str, typer.Argument(metavar="FILE", help="OpenMetrics text, also as .gz; - for standard input.")],
) -> None:
    """Import samples from OpenMetrics text; each must have its time.

    Importing a file again stores nothing twice. `promtool tsdb dump-openmetrics` writes such files from a Prometheus.
    """
    began_s = time.monotonic()
    with _opened(file) as (source, raw), invocation.connect() as connection, _progress(file, raw) as advance:
        result = _Sum()
        for chunk in read_chunks(_Readable(source, file), file):
            _send(connection, chunk, file, result)
            advance()
    took_s = time.monotonic() - began_s
    if invocation.wants_json:
        show_json({"samples": result.samples, "dropped": dict(result.dropped), "seconds": round(took_s, 3)})
        return
    typer.echo(f"{result.samples:,} samples stored in {took_s:.1f} s")
    for reason, count in sorted(result.dropped.items()):
        typer.echo(f"{count:,} dropped: {reason}")


def _send(
    connection: Connection, chunk: Chunk, file: str, result: _Sum, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Have a piece stored; wait while the server is too busy."""
    from vedette.client import Call  # noqa: PLC0415 - as all of the client

    call = Call(_PATH, method="POST", content=chunk.body, kind=_KIND)
    for tries in range(_MOST_TRIES):
        try:
            _add(connection.fetch(call), result)
        except AnswerError as exc:
            found = _LINE.fullmatch(exc.detail)
            if exc.status == 400 and found is not None:
                raise _located(chunk, file, int(found[1]), found[2]) from exc
            if exc.retry_after_s is None or tries == _MOST_TRIES - 1:
                raise
            sleep(min(exc.retry_after_s, _LONGEST_WAIT_S))
        else:
            return


def _located(chunk: Chunk, file: str, line: int, problem: str) -> ConfigError:
    at = Location(file, chunk.line_in_file(line), 0, chunk.text_of(line))
    remedy = "Mend it and import the file again: what is stored already is not stored twice."
    return ConfigError(at=at, problem=problem, remedy=remedy)


def _add(raw: bytes, result: _Sum) -> None:
    try:
        said: Any = json.loads(raw)
        result.samples += int(said["samples"])
        result.dropped.update({str(reason): int(count) for reason, count in said["dropped"].items()})
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise UnexpectedAnswerError("the server's answer to an import is in an unknown form") from exc


@contextmanager
def _opened(file: str) -> Generator[tuple[IO[bytes], IO[bytes]]]:
    """The text, and the file whose position says how far we are."""
    if file == "-":
        raw: IO[bytes] = sys.stdin.buffer
        yield raw, raw
        return
    with _open(file) as raw:
        from gzip import GzipFile  # noqa: PLC0415 - for those who import only

        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        if not packed:
            _check_end(raw, file)
        yield (cast("IO[bytes]", GzipFile(fileobj=raw)) if packed else raw), raw


def _open(file: str) -> IO[bytes]:
    try:
        return Path(file).open("rb")
    except OSError as exc:
        raise CommandError(f"cannot read {file}: {exc.strerror or exc}") from exc


def _check_end(raw: IO[bytes], file: str) -> None:
    """Say before anything is stored that a file is no OpenMetrics; its times would be read in the wrong unit."""
    if not raw.seekable():
        return
    size = raw.seek(0, 2)
    raw.seek(max(0, size - _TAIL_BYTES))
    ends = raw.read().rstrip().endswith(b"# EOF")
    raw.seek(0)
    if not ends:
        raise CommandError(
            f"{file} does not end with `# EOF`: it has been cut short, or is not OpenMetrics",
            remedy="Nothing was stored. Times in OpenMetrics are seconds; add the line `# EOF` if that is what it is.",
        )


class _Readable:
    """A file whose errors say its name."""

    def __init__(self, source: IO[bytes], name: str) -> None:
        self._source = source
        self._name = name

    def read(self, size: int, /) -> bytes:
        """Up to so many bytes."""
        from zlib import error as ZlibError  # noqa: N812, PLC0415 - as above

        try:
            return self._source.read(size)
        except (OSError, EOFError, ZlibError) as exc:
            reason = (exc.strerror if isinstance(exc, OSError) else None) or str(exc)
            raise CommandError(f"cannot read {self._name}: {reason}") from exc


@contextmanager
def _progress(file: str, raw: IO[bytes]) -> Generator[Callable[[], None]]:
    """A bar on a terminal; gives what is to be called after each piece."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    total = Path(file).stat().st_size if file != "-" else None
    read = 0
    with _bar() as progress:
        task = progress.add_task("importing", total=total)

        def advance() -> None:
            nonlocal read
            read = raw.tell() if raw.seekable() else read
            progress.update(task, completed=read)

        yield advance


def _bar() -> Progress:
    from rich.progress import (  # noqa: PLC0415 - only on a terminal
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(binary_units=True))
    return Progress(*columns, TransferSpeedColumn(), TimeRemainingColumn(), console=err(), transient=True)
