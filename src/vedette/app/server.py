"""All services of a running server: what is opened first is closed last.

Storage, then the way in, then what asks, then alerting, then what collects, then rules, then the door. On the way out
the door closes first and requests end; rules, collecting and alerting stop; what was accepted is written; the engine
closes.
"""

from __future__ import annotations

import asyncio
import gc
import os
import platform
import sys
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import structlog
from prometheus_client import CollectorRegistry

from vedette.__about__ import __version__
from vedette.alerting import read_alerting
from vedette.alerting.templates import load_library
from vedette.app.alerting import open_alerting
from vedette.app.banner import Announce
from vedette.app.collecting import Collecting, open_collecting
from vedette.app.door import open_door
from vedette.app.housekeeping import keep_house
from vedette.app.logs import configure_log
from vedette.app.reloading import Reloader
from vedette.app.rules import open_rules, read_rules
from vedette.app.storage import open_storage
from vedette.app.wiring import http_settings, ingest_limits, people_url, query_limits
from vedette.collect.remote_write import open_remote_writers
from vedette.config import Config, Loaded
from vedette.http import Readiness, RunningServer
from vedette.http.prometheus.rules import RulesApi
from vedette.http.run_files import RunInfo, hold_data_directory
from vedette.model.clock import Clock
from vedette.query.service import open_query_service
from vedette.query.stored import StoredSource
from vedette.rules.notifier import Notifier, PreparedAlertmanagers, open_notifier
from vedette.store.state import open_state

_STATE_FILE: Final = "state.db"
_QUEUES_FOLDER: Final = "remote_write"

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


async def serve(
    data_dir: Path,
    loaded: Loaded,
    read: Callable[[], Loaded],
    *,
    listen: str | None,
    stop: asyncio.Event,
    reload: asyncio.Event,
    announce: Announce,
) -> None:
    """Serve until `stop` is set.

    Args:
        data_dir: where data are kept.
        loaded: the configuration to begin with.
        read: reads it again.
        listen: address and port, instead of the configured ones.
        stop: ends it.
        reload: asks for the configuration to be read again.
        announce: tells the person at the terminal that all is up.

    Raises:
        VedetteError: something could not be opened.
    """
    began_s = time.monotonic()
    clock = Clock()
    config = loaded.config
    settings = http_settings(config, listen)
    registry = CollectorRegistry()
    readiness = Readiness()
    routing = await asyncio.to_thread(read_alerting, config.alertmanager)
    templates = await asyncio.to_thread(load_library, routing.file.templates)
    sources = await asyncio.to_thread(read_rules, config)
    async with AsyncExitStack() as stack:
        directory = stack.enter_context(hold_data_directory(data_dir))
        storage = await stack.enter_async_context(open_storage(config, data_dir, registry, clock))
        queries = await stack.enter_async_context(
            open_query_service(
                lambda: StoredSource(storage.index, storage.memory, storage.metrics),
                query_limits(config),
                registry,
            )
        )
        senders = await stack.enter_async_context(
            open_remote_writers(
                writer=storage.writer,
                exemplars=storage.exemplars,
                metadata=storage.metadata,
                folder=data_dir / _QUEUES_FOLDER,
                registry=registry,
                clock=clock,
            )
        )
        state = await stack.enter_async_context(open_state(data_dir / _STATE_FILE))
        alerting = await stack.enter_async_context(
            open_alerting(
                routing,
                templates,
                config,
                state=state,
                external_url=people_url(settings),
                registry=registry,
                clock=clock,
            )
        )
        senders.apply(senders.prepare(config.remote_write, config.global_.external_labels))
        await senders.started()
        collecting = await stack.enter_async_context(open_collecting(config, storage, registry, clock, data_dir))
        notifier = await stack.enter_async_context(open_notifier(registry, collecting.discovery, clock))
        notifier.apply(_alertmanagers(notifier, config))
        rules = await stack.enter_async_context(
            open_rules(
                sources,
                config,
                storage=storage,
                queries=queries,
                sinks=(alerting.service, notifier),
                external_url=people_url(settings),
                registry=registry,
                clock=clock,
            )
        )

        async def prepare(changed: Config) -> Callable[[], None]:
            read_again = await asyncio.to_thread(read_rules, changed)
            jobs = collecting.prepare(changed)
            told = _alertmanagers(notifier, changed)
            routes = await alerting.prepare(changed)
            stores = senders.prepare(changed.remote_write, changed.global_.external_labels)

            def take_over() -> None:
                senders.apply(stores)
                routes()
                collecting.apply(jobs)
                notifier.apply(told)
                rules.apply(read_again, changed)
                storage.writer.limits = ingest_limits(changed)
                queries.limits = query_limits(changed)
                configure_log(changed.logging, sys.stderr)

            return take_over

        reloader = Reloader(loaded, read, prepare, registry, clock)
        await stack.enter_async_context(_background(keep_house(storage, config, clock, registry)))
        await stack.enter_async_context(_background(reloader.run(reload)))
        door = await stack.enter_async_context(
            open_door(
                settings=settings,
                config=config,
                data_dir=data_dir,
                state=state,
                alerting=alerting,
                directory=directory,
                storage=storage,
                queries=queries,
                collecting=collecting,
                rules=RulesApi(rules.runner.groups, notifier.addresses),
                reloader=reloader,
                readiness=readiness,
                registry=registry,
                clock=clock,
            )
        )
        directory.announce(_run_info(door.server, clock))
        collecting.start_canary(config, data_dir, queries)
        readiness.now_ready()
        announce.ready(
            url=door.server.url,
            data_dir=str(data_dir),
            took_s=time.monotonic() - began_s,
            first_link=None if door.first_link is None else f"/login?once={door.first_link}",
            watching=_watching(collecting),
            series=len(storage.index),
        )
        # What a start has made stays. Looking through it again and again would stop all answers for a tenth of a
        # second each time.
        gc.freeze()
        gc.enable()
        await stop.wait()
        readiness.not_ready("shutting down")


def _alertmanagers(notifier: Notifier, config: Config) -> PreparedAlertmanagers:
    return notifier.prepare(config.alerting.alertmanagers, capacity=config.rules.notification_queue)


def _run_info(server: RunningServer, clock: Clock) -> RunInfo:
    return RunInfo(pid=os.getpid(), url=server.url, started_ms=clock.now_ms(), version=__version__)


def _watching(collecting: Collecting) -> str:
    jobs = len([pool for pool in collecting.targets.pools() if not pool.inactive]) - len(collecting.internal_jobs)
    parts = ["itself"]
    if "node" in collecting.internal_jobs:
        parts.insert(0, f"this host ({platform.node()})")
    if jobs > 0:
        parts.append(f"{jobs} scrape job{'s' if jobs > 1 else ''}")
    return ", ".join(parts)


@asynccontextmanager
async def _background(work: Coroutine[Any, Any, None]) -> AsyncGenerator[None]:
    """Run something as long as the block lasts; if it ends with an error, so does the process."""
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work)
        yield
        task.cancel()
