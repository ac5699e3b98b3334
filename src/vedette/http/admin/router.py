"""Endpoints for those who run Vedette, and for the commands that need the running server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import orjson
from prometheus_client import CollectorRegistry, generate_latest
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from vedette.http.admin.backfill import Backfill
from vedette.http.admin.backtest import Backtest
from vedette.http.admin.export import Export
from vedette.http.errors import ProblemError
from vedette.http.routing import Access, Route, Router
from vedette.ingest.ledger import Ledger
from vedette.model.errors import ConfigError, ConfigErrors, VedetteError
from vedette.wire.exposition import TEXT_CONTENT_TYPE

_MAX_IMPORT_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class _BackupRequest:
    directory: str


_BACKUP = TypeAdapter(_BackupRequest)


class Backup(Protocol):
    """Makes a consistent copy while the server runs."""

    def __call__(self, directory: Path) -> AsyncIterator[tuple[str, int, int]]:
        """Copy to a directory; yields stage, done and total."""
        ...


@dataclass(frozen=True, slots=True)
class AdminApi:
    """What the endpoints act on."""

    registry: CollectorRegistry
    ledger: Ledger
    reload: Callable[[], Awaitable[object]]
    backup: Backup
    backfill: Backfill
    export: Export
    backtest: Backtest

    async def metrics(self, _request: Request) -> Response:
        """`/metrics`: Vedette's own."""
        return Response(generate_latest(self.registry), media_type=TEXT_CONTENT_TYPE)

    async def reload_config(self, _request: Request) -> Response:
        """`/-/reload`: read the configuration again."""
        try:
            await self.reload()
        except (ConfigErrors, ConfigError) as exc:
            return PlainTextResponse(f"failed to reload config: {exc}\n", status_code=500)
        return PlainTextResponse("")

    async def show_ledger(self, _request: Request) -> Response:
        """`/api/vedette/v1/ledger`: the books of what came in, by source."""
        accounts = [
            {
                "source": source,
                "received": account.received,
                "stored": account.stored,
                "dropped": {reason.value: count for reason, count in account.dropped.items()},
                "balanced": account.balanced,
                "lastProblem": account.last_problem,
            }
            for source, account in sorted(self.ledger.accounts().items())
        ]
        return Response(orjson.dumps({"sources": accounts}), media_type="application/json")

    async def make_backup(self, request: Request) -> Response:
        """`/api/vedette/v1/backup`: copy everything to a directory of the server's machine."""
        try:
            wanted = _BACKUP.validate_json(await request.body())
        except ValidationError as exc:
            raise ProblemError(400, 'expected {"directory": "..."}', kind="bad-data") from exc
        directory = Path(wanted.directory)
        if not directory.is_absolute():
            raise ProblemError(400, f"{wanted.directory!r} is not an absolute path", kind="bad-data")

        async def lines() -> AsyncIterator[bytes]:
            try:
                async for stage, done, total in self.backup(directory):
                    yield orjson.dumps({"stage": stage, "done": done, "total": total}) + b"\n"
            except VedetteError as exc:
                yield orjson.dumps({"error": str(exc)}) + b"\n"
            else:
                yield orjson.dumps({"result": {"directory": str(directory)}}) + b"\n"

        return StreamingResponse(lines(), media_type="application/jsonl")

    async def import_openmetrics(self, request: Request) -> Response:
        """`/api/vedette/v1/import/openmetrics`: back-fill samples with their times."""
        body = await request.body()
        result = await self.backfill.take(body)
        return Response(orjson.dumps(result), media_type="application/json")

    async def try_rules(self, request: Request) -> Response:
        """`/api/vedette/v1/backtest`: rules tried on stored history."""
        return await self.backtest.answer(request)

    async def export_samples(self, request: Request) -> Response:
        """`/api/vedette/v1/export`: raw samples as Arrow."""
        return await asyncio.shield(self.export.answer(request))


def admin_router(api: AdminApi) -> Router:
    """The router."""
    return Router(
        "admin",
        (
            Route("/metrics", ("GET",), api.metrics, Access.READ),
            Route("/-/reload", ("POST", "PUT"), api.reload_config, Access.ADMIN),
            Route("/api/vedette/v1/ledger", ("GET",), api.show_ledger, Access.READ),
            Route("/api/vedette/v1/backup", ("POST",), api.make_backup, Access.ADMIN),
            Route(
                "/api/vedette/v1/import/openmetrics",
                ("POST",),
                api.import_openmetrics,
                Access.WRITE_METRICS,
                max_body_bytes=_MAX_IMPORT_BYTES,
            ),
            Route("/api/vedette/v1/backtest", ("POST",), api.try_rules, Access.READ),
            Route("/api/vedette/v1/export", ("GET",), api.export_samples, Access.READ),
        ),
    )
