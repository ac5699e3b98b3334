"""ClickHouse's HTTP interface over an embedded engine, for tests of the client side.

Run as a program: `python clickhouse_http.py DIRECTORY` prints its port and serves until its input closes.
It does what clickhouse-connect asks for: a query in the address, the body or a form; settings and
`param_*` parameters in either; compressed request bodies; errors with their code in a header. It knows no
users, sessions or progress headers.
"""

from __future__ import annotations

import contextlib
import email.parser
import email.policy
import gzip
import os
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import chdb
import cramjam
import lz4.frame

_NOT_SETTINGS = {
    "query", "database", "query_id", "session_id", "compress", "decompress", "user", "password", "default_format",
    "enable_http_compression", "send_progress_in_http_headers", "http_headers_progress_interval_ms",
    "wait_end_of_query", "client_protocol_version", "cancel_http_readonly_queries_on_client_close",
}  # fmt: skip
_FORMAT = re.compile(r"\s+FORMAT\s+(\w+)\s*;?\s*\Z", re.IGNORECASE)
_INSERT = re.compile(rb"\s*(INSERT\s.*?)\s+FORMAT\s+(\w+)[ \t]*\n?", re.IGNORECASE | re.DOTALL)
_CODE = re.compile(r"Code: (\d+)")


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    directory = ""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self._body())

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = bytearray()
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        match self.headers.get("Content-Encoding", "identity"):
            case "gzip":
                return gzip.decompress(body)
            case "lz4":
                return lz4.frame.decompress(bytes(body))
            case "zstd":
                return bytes(cramjam.zstd.decompress(bytes(body)))
            case _:
                return bytes(body)

    def _answer(self, body: bytes) -> None:
        address = urlsplit(self.path)
        if address.path == "/ping":
            self._send(200, b"Ok.\n", {})
            return
        fields = dict(parse_qsl(address.query, keep_blank_values=True))
        kind = self.headers.get("Content-Type", "")
        if kind.startswith(("multipart/form-data", "application/x-www-form-urlencoded")):
            fields |= form_fields(kind, body)
            body = b""
        try:
            answer, result_format = run(self.directory, fields, body)
        except RuntimeError as exc:
            code = _CODE.search(str(exc))
            self._send(500, f"{exc}\n".encode(), {"X-ClickHouse-Exception-Code": code[1] if code else "0"})
            return
        self._send(200, answer, {"X-ClickHouse-Format": result_format} if result_format else {})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-ClickHouse-Timezone", "UTC")
        self.end_headers()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.wfile.write(body)


def form_fields(kind: str, body: bytes) -> dict[str, str]:
    """The fields of a form."""
    if kind.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    head = b"Content-Type: " + kind.encode() + b"\r\n\r\n"
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    fields: dict[str, str] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        fields[str(name)] = content.decode()
    return fields


def run(directory: str, fields: dict[str, str], body: bytes) -> tuple[bytes, str]:
    """Run one request's statement: its result and the format of that."""
    text = b"\n".join(part for part in (fields.get("query", "").encode(), body) if part)
    parameters = {name[6:]: value for name, value in fields.items() if name.startswith("param_")}
    rows = b""
    if insert := _INSERT.match(text):
        statement, result_format, rows = insert[1].decode(), insert[2].decode(), text[insert.end() :]
    else:
        statement, result_format = text.decode().strip(), "TabSeparated"
        if match := _FORMAT.search(statement):
            statement, result_format = statement[: match.start()], match[1]
    with contextlib.closing(chdb.connect(directory)) as connection:
        if database := fields.get("database"):
            connection.query(f"USE `{database}`")
        for name, value in fields.items():
            if name not in _NOT_SETTINGS and not name.startswith("param_"):
                connection.query("SET " + name + " = '" + value.replace("\\", "\\\\").replace("'", "\\'") + "'")
        if insert:
            with open(os.memfd_create("rows"), "wb", buffering=0) as file:  # noqa: PTH123 - it has no path
                file.write(rows)
                source = f"FROM INFILE '/proc/self/fd/{file.fileno()}' COMPRESSION 'none'"
                connection.query(f"{statement} {source} FORMAT {result_format}")
            return b"", ""
        answer = connection.query(statement, result_format, params=parameters)
        content = answer.bytes()
        return content, result_format if content else ""


def serve(directory: str) -> None:
    """Serve until standard input closes."""
    Handler.directory = directory
    with contextlib.closing(chdb.connect(directory)), ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        print(server.server_address[1], flush=True)  # noqa: T201 - the parent reads it
        sys.stdin.read()
        server.shutdown()
        thread.join()


if __name__ == "__main__":
    serve(sys.argv[1])
