"""Targets fetched as JSON from a URL: `http_sd_configs`."""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from vedette.config.discovery.kind import DiscoverySettings
from vedette.config.fields import HttpUrl, Interval
from vedette.config.http_client import HttpClient
from vedette.config.settings import Problem
from vedette.model.durations import Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpDiscovery(HttpClient, DiscoverySettings):
    """Target groups that a web service lists."""

    kind: ClassVar[str] = "http"

    url: HttpUrl = ""
    """Where to fetch the list. Required."""
    refresh_interval: Interval = Duration(60_000)
    """How often to fetch it."""

    def problems(self) -> Iterable[Problem]:
        """A URL."""
        if not self.url:
            yield Problem(("url",), "URL is missing", "Add `url`.")
        yield from self.client_problems()
