"""A target to be scraped: its pages are changed by the test, and it remembers how it was asked."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Page:
    """What a path is answered with.

    Attributes:
        headers: beyond the content's type and length.
    """

    body: bytes
    content_type: str = TEXT
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: its path with the query, and its headers with names in lower case."""

    path: str
    headers: dict[str, str]


Answer = Callable[[Asked], Page]


class ExpositionServer:
    """Serves pages on a loopback port."""

    def __init__(self, server: ThreadingHTTPServer, scheme: str) -> None:
        self._pages: dict[str, Answer] = {}
        self._changed = threading.Condition()
        self._asked: list[Asked] = []
        self.address = f"127.0.0.1:{server.server_address[1]}"
        self.url = f"{scheme}://{self.address}"

    def show(self, text: str | bytes, path: str = "/metrics", *, content_type: str = TEXT, status: int = 200) -> None:
        """Answer a path with a text from now on."""
        body = text.encode() if isinstance(text, str) else text
        self.answer(lambda _asked: Page(body, content_type, status), path)

    def answer(self, answer: Answer, path: str = "/metrics") -> None:
        """Answer a path by a function from now on."""
        self._pages[path] = answer

    def asked(self, path: str = "/metrics") -> list[Asked]:
        """All requests for a path so far."""
        with self._changed:
            return [asked for asked in self._asked if asked.path.partition("?")[0] == path]

    def wait_until_asked(self, times: int = 1, path: str = "/metrics", *, within_s: float = 60.0) -> list[Asked]:
        """Wait until a path was asked for so many times more."""
        before = len(self.asked(path))
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.asked(path)) >= before + times, within_s), "nobody asked"
        return self.asked(path)[before:]

    def respond(self, asked: Asked) -> Page:
        """The answer to a request."""
        page = self._pages.get(asked.path.partition("?")[0])
        answer = Page(b"nothing here\n", status=404) if page is None else page(asked)
        with self._changed:
            self._asked.append(asked)
            self._changed.notify_all()
        return answer


@contextmanager
def serve_expositions(tls: ssl.SSLContext | None = None) -> Generator[ExpositionServer]:
    """An `ExpositionServer` for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_GET(self) -> None:
            page = pages.respond(Asked(self.path, {name.lower(): value for name, value in self.headers.items()}))
            self.send_response(page.status)
            for name, value in {"Content-Type": page.content_type, **page.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(page.body)))
            self.end_headers()
            self.wfile.write(page.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that goes away is no error."""

    with Server(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        pages = ExpositionServer(server, "http" if tls is None else "https")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield pages
        finally:
            server.shutdown()
            thread.join()
