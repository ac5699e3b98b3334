"""A ClickHouse server or cluster as the engine, over its HTTP interface.

The SQL is the embedded engine's. Rows travel as Arrow streams; parameters go into the request's body, so
that a long list of series fits whatever limit a proxy has for addresses. Requests share one connection
pool and have no session, so any number of threads may ask at the same time.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

import pyarrow as pa

from vedette.model.errors import OverloadedError, StorageError
from vedette.store.engine.arrow import encode_stream, table_of_stream
from vedette.store.engine.failures import translate
from vedette.store.engine.parameters import quote_identifier
from vedette.store.engine.protocol import EngineSettings, Parameters, insert_settings, query_settings

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_Answer = TypeVar("_Answer")

UNREACHABLE_RETRY_S: Final = 5.0

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


@dataclass(frozen=True, slots=True)
class ClickHouseServer:
    """Where a ClickHouse server listens.

    Attributes:
        host: name or address.
        port: of its HTTP interface (8123, or 8443 with TLS).
        user: who Vedette is there.
        password: never shown.
        secure: whether to speak TLS.
        database: where Vedette's tables are; made if it does not exist.
        cluster: the cluster over which `CREATE DATABASE` is spread; empty for a single server.
    """

    host: str
    port: int = 8123
    user: str = "default"
    password: str = field(default="", repr=False)
    secure: bool = False
    database: str = "vedette"
    cluster: str = ""


class ClickHouseEngine:
    """The `Engine` on a server. Thread-safe.

    Raises (on construction):
        OverloadedError: the server cannot be reached now.
        StorageError: it refuses the user, or its answer makes no sense.
    """

    def __init__(self, server: ClickHouseServer, settings: EngineSettings | None = None) -> None:
        self._server = server
        self._settings = settings or EngineSettings()
        self._where = f"{server.host}:{server.port}"
        # A query that finds all connections in use waits here, and not in the HTTP pool, which would open more.
        self._turns = threading.BoundedSemaphore(self._settings.readers)
        self._client: Client = self._call(self._connect)

    def execute(self, sql: str, parameters: Parameters | None = None) -> None:
        """As `Engine.execute`."""
        with self._turn():
            self._call(lambda: self._client.command(sql, parameters=_plain(parameters)))

    def query(self, sql: str, parameters: Parameters | None = None) -> pa.Table:
        """As `Engine.query`."""
        with self._turn():
            return table_of_stream(
                self._call(lambda: self._client.raw_query(sql, parameters=_plain(parameters), fmt="ArrowStream"))
            )

    def stream(self, sql: str, parameters: Parameters | None = None) -> Generator[pa.RecordBatch]:
        """As `Engine.stream`."""
        with self._turn():
            body = self._call(lambda: self._client.raw_stream(sql, parameters=_plain(parameters), fmt="ArrowStream"))
            try:
                reader = self._call(lambda: pa.ipc.open_stream(body))
                while (batch := self._call(lambda: next(reader, None))) is not None:
                    yield batch
            finally:
                body.close()

    def insert(self, table: str, rows: pa.Table | pa.RecordBatch, *, token: str) -> None:
        """As `Engine.insert`."""
        payload = encode_stream(rows)
        settings = insert_settings(token)
        if self._server.cluster:
            # What is acknowledged survives the loss of a server.
            settings["insert_quorum"] = "auto"
        self._call(
            lambda: self._client.raw_insert(
                quote_identifier(table),
                column_names=list(rows.schema.names),
                insert_block=payload,
                settings=settings,
                fmt="ArrowStream",
            ),
            inserting=True,
        )

    def close(self) -> None:
        """As `Engine.close`."""
        self._client.close()

    def _connect(self) -> Client:
        import clickhouse_connect  # noqa: PLC0415 - the embedded engine does without it

        server = self._server
        if not _IDENTIFIER.match(server.database) or not _IDENTIFIER.match(server.cluster or "none"):
            raise StorageError(f"database {server.database!r} and cluster {server.cluster!r} must be plain identifiers")
        client = clickhouse_connect.create_client(
            host=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            secure=server.secure,
            settings=query_settings(self._settings),
            compress="lz4",
            form_encode_query_params=True,
            autogenerate_session_id=False,
            query_retries=0,
            send_receive_timeout=int(self._settings.query_timeout_s) + 30,
            show_clickhouse_errors=True,
            client_name="vedette",
        )
        on_cluster = f" ON CLUSTER {quote_identifier(server.cluster)}" if server.cluster else ""
        client.command(f"CREATE DATABASE IF NOT EXISTS {quote_identifier(server.database)}{on_cluster}")
        client.database = server.database
        return client

    @contextmanager
    def _turn(self) -> Generator[None]:
        if not self._turns.acquire(timeout=self._settings.wait_s):
            raise OverloadedError(
                f"{self._settings.readers} queries have been running for {self._settings.wait_s:g} s",
                retry_after_s=UNREACHABLE_RETRY_S,
            )
        try:
            yield
        finally:
            self._turns.release()

    def _call(self, call: Callable[[], _Answer], *, inserting: bool = False) -> _Answer:
        from clickhouse_connect.driver.exceptions import ClickHouseError, Error  # noqa: PLC0415 - as above
        from urllib3.exceptions import HTTPError  # noqa: PLC0415 - as above

        try:
            return call()
        except Error as exc:
            if exc.code is None and "Code:" not in str(exc):
                raise self._unreachable(exc) from exc
            raise translate(_message(exc.code, str(exc)), self._settings, inserting=inserting) from exc
        except (HTTPError, OSError) as exc:
            raise self._unreachable(exc) from exc
        except (ClickHouseError, pa.ArrowInvalid) as exc:
            raise StorageError(f"ClickHouse at {self._where} gave an answer that cannot be read: {exc}") from exc

    def _unreachable(self, exc: Exception) -> OverloadedError:
        return OverloadedError(
            f"ClickHouse at {self._where} cannot be reached: {exc}", retry_after_s=UNREACHABLE_RETRY_S
        )


def _plain(parameters: Parameters | None) -> dict[str, object]:
    # The client writes lists as arrays and leaves anything else that looks like one alone.
    return {
        name: value if isinstance(value, (str, int, float)) else list(value)
        for name, value in (parameters or {}).items()
    }


def _message(code: int | None, text: str) -> str:
    return text if code is None or "Code:" in text else f"Code: {code}. {text}"
