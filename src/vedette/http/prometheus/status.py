"""`status/*`: the configuration, the options and the state of the running server.

Source: Prometheus 3, `web/api/v1/api.go`.
"""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from vedette.__about__ import __version__
from vedette.http.prometheus.answers import answer
from vedette.http.prometheus.parameters import BadParameterError, Parameters
from vedette.http.prometheus.targets import format_time
from vedette.store.head import SampleMemory, SeriesIndex

COMPATIBLE_VERSION: Final = "3.5.0"
"""The Prometheus whose API this is; clients such as Grafana choose their queries by it."""

_MAX_TOP: Final = 10_000


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What the status pages tell of the process.

    Attributes:
        started_ms: when it started.
        render_config: the running configuration as YAML, without secrets.
        flags: options that Prometheus has as flags, by its names for them.
        reloaded: whether the last reload went well, and when it was (ms since the epoch).
        retention: how long samples are kept, e.g. `30d`.
        now_ms: the clock.
    """

    started_ms: int
    render_config: Callable[[], str]
    flags: Callable[[], Mapping[str, str]]
    reloaded: Callable[[], tuple[bool, int]]
    retention: str
    now_ms: Callable[[], int]


@dataclass(frozen=True, slots=True)
class StatusApi:
    """The handlers."""

    index: SeriesIndex
    memory: SampleMemory
    facts: ServerFacts

    async def config(self, _request: Request) -> Response:
        """`/api/v1/status/config`: the configuration in force, secrets left out."""
        return answer({"yaml": self.facts.render_config()})

    async def flags(self, _request: Request) -> Response:
        """`/api/v1/status/flags`: what Prometheus has as flags."""
        return answer(dict(self.facts.flags()))

    async def runtime_info(self, _request: Request) -> Response:
        """`/api/v1/status/runtimeinfo`: the process."""
        reloaded, reloaded_ms = self.facts.reloaded()
        return answer(
            {
                "startTime": format_time(self.facts.started_ms),
                "CWD": str(Path.cwd()),
                "hostname": platform.node(),
                "serverTime": format_time(self.facts.now_ms()),
                "reloadConfigSuccess": reloaded,
                "lastConfigTime": format_time(reloaded_ms),
                "corruptionCount": 0,
                # Go's words; the nearest that Python has.
                "goroutineCount": threading.active_count(),
                "GOMAXPROCS": os.cpu_count() or 1,
                "GOMEMLIMIT": 0,
                "GOGC": "",
                "GODEBUG": "",
                "storageRetention": self.facts.retention,
            }
        )

    async def build_info(self, _request: Request) -> Response:
        """`/api/v1/status/buildinfo`: the version of the API, and Vedette's."""
        return answer(
            {
                "version": COMPATIBLE_VERSION,
                "revision": f"vedette-{__version__}",
                "branch": "",
                "buildUser": "",
                "buildDate": "",
                "goVersion": f"python{platform.python_version()}",
            }
        )

    async def tsdb(self, request: Request) -> Response:
        """`/api/v1/status/tsdb`: how many series there are, and what makes so many."""
        parameters = await Parameters.of(request)
        limit = parameters.limit() or 10
        if limit > _MAX_TOP:
            raise BadParameterError("limit", f"limit must not exceed {_MAX_TOP}")
        found = self.index.cardinality(limit)

        def shown(key: str) -> list[dict[str, object]]:
            return [{"name": name, "value": count} for name, count in found[key]]

        first_ms, last_ms = self.index.time_range()
        return answer(
            {
                "headStats": {
                    "numSeries": len(self.index),
                    "numLabelPairs": self.index.pair_count,
                    "chunkCount": self.memory.chunk_count,
                    "minTime": first_ms,
                    "maxTime": last_ms,
                },
                "seriesCountByMetricName": shown("metrics"),
                "labelValueCountByLabelName": shown("labels"),
                "memoryInBytesByLabelName": shown("label_bytes"),
                "seriesCountByLabelValuePair": shown("pairs"),
            }
        )
