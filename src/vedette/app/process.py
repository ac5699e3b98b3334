"""The process: its log, its event loop, its signals, and what it says when it cannot start.

SIGTERM and SIGINT stop in order: nothing that was accepted is lost. A second one ends the process at once. SIGHUP
reads the configuration again.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import structlog
import uvloop

from vedette.app.banner import Announce
from vedette.app.logs import configure_log
from vedette.app.server import serve
from vedette.config import Loaded, default_config, load
from vedette.model.errors import VedetteError

_KILLED = 128

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What the command line decides.

    Attributes:
        data_dir: where data are kept.
        config_file: the configuration; None for the built-in one.
        listen: address and port, instead of the configured ones; None to follow the configuration.
    """

    data_dir: Path
    config_file: Path | None = None
    listen: str | None = None


def run(options: ServerOptions) -> int:
    """Serve until a signal ends it.

    Returns:
        The process's exit code.

    Raises:
        VedetteError: it could not start, or what it runs on broke.
    """
    read = _reader(options)
    loaded = read()
    configure_log(loaded.config.logging, sys.stderr)
    for warning in loaded.warnings:
        log.warning("configuration", at=str(warning.at), warning=warning.text)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_main(options, loaded, read))
    except BaseExceptionGroup as group:
        # Services are opened within task groups, which wrap what goes wrong while the next one is opened.
        leaves = _leaves(group)
        if all(isinstance(leaf, VedetteError) for leaf in leaves):
            raise leaves[0] from None
        raise


def _leaves(error: BaseException) -> list[BaseException]:
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    group = cast("BaseExceptionGroup[BaseException]", error)
    return [leaf for inner in group.exceptions for leaf in _leaves(inner)]


def _reader(options: ServerOptions) -> Callable[[], Loaded]:
    """Reads the configuration, now and at every reload."""

    def read() -> Loaded:
        if options.config_file is not None:
            return load(options.config_file)
        return Loaded(default_config())

    return read


async def _main(options: ServerOptions, loaded: Loaded, read: Callable[[], Loaded]) -> int:
    loop = asyncio.get_running_loop()
    stop, reload = asyncio.Event(), asyncio.Event()
    received: list[int] = []

    def end(number: int) -> None:
        if received:
            # Not even the buffers of the log: the person, or the supervisor, has waited long enough.
            os._exit(_KILLED + number)
        received.append(number)
        log.info("stopping", signal=signal.Signals(number).name, hint="a second signal ends it at once")
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end, number)
    loop.add_signal_handler(signal.SIGHUP, reload.set)
    announce = Announce(sys.stdout)
    await serve(options.data_dir, loaded, read, listen=options.listen, stop=stop, reload=reload, announce=announce)
    return 0
