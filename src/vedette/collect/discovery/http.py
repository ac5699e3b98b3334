"""Targets that a web service lists as JSON.

Source: https://prometheus.io/docs/prometheus/latest/http_sd/.
"""

from __future__ import annotations

import asyncio
import re
from typing import Final

from vedette.collect.discovery.answers import fetch_body
from vedette.collect.discovery.groups import META, Publish
from vedette.collect.discovery.health import Health
from vedette.collect.discovery.refresh import Findings, Pause, refresh_forever
from vedette.collect.discovery.static import written_group
from vedette.collect.http_client import Fetcher, FetchError, check_options
from vedette.config.discovery import HttpDiscovery
from vedette.config.secrets import mask_url
from vedette.config.target_file import parse_json_groups

URL: Final = META + "url"

_JSON = re.compile(r'application/json(;\s*charset=("utf-8"|utf-8))?', re.IGNORECASE)


class HttpDiscoverer:
    """Fetches the list at each interval; an answer that is not a good list changes nothing."""

    def __init__(self, settings: HttpDiscovery, health: Health, *, pause: Pause = asyncio.sleep) -> None:
        check_options(settings)
        self._settings = settings
        self._health = health
        self._pause = pause

    async def run(self, publish: Publish) -> None:
        """Publish the list's groups, until cancelled."""
        async with Fetcher(self._settings) as fetcher:
            await refresh_forever(
                lambda: self._find(fetcher),
                publish,
                interval_s=self._settings.refresh_interval.s,
                health=self._health,
                what=mask_url(self._settings.url),
                pause=self._pause,
            )

    async def _find(self, fetcher: Fetcher) -> Findings:
        url = self._settings.url
        interval_s = self._settings.refresh_interval.s
        response, body = await fetch_body(
            fetcher,
            url,
            timeout_s=interval_s,
            headers={"X-Prometheus-Refresh-Interval-Seconds": f"{interval_s:g}"},
        )
        content_type = response.headers.get("Content-Type", "").strip()
        if not _JSON.fullmatch(content_type):
            raise FetchError(f"unsupported content type {content_type[:80]!r}; it has to be application/json")
        groups = await asyncio.to_thread(parse_json_groups, body, source=mask_url(url))
        shown = mask_url(url)
        found = [written_group(group, f"{shown}:{n}", **{URL: shown}) for n, group in enumerate(groups)]
        return Findings({group.source: group for group in found})
