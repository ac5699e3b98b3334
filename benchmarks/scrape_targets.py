"""Targets to scrape: a process of its own that serves expositions whose values move with every scrape.

    python -m benchmarks.scrape_targets PORT TARGETS SERIES

`/t/<number>/metrics` is a target; `/served` says how many bodies were sent, as JSON. Values have a fixed width, so that
a new body is the old one with some digits written over: serving costs a fraction of parsing.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Final

import httptools
import numpy as np

_DIGITS: Final = 10
_POWERS: Final = 10 ** np.arange(_DIGITS - 1, -1, -1, dtype=np.int64)
_HANDLERS: Final = 25


class Target:
    """One target's exposition."""

    def __init__(self, number: int, series: int) -> None:
        random = np.random.default_rng(number)
        lines: list[str] = []
        per_family = 100
        for family in range(series // per_family):
            name = f"app_family_{family}_total"
            lines.append(f"# HELP {name} What it counts.\n# TYPE {name} counter\n")
            for part in range(per_family):
                labels = f'handler="/api/v1/resource/{part % _HANDLERS}",method="GET",code="{200 + part // _HANDLERS}"'
                lines.append(f"{name}{{{labels}}} {'0' * _DIGITS}\n")
        self._body = np.frombuffer("".join(lines).encode(), np.uint8).copy()
        ends = np.flatnonzero(self._body == ord("\n"))
        starts = np.concatenate([[0], ends[:-1] + 1])
        samples = ends[self._body[starts] != ord("#")]
        self._places = samples[:, None] - _DIGITS + np.arange(_DIGITS)
        self._values = random.integers(10**9, 5 * 10**9, len(samples))
        self._moves = random.integers(0, 200, len(samples))

    def scrape(self) -> bytes:
        """The next body."""
        self._values += self._moves
        self._body[self._places] = self._values[:, None] // _POWERS % 10 + 48
        return self._body.tobytes()


class Connection(asyncio.Protocol):
    """Answers GET requests, one after the other."""

    served = 0

    def __init__(self, targets: list[Target]) -> None:
        self._targets = targets
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        """A part of the path."""
        self._url += url

    def on_message_complete(self) -> None:
        """Answer."""
        path, self._url = self._url.partition(b"?")[0], b""
        assert self._transport is not None
        if path == b"/served":
            body = b'{"served": %d}' % Connection.served
        else:
            body = self._targets[int(path.split(b"/")[2])].scrape()
            Connection.served += 1
        head = (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: %d\r\n\r\n"
        )
        self._transport.write(head % len(body) + body)


async def serve(port: int, targets: int, series: int) -> None:
    """Serve until the process is ended."""
    all_targets = [Target(number, series) for number in range(targets)]
    server = await asyncio.get_running_loop().create_server(lambda: Connection(all_targets), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(*map(int, sys.argv[1:])))
