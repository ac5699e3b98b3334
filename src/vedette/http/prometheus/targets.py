"""`targets`, `targets/metadata` and `scrape_pools`.

Source: Prometheus 3, `web/api/v1/api.go`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from vedette.collect.targets import TargetsView, TargetView
from vedette.http.prometheus.answers import answer
from vedette.http.prometheus.parameters import Parameters
from vedette.lang.promql import parse_selector
from vedette.model.durations import format_duration
from vedette.model.matchers import Matcher

_LOOPBACK = re.compile(r"localhost|127(\.\d+){3}|\[?::1\]?")
_NEVER = "0001-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class TargetsApi:
    """The handlers.

    Attributes:
        external_host: how others reach this machine; takes the place of loopback names in `globalUrl`.
    """

    targets: TargetsView
    external_host: str

    async def list_targets(self, request: Request) -> Response:
        """`/api/v1/targets`: what is scraped, and how it went."""
        parameters = await Parameters.of(request)
        state = parameters.text("state").lower()
        pool = parameters.text("scrapePool")
        shows_active, shows_dropped = state != "dropped", state != "active"
        active = [t for t in self.targets.active() if shows_active and pool in ("", t.pool)]
        dropped = [t for t in self.targets.dropped() if shows_dropped and pool in ("", t.pool)]
        counts = {view.name: view.dropped for view in self.targets.pools() if pool in ("", view.name)}
        return answer(
            {
                "activeTargets": [self._shown(target) for target in active],
                "droppedTargets": [
                    {"discoveredLabels": dict(target.discovered), "scrapePool": target.pool} for target in dropped
                ],
                "droppedTargetCounts": counts if shows_dropped else {},
            }
        )

    async def target_metadata(self, request: Request) -> Response:
        """`/api/v1/targets/metadata`: metadata with the targets that they describe."""
        parameters = await Parameters.of(request)
        limit = parameters.limit()
        matchers: tuple[Matcher, ...] = ()
        if parameters.text("match_target"):
            matchers = parse_selector(parameters.text("match_target"))
        metric = parameters.text("metric")
        found: list[dict[str, object]] = []
        for target in self.targets.active():
            if not all(m.matches(target.labels.get(m.name, "")) for m in matchers):
                continue
            described = target.metadata
            for family in [metric] if metric else list(described):
                entry = described.get(family)
                if entry is None:
                    continue
                if limit and len(found) >= limit:
                    return answer(found)
                shown = {"type": entry.type.value, "help": entry.help, "unit": entry.unit}
                found.append({"target": dict(target.labels), **({} if metric else {"metric": family}), **shown})
        return answer(found)

    async def scrape_pools(self, _request: Request) -> Response:
        """`/api/v1/scrape_pools`: the names of all jobs."""
        return answer({"scrapePools": sorted(view.name for view in self.targets.pools())})

    def _shown(self, target: TargetView) -> dict[str, object]:
        return {
            "discoveredLabels": dict(target.discovered),
            "labels": dict(target.labels),
            "scrapePool": target.pool,
            "scrapeUrl": target.url,
            "globalUrl": _global_url(target.url, self.external_host),
            "lastError": target.last_error,
            "lastScrape": format_time(target.last_scrape_ms) if target.last_scrape_ms else _NEVER,
            "lastScrapeDuration": target.last_duration_s,
            "health": target.health.value,
            "scrapeInterval": format_duration(target.interval_ms),
            "scrapeTimeout": format_duration(target.timeout_ms),
        }


def format_time(time_ms: int) -> str:
    """A time as Go prints it: RFC 3339 in UTC."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _global_url(url: str, external_host: str) -> str:
    """The URL by which others could fetch a target that we fetch through loopback."""
    parts = urlsplit(url)
    if not external_host or not _LOOPBACK.fullmatch(parts.hostname or ""):
        return url
    port = f":{parts.port}" if parts.port else ""
    return parts._replace(netloc=f"{external_host}{port}").geturl()
