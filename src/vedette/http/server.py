"""Serve an ASGI application over HTTP/1.1 within our own task group.

Signals, readiness and logging stay the caller's. Leaving the block stops: no new connections, idle ones are
closed, requests have `drain_s` to end, what is left is cancelled and cut off.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import structlog
from starlette.types import ASGIApp
from uvicorn import Config
from uvicorn.server import ServerState

from vedette.http.application import Application
from vedette.http.head import parse_address
from vedette.http.protocol import BoundedProtocol, ServerContext, quieten_uvicorn
from vedette.http.settings import HttpSettings, ListenAddress, TlsSettings
from vedette.model.errors import UnavailableError

_BACKLOG = 1024
_TLS_HANDSHAKE_S = 10.0
_TLS_SHUTDOWN_S = 5.0
_CANCELLED_S = 2.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that listens.

    Attributes:
        addresses: what it is bound to, with the ports that the system chose.
        tls: None for plain HTTP; `reload_certificate` reads the files again.
    """

    addresses: tuple[ListenAddress, ...]
    tls: ssl.SSLContext | None
    settings: HttpSettings

    @property
    def url(self) -> str:
        """How programs on this machine reach it."""
        first = self.addresses[0]
        address = parse_address(first.host)
        host = first.host
        if address is not None and address.is_unspecified:
            host = "127.0.0.1" if address.version == 4 else "::1"
        return f"{'https' if self.tls else 'http'}://{f'[{host}]' if ':' in host else host}:{first.port}"

    def reload_certificate(self) -> None:
        """Use the certificate that is in the files now, for new connections.

        Raises:
            UnavailableError: it cannot be read; the old one stays.
        """
        if self.tls is not None and self.settings.tls is not None:
            _tls_context(self.settings.tls)  # try it on a context of its own first
            _load_certificate(self.tls, self.settings.tls)


@asynccontextmanager
async def serve_http(app: ASGIApp, settings: HttpSettings) -> AsyncGenerator[RunningServer]:
    """Listen and serve until the block is left.

    Raises:
        UnavailableError: an address cannot be listened on, or the certificate cannot be read.
    """
    quieten_uvicorn()
    tls = None if settings.tls is None else _tls_context(settings.tls)
    config = Config(
        app,
        http=BoundedProtocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
    )
    config.timeout_keep_alive = settings.keep_alive_s  # pyright: ignore[reportAttributeAccessIssue] - goes to call_later
    config.load()
    sockets = _bind(settings.listen)
    addresses = tuple(ListenAddress(*sock.getsockname()[:2]) for sock in sockets)
    running = RunningServer(addresses, tls, settings)
    listeners: list[asyncio.Server] = []
    failure: Exception | None = None
    async with asyncio.TaskGroup() as requests:
        directly = app.directly if isinstance(app, Application) else None
        context = ServerContext(config, ServerState(), settings, requests, asyncio.Event(), directly)
        try:
            await _listen(sockets, context, tls, listeners)
            log.info("listening", url=running.url, addresses=[f"{a.host}:{a.port}" for a in addresses])
            yield running
            await _drain(listeners, context)
        except Exception as exc:  # noqa: BLE001 - raised below: the task group would wrap it
            failure = exc
        finally:
            _cut_off(listeners, context)
            for sock in sockets:
                sock.close()
    if failure is not None:
        raise failure


async def _listen(
    sockets: Sequence[socket.socket],
    context: ServerContext,
    tls: ssl.SSLContext | None,
    listeners: list[asyncio.Server],
) -> None:
    loop = asyncio.get_running_loop()
    for sock in sockets:
        try:
            listener = await loop.create_server(
                lambda: BoundedProtocol(context),
                sock=sock,
                ssl=tls,
                backlog=_BACKLOG,
                ssl_handshake_timeout=_TLS_HANDSHAKE_S if tls else None,
                ssl_shutdown_timeout=_TLS_SHUTDOWN_S if tls else None,
            )
        except OSError as exc:
            raise UnavailableError(f"cannot listen on {sock.getsockname()}: {exc.strerror or exc}") from exc
        listeners.append(listener)


async def _drain(listeners: Sequence[asyncio.Server], context: ServerContext) -> None:
    context.draining = True
    for listener in listeners:
        listener.close()
    state = context.state
    for connection in list(state.connections):
        connection.shutdown()
    with suppress(TimeoutError):
        async with asyncio.timeout(context.settings.drain_s):
            await _until_idle(context)
            return
    log.warning("requests are cut off", requests=len(state.tasks), connections=len(state.connections))
    for task in list(state.tasks):
        task.cancel()
    with suppress(TimeoutError):
        async with asyncio.timeout(_CANCELLED_S):
            await _until_idle(context)


async def _until_idle(context: ServerContext) -> None:
    while context.state.connections or context.state.tasks:
        context.changed.clear()
        await context.changed.wait()


def _cut_off(listeners: Sequence[asyncio.Server], context: ServerContext) -> None:
    context.draining = True
    for listener in listeners:
        listener.close()
    for connection in list(context.state.connections):
        connection.transport.abort()
    for task in list(context.state.tasks):
        task.cancel()


def _bind(addresses: Sequence[ListenAddress]) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    try:
        for address in addresses:
            for family, host in _resolve(address):
                sockets.append(_bound(family, host, address.port, both=host == "::" and len(addresses) == 1))
    except BaseException:
        for sock in sockets:
            sock.close()
        raise
    return sockets


def _resolve(address: ListenAddress) -> list[tuple[int, str]]:
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as exc:
        raise UnavailableError(f"cannot listen on {address.host!r}: the name cannot be resolved ({exc})") from exc
    resolved = list(dict.fromkeys((int(family), str(sockaddr[0])) for family, _, _, _, sockaddr in found))
    if address.host == "localhost":
        # Callers without credentials are trusted for this name (`local_access`): it must mean what it says.
        beyond = [host for _, host in resolved if not getattr(parse_address(host), "is_loopback", False)]
        if beyond:
            raise UnavailableError(f"localhost resolves to {beyond[0]}, which is not loopback; listen on 127.0.0.1")
        # One is enough where the port is chosen by the system; ::1 may not exist in a container.
        resolved = [pair for pair in resolved if pair[0] == socket.AF_INET] or resolved
    return resolved


def _bound(family: int, host: str, port: int, *, both: bool) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(not both))
        sock.bind((host, port))
        sock.setblocking(False)  # noqa: FBT003 - its only parameter
    except OSError as exc:
        sock.close()
        raise UnavailableError(
            f"cannot listen on {host} port {port}: {exc.strerror or exc}; stop what uses it, or choose another"
        ) from exc
    return sock


def _tls_context(settings: TlsSettings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = settings.min_version
    context.set_alpn_protocols(["http/1.1"])
    _load_certificate(context, settings)
    if settings.client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        try:
            context.load_verify_locations(settings.client_ca)
        except (OSError, ssl.SSLError) as exc:
            raise UnavailableError(f"cannot use {settings.client_ca} to check clients' certificates: {exc}") from exc
    return context


def _load_certificate(context: ssl.SSLContext, settings: TlsSettings) -> None:
    try:
        context.load_cert_chain(settings.certificate, settings.key)
    except (OSError, ssl.SSLError) as exc:
        raise UnavailableError(f"cannot use {settings.certificate} with {settings.key} for TLS: {exc}") from exc
