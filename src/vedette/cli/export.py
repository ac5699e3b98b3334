"""`vedette export`: the samples of a selection as a file for other programs."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from vedette.cli.exit_codes import ExitCode
from vedette.cli.failures import CommandError
from vedette.cli.invocation import Invocation, command
from vedette.cli.metric_names import complete_expression
from vedette.cli.terminal import err, show_json
from vedette.cli.times import parse_moment

if TYPE_CHECKING:
    import pyarrow as pa


class FileFormat(StrEnum):
    """What can be written."""

    PARQUET = "parquet"
    ARROW = "arrow"
    CSV = "csv"


def register(app: typer.Typer, *, panel: str) -> None:
    """Add the command."""
    example = "Example: `vedette export --start -7d http.parquet 'http_requests_total{job=\"shop\"}'`"
    app.command("export", rich_help_panel=panel, epilog=example)(export)


@command(server=True)
def export(
    invocation: Invocation,
    file: Annotated[str, typer.Argument(metavar="FILE", help=".parquet, .arrow or .csv; - for standard output.")],
    selectors: Annotated[
        list[str],
        typer.Argument(metavar="SELECTOR...", help="Such as up{job='node'}.", autocompletion=complete_expression),
    ],
    start: Annotated[
        str | None, typer.Option("--start", "-s", metavar="TIME", help="From when: -7d, 2026-05-01.")
    ] = None,
    end: Annotated[str | None, typer.Option("--end", "-e", metavar="TIME", help="Until when.")] = None,
    form: Annotated[
        FileFormat | None,
        typer.Option(
            "--format", metavar="parquet|arrow|csv", help="What to write, where the file's name does not say it."
        ),
    ] = None,
) -> None:
    """Write samples as they are stored to a Parquet, Arrow or CSV file.

    A row is a sample: its series' labels (in CSV, in PromQL's notation), its time and its value.
    """
    from vedette.client import Client  # noqa: PLC0415 - as all of the client

    chosen = form or _format_of(file)
    now = datetime.now(UTC).astimezone()
    since = None if start is None else parse_moment("--start", start, now)
    until = None if end is None else parse_moment("--end", end, now)
    rows = 0
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(Client.over(invocation.connect()))
        batches = client.export_batches(*selectors, start=since, end=until)
        # Asked for before the file is made: a wrong selector leaves no file behind.
        first = next(batches, None)
        write = stack.enter_context(_writer(file, chosen))
        advance = stack.enter_context(_counter())
        for batch in _chained(first, batches):
            write(batch)
            rows += batch.num_rows
            advance(rows)
    if file == "-":
        return
    if invocation.wants_json:
        show_json({"file": file, "format": chosen.value, "samples": rows})
    else:
        typer.echo(f"{rows:,} samples written to {file}")


def _chained(first: pa.RecordBatch | None, rest: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    if first is not None:
        yield first
        yield from rest


def _format_of(file: str) -> FileFormat:
    for form, suffixes in (
        (FileFormat.PARQUET, (".parquet", ".pq")),
        (FileFormat.ARROW, (".arrow", ".arrows", ".ipc", ".feather")),
        (FileFormat.CSV, (".csv",)),
    ):
        if file.lower().endswith(suffixes):
            return form
    raise CommandError(
        f"the name {file!r} does not say what to write",
        remedy="Let it end in .parquet, .arrow or .csv, or say it with --format.",
        exit_code=ExitCode.USAGE,
    )


@contextmanager
def _writer(file: str, form: FileFormat) -> Generator[Callable[[pa.RecordBatch], None]]:
    """What writes batches to the file, which is there when all of it is."""
    if file == "-":
        with _encoder(sys.stdout.buffer, form) as write:
            yield write
        sys.stdout.buffer.flush()
        return
    path = Path(file)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with unfinished.open("wb") as sink, _encoder(sink, form) as write:
            yield write
        unfinished.replace(path)
    except OSError as exc:
        raise CommandError(f"cannot write {file}: {exc.strerror or exc}") from exc
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def _encoder(sink: IO[bytes], form: FileFormat) -> Generator[Callable[[pa.RecordBatch], None]]:
    import pyarrow as pa  # noqa: PLC0415 - takes longer than other commands

    from vedette.client.results import plain_labels  # noqa: PLC0415 - likewise
    from vedette.wire.arrow_answer import MAP_TYPE, TIME_TYPE  # noqa: PLC0415 - likewise

    schema = pa.schema([("labels", MAP_TYPE), ("time", TIME_TYPE), ("value", pa.float64())])
    match form:
        case FileFormat.PARQUET:
            import pyarrow.parquet as pq  # noqa: PLC0415 - likewise

            with pq.ParquetWriter(sink, schema, compression="zstd") as parquet:
                yield lambda batch: parquet.write_batch(plain_labels(batch))
        case FileFormat.ARROW:
            with pa.ipc.new_file(sink, schema) as arrow:
                yield lambda batch: arrow.write_batch(plain_labels(batch))
        case FileFormat.CSV:
            import pyarrow.csv as pc  # noqa: PLC0415 - likewise

            columns = pa.schema([("series", pa.string()), ("time", pa.string()), ("value", pa.float64())])
            with pc.CSVWriter(sink, columns) as csv:
                yield lambda batch: csv.write_batch(_with_notation(batch, columns))


def _with_notation(batch: pa.RecordBatch, columns: pa.Schema) -> pa.RecordBatch:
    """Series in PromQL's notation, and times as RFC 3339, which every program reads."""
    import numpy as np  # noqa: PLC0415 - as above
    import pyarrow as pa  # noqa: PLC0415 - as above

    from vedette.client.results import series_of  # noqa: PLC0415 - as above
    from vedette.model.labels import format_labels  # noqa: PLC0415 - as above

    label_sets, series = series_of(pa.Table.from_batches([batch]))
    notation = pa.array([format_labels(labels) for labels in label_sets], pa.string())
    times = batch.column(1).to_numpy(zero_copy_only=False).astype("datetime64[ms]")
    shown = pa.array(np.strings.add(np.datetime_as_string(times, unit="ms"), "Z"), pa.string())
    return pa.RecordBatch.from_arrays([notation.take(pa.array(series)), shown, batch.column(2)], schema=columns)


@contextmanager
def _counter() -> Generator[Callable[[int], None]]:
    """Tells a terminal how many samples there are so far."""
    if not sys.stderr.isatty():
        yield lambda _rows: None
        return
    with err().status("exporting") as status:
        yield lambda rows: status.update(f"exporting, {rows:,} samples so far")
