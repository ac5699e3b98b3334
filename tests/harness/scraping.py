"""Targets and jobs that are scraped without a network: a page for every fetch, and the whole way in behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

from multidict import CIMultiDict
from prometheus_client import CollectorRegistry

from harness.intake import Intake
from vedette.collect.http_client import Fetcher, Response
from vedette.collect.scrape import ScrapeContext, ScrapeMetrics, TargetLoop
from vedette.collect.scrape.target import build_target
from vedette.config import ScrapeConfig
from vedette.ingest.relabel import compile_rules
from vedette.model.clock import Clock
from vedette.model.durations import Duration

TEXT = "text/plain; version=0.0.4"


@dataclass
class Pages:
    """Answers every fetch with one page, or a failure."""

    text: str | bytes = "a 1\n"
    status: int = 200
    content_type: str = TEXT
    headers: dict[str, str] = field(default_factory=dict[str, str])
    failure: Exception | None = None
    asked: list[Mapping[str, str]] = field(default_factory=list[Mapping[str, str]])
    before: Callable[[], None] = lambda: None

    async def fetch(
        self, url: str, *, timeout_s: float, body_bytes_limit: int, headers: Mapping[str, str], limit: str
    ) -> Response:
        del timeout_s, body_bytes_limit, limit
        self.asked.append({"url": url, **headers})
        self.before()
        if self.failure is not None:
            raise self.failure
        body = self.text.encode() if isinstance(self.text, str) else self.text
        found = CIMultiDict({"Content-Type": self.content_type, **self.headers})
        return Response(self.status, "reason", found, body, url)


@dataclass
class Scraping:
    """What targets are scraped with."""

    intake: Intake
    pages: Pages
    registry: CollectorRegistry
    context: ScrapeContext

    def job(self, **options: object) -> ScrapeConfig:
        times = {"scrape_interval": Duration(15_000), "scrape_timeout": Duration(10_000)}
        return ScrapeConfig(job_name="shop", **{**times, **options})  # type: ignore[arg-type]

    def loop(self, job: ScrapeConfig | None = None, **options: object) -> TargetLoop:
        """The loop of one target; with a job, or a job's options."""
        inherited = options.pop("inherited", None)
        job = job or self.job(**options)
        _, target = build_target({"__address__": "t:1"}, {}, job, compile_rules(job.relabel_configs))
        assert target is not None
        return TargetLoop(target, job, cast("Fetcher", self.pages), self.context, inherited=inherited)  # type: ignore[arg-type]

    def failures(self, reason: str) -> float:
        return self.registry.get_sample_value("vedette_scrapes_failed_total", {"job": "shop", "reason": reason}) or 0.0


def open_scraping() -> Scraping:
    """With a page of one sample."""
    intake, registry = Intake(), CollectorRegistry()
    context = ScrapeContext(
        writer=intake.writer,
        metadata=intake.metadata,
        exemplars=intake.exemplars,
        metrics=ScrapeMetrics(registry),
        clock=Clock(now_ms=lambda: intake.now_ms),
        seed=b"",
        max_body_bytes=1 << 20,
        max_series=0,
    )
    return Scraping(intake, Pages(), registry, context)
