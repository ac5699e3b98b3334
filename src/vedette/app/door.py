"""The door: accounts, all routers, and the HTTP server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry

from vedette.__about__ import __version__
from vedette.alerting.stories import Stories
from vedette.app.alerting import ServedAlerting
from vedette.app.collecting import Collecting
from vedette.app.reloading import Reloader
from vedette.app.storage import OpenStorage
from vedette.app.wiring import auth_settings, backtest_limits, raw_limits
from vedette.config import Config, render
from vedette.http import (
    HttpSettings,
    Readiness,
    RequestMetrics,
    RunningServer,
    build_application,
    health_router,
    serve_http,
)
from vedette.http.admin import AdminApi, admin_router
from vedette.http.admin.backfill import Backfill
from vedette.http.admin.backtest import Backtest
from vedette.http.admin.export import Export
from vedette.http.alerting import AlertingApi, alerting_router
from vedette.http.alertmanager import AlertmanagerApi, alertmanager_router
from vedette.http.auth import local_access, open_accounts
from vedette.http.auth.api import accounts_router
from vedette.http.pages import landing_router, login_router, render_page_error
from vedette.http.prometheus import prometheus_router
from vedette.http.prometheus.federate import federate_router
from vedette.http.prometheus.queries import QueryApi
from vedette.http.prometheus.read import read_router
from vedette.http.prometheus.rules import RulesApi
from vedette.http.prometheus.series import SeriesApi
from vedette.http.prometheus.status import ServerFacts, StatusApi
from vedette.http.prometheus.targets import TargetsApi
from vedette.http.prometheus.write import write_router
from vedette.http.run_files import DataDirectory
from vedette.ingest.remote_write import RemoteWriteReceiver
from vedette.model.clock import Clock
from vedette.model.errors import StorageError
from vedette.model.labels import LabelSet, label_set
from vedette.query.exemplars import ExemplarReads
from vedette.query.raw import open_raw_reads
from vedette.query.service import QueryService
from vedette.query.stored import StoredSource
from vedette.store.state import StateDatabase


@dataclass(frozen=True, slots=True)
class Door:
    """An open door.

    Attributes:
        first_link: secret of a one-time login, while nobody has a password.
    """

    server: RunningServer
    first_link: str | None


@asynccontextmanager
async def open_door(  # noqa: PLR0913 - everything comes together here
    *,
    settings: HttpSettings,
    config: Config,
    data_dir: Path,
    state: StateDatabase,
    alerting: ServedAlerting,
    directory: DataDirectory,
    storage: OpenStorage,
    queries: QueryService,
    collecting: Collecting,
    rules: RulesApi,
    reloader: Reloader,
    readiness: Readiness,
    registry: CollectorRegistry,
    clock: Clock,
) -> AsyncGenerator[Door]:
    """Serve as long as the block lasts.

    Raises:
        UnavailableError: the address cannot be listened on.
        StorageError: the accounts cannot be read.
    """
    auth = auth_settings(config)

    def source() -> StoredSource:
        return StoredSource(storage.index, storage.memory, storage.metrics)

    async with (
        open_accounts(
            state,
            auth,
            local_access=local_access(auth.mode, settings.listen),
            local_token_hash=directory.local_token_hash,
        ) as accounts,
        open_raw_reads(source, raw_limits(config), registry) as reads,
    ):
        facts = ServerFacts(
            started_ms=clock.now_ms(),
            render_config=lambda: render(reloader.config, redact=True),
            flags=lambda: {
                "storage.tsdb.path": str(data_dir),
                "storage.tsdb.retention.time": str(config.storage.retention.metrics),
                "query.timeout": str(config.query.timeout),
                "query.max-concurrency": str(config.query.concurrency),
                "query.max-samples": str(config.query.max_samples),
                "query.lookback-delta": str(config.query.lookback_delta),
                "rules.alert.for-grace-period": str(config.rules.grace_period),
                "rules.alert.for-outage-tolerance": str(config.rules.outage_tolerance),
                "rules.alert.resend-delay": str(reloader.config.rules.resend_delay),
                "alertmanager.notification-queue-capacity": str(reloader.config.rules.notification_queue),
                "web.listen-address": ",".join(f"{a.host}:{a.port}" for a in settings.listen),
                "web.external-url": settings.external_url,
                "web.enable-lifecycle": "true",
                "web.enable-remote-write-receiver": "true",
            },
            reloaded=lambda: (reloader.successful, reloader.reloaded_ms),
            retention=str(config.storage.retention.metrics),
            now_ms=clock.now_ms,
        )
        admin = AdminApi(
            registry=registry,
            ledger=storage.ledger,
            reload=reloader.reload,
            backup=_Backup(storage, state),
            backfill=Backfill(storage.writer, storage.metadata),
            export=Export(source, config.query.max_series),
            backtest=Backtest(queries, lambda: backtest_limits(reloader.config)),
        )
        receiver = RemoteWriteReceiver(
            writer=storage.writer,
            exemplars=storage.exemplars,
            metadata=storage.metadata,
            now_ms=clock.now_ms,
            max_unpacked_bytes=config.http.max_decompressed_body.bytes,
        )

        def external_labels() -> LabelSet:
            return label_set(reloader.config.global_.external_labels)

        routers = [
            prometheus_router(
                queries=QueryApi(queries, clock.now_ms),
                series=SeriesApi(
                    storage.index,
                    storage.metadata,
                    ExemplarReads(storage.index, storage.exemplars, storage.metrics),
                ),
                targets=TargetsApi(collecting.targets, urlsplit(settings.external_url).hostname or ""),
                rules=rules,
                status=StatusApi(storage.index, storage.memory, facts),
            ),
            write_router(receiver, max_body_bytes=config.http.max_body.bytes),
            read_router(reads, external_labels, folder=data_dir),
            federate_router(
                reads,
                external_labels,
                now_ms=clock.now_ms,
                lookback_ms=lambda: config.query.lookback_delta.ms,
            ),
            alertmanager_router(AlertmanagerApi(alerting.service, lambda: alerting.config, clock.now_ms())),
            alerting_router(
                AlertingApi(
                    alerting.service,
                    Stories(alerting.store),
                    alerting.outbox,
                    clock.now_ms,
                    lambda: alerting.settings.webhooks,
                    alerting.beat,
                )
            ),
            admin_router(admin),
            accounts_router(accounts),
            login_router(accounts),
            health_router(readiness),
        ]
        application = build_application(
            [landing_router(routers, version=__version__), *routers],
            identify=accounts.authenticator.identify,
            recall=accounts.authenticator.recall,
            settings=settings,
            observe=RequestMetrics(registry),
            render_unmatched=render_page_error,
        )
        async with serve_http(application, settings) as server:
            yield Door(server, accounts.first_link)


class _Backup:
    """Copies the state database and the engine's tables."""

    def __init__(self, storage: OpenStorage, state: StateDatabase) -> None:
        self._storage = storage
        self._state = state

    async def __call__(self, directory: Path) -> AsyncIterator[tuple[str, int, int]]:
        await asyncio.to_thread(_refuse_occupied, directory)
        yield "samples", 0, 2
        await asyncio.to_thread(self._storage.metrics.backup, directory / "engine")
        yield "state", 1, 2
        await self._state.backup(directory / "state.db")
        yield "done", 2, 2


def _refuse_occupied(directory: Path) -> None:
    try:
        occupied = directory.exists() and any(directory.iterdir())
    except OSError as exc:
        raise StorageError(f"the backup cannot be written to {directory}: {exc.strerror}") from exc
    if occupied:
        raise StorageError(f"{directory} is not empty; name a directory that does not exist yet, or an empty one")
