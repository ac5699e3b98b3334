"""Ask Vedette from Python, and get columns back.

    from vedette.client import Client

    with Client() as vedette:
        vedette.query_range("sum by (job) (rate(http_requests_total[5m]))", start, end, "1m").to_pandas(wide=True)

Without arguments it asks the server that runs on this machine, as the commands do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self, cast

from vedette.client.connection import DEFAULT_TIMEOUT_S, Call, Connection, Parameters
from vedette.client.errors import UnexpectedAnswerError
from vedette.client.local_server import find_server
from vedette.model.labels import LabelSet, label_set

if TYPE_CHECKING:
    import httpx
    import pyarrow as pa

    from vedette.client.results import SampleTable

Time = datetime | float | str
"""Without a time zone a `datetime` is local; numbers are seconds since the epoch; text is RFC 3339."""

Duration = timedelta | float | str
"""Numbers are seconds; text is as in `5m`."""

ARROW: Final = "application/vnd.apache.arrow.stream"
_EXPORT: Final = "/api/vedette/v1/export"


class Client:
    """A server, to be asked. Close it, or use it as a context.

    Args:
        url: of the server; `VEDETTE_URL`, or the one running on this machine, where it is None.
        token: an API token; `VEDETTE_TOKEN`, or the local one, where it is None.
        data_dir: of the server on this machine, if it is not the usual one.
        timeout_s: how long to wait while the server says nothing.

    Raises:
        ClientError: the URL is none.
        UnreachableError: no server is named and none runs.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        data_dir: Path | str | None = None,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> None:
        folder = None if data_dir is None else Path(data_dir).expanduser()
        self._connection = Connection(find_server(url=url, token=token, data_dir=folder), timeout_s=timeout_s)

    @classmethod
    def over(cls, connection: Connection) -> Self:
        """A client that uses, and closes, a connection."""
        client = cls.__new__(cls)
        client._connection = connection  # noqa: SLF001 - our own
        return client

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self._connection.server.url!r})"

    def close(self) -> None:
        """Give the sockets back."""
        self._connection.close()

    def query(self, expr: str, at: Time | None = None) -> SampleTable:
        """Evaluate an expression at one time, now unless `at` says otherwise.

        Raises:
            ExpressionError: it does not parse.
            ClientError: the server cannot be reached, or cannot answer.
        """
        parameters = {"query": expr} if at is None else {"query": expr, "time": _time(at)}
        return self._samples("/api/v1/query", parameters, expr)

    def query_range(self, expr: str, start: Time, end: Time, step: Duration) -> SampleTable:
        """Evaluate an expression at `start`, `start + step` and so on up to `end`; errors as in `query`."""
        parameters = {"query": expr, "start": _time(start), "end": _time(end), "step": _duration(step)}
        return self._samples("/api/v1/query_range", parameters, expr)

    def series(
        self, *selectors: str, start: Time | None = None, end: Time | None = None, limit: int = 0
    ) -> list[LabelSet]:
        """The label sets that some selectors find; errors as in `query`."""
        parameters = {**_selection(selectors, start, end), **({"limit": str(limit)} if limit else {})}
        answer = self._connection.ask("/api/v1/series", parameters, form=True, expression=_only(selectors))
        found = answer.data
        if not isinstance(found, list):
            raise UnexpectedAnswerError("the server's list of series is none")
        return [label_set(labels) for labels in cast("list[dict[str, str]]", found)]

    def export(self, *selectors: str, start: Time | None = None, end: Time | None = None) -> SampleTable:
        """The samples of some selectors as they are stored, all in memory; errors as in `query`."""
        import pyarrow as pa  # noqa: PLC0415 - it takes longer to import than many commands take

        from vedette.client.results import SampleTable, empty_table  # noqa: PLC0415 - likewise

        batches = list(self.export_batches(*selectors, start=start, end=end))
        return SampleTable(pa.Table.from_batches(batches) if batches else empty_table())

    def export_batches(
        self, *selectors: str, start: Time | None = None, end: Time | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The same, piece by piece as they come."""
        call = Call(_EXPORT, _selection(selectors, start, end), accept=ARROW, expression=_only(selectors), patient=True)
        with self._connection.stream(call) as response:
            yield from _read_batches(self._connection, response)

    def _samples(self, path: str, parameters: Parameters, expr: str) -> SampleTable:
        import pyarrow as pa  # noqa: PLC0415 - as above

        from vedette.client.results import read_table, table_of_json  # noqa: PLC0415 - likewise

        call = Call(path, parameters, form=True, accept=f"{ARROW}, application/json;q=0.5", expression=expr)
        with self._connection.stream(call) as response:
            if response.headers.get("content-type", "").partition(";")[0] != ARROW:
                answer = self._connection.read_answer(response)
                data = answer.data
                if not isinstance(data, dict):
                    raise UnexpectedAnswerError("the server's answer holds no result")
                return table_of_json(cast("dict[str, object]", data), answer.warnings, answer.infos)
            schema_and_batches = _open_stream(self._connection, response)
            try:
                return read_table(schema_and_batches.read_all())
            except (pa.ArrowInvalid, OSError) as exc:
                raise UnexpectedAnswerError(f"the server's Arrow answer cannot be read: {exc}") from exc


def _read_batches(connection: Connection, response: httpx.Response) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa  # noqa: PLC0415 - as above

    try:
        yield from _open_stream(connection, response)
    except (pa.ArrowInvalid, OSError) as exc:
        raise UnexpectedAnswerError(f"the server's Arrow answer cannot be read: {exc}") from exc


def _open_stream(connection: Connection, response: httpx.Response) -> pa.ipc.RecordBatchStreamReader:
    import pyarrow as pa  # noqa: PLC0415 - as above

    try:
        return pa.ipc.open_stream(_Pieces(connection.pieces(response)))
    except (pa.ArrowInvalid, OSError) as exc:
        raise UnexpectedAnswerError(f"the server's Arrow answer cannot be read: {exc}") from exc


class _Pieces:
    """Pieces of bytes as the file that Arrow reads from."""

    closed = False

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def read(self, size: int = -1) -> bytes:
        """So many bytes; fewer at the end."""
        found: list[memoryview] = []
        missing = size if size >= 0 else 1 << 62
        while missing:
            if not self._rest:
                piece = next(self._pieces, None)
                if piece is None:
                    break
                self._rest = memoryview(piece)
            found.append(self._rest[:missing])
            missing -= len(found[-1])
            self._rest = self._rest[len(found[-1]) :]
        return b"".join(found)

    def close(self) -> None:
        """The connection closes itself."""


def _selection(selectors: Sequence[str], start: Time | None, end: Time | None) -> dict[str, str | Sequence[str]]:
    parameters: dict[str, str | Sequence[str]] = {"match[]": list(selectors)}
    if start is not None:
        parameters["start"] = _time(start)
    if end is not None:
        parameters["end"] = _time(end)
    return parameters


def _only(selectors: Sequence[str]) -> str:
    """The expression to quote in an error: where there are several, none says which was meant."""
    return selectors[0] if len(selectors) == 1 else ""


def _time(time: Time) -> str:
    match time:
        case datetime():
            return f"{time.timestamp():.3f}"
        case str():
            return time
        case _:
            return f"{time:.3f}"


def _duration(duration: Duration) -> str:
    match duration:
        case timedelta():
            return f"{duration.total_seconds():.3f}"
        case str():
            return duration
        case _:
            return f"{duration:.3f}"
