"""A client of one ClickHouse server."""

from collections.abc import Mapping, Sequence
from io import IOBase

class Client:
    database: str | None
    def command(self, cmd: str, parameters: Mapping[str, object] | None = ...) -> object: ...
    def raw_query(self, query: str, parameters: Mapping[str, object] | None = ..., *, fmt: str) -> bytes: ...
    def raw_stream(self, query: str, parameters: Mapping[str, object] | None = ..., *, fmt: str) -> IOBase: ...
    def raw_insert(
        self,
        table: str,
        column_names: Sequence[str],
        insert_block: bytes,
        settings: Mapping[str, str],
        fmt: str,
    ) -> object: ...
    def close(self) -> None: ...
