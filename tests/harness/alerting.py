"""The alerting service in a test: time by hand, a disk that can fail, and a receiver that is told by hand."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from vedette.alerting import Notify, build_plan, parse_alerting
from vedette.alerting.service import AlertingService, ServiceLimits, open_service
from vedette.http.alertmanager import AlertmanagerApi, alertmanager_router
from vedette.http.testing.site import open_site
from vedette.model.alerts import Alert
from vedette.model.clock import Clock
from vedette.model.errors import StorageError
from vedette.model.labels import label_set
from vedette.store.state import AlertBatch, HistoryRow, LabelsRow, StateRow

NOON_MS = 1_800_014_400_000
"""2027-01-15 12:00 UTC."""
LATER_MS = 30 * 86_400_000

TEAM = """
route: {receiver: team, group_by: [alertname], group_wait: 30s, group_interval: 5m, repeat_interval: 4h}
receivers:
- name: team
  webhook_configs: [{url: 'http://example.org/'}]
"""


@dataclass
class Hand:
    """Time that goes on when it is told to; the wall clock may be set apart from it."""

    now_ms: int = NOON_MS
    ahead_ms: int = 0
    _sleepers: list[tuple[int, int, asyncio.Event]] = field(default_factory=list[tuple[int, int, asyncio.Event]])
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    def clock(self) -> Clock:
        return Clock(
            now_ms=lambda: self.now_ms + self.ahead_ms, monotonic_s=lambda: self.now_ms / 1000, sleep=self._sleep
        )

    async def _sleep(self, delay_s: float) -> None:
        woken = asyncio.Event()
        heapq.heappush(self._sleepers, (self.now_ms + round(delay_s * 1000), next(self._numbers), woken))
        await woken.wait()

    async def pass_time(self, ms: int) -> None:
        """Let time pass; whoever sleeps wakes in time, and what follows from it happens."""
        end_ms = self.now_ms + ms
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end_ms:
            due_ms, _, woken = heapq.heappop(self._sleepers)
            self.now_ms = max(self.now_ms, due_ms)
            woken.set()
            await settle()
        self.now_ms = end_ms


async def settle() -> None:
    """Let everything happen that can without time passing, also what a thread does for it."""
    for _ in range(10):
        for _ in range(10):
            await asyncio.sleep(0)
        await asyncio.to_thread(int)


@dataclass
class Disk:
    """What was stored. It can fail."""

    rows: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    history: list[HistoryRow] = field(default_factory=list[HistoryRow])
    labels: dict[str, LabelsRow] = field(default_factory=dict[str, LabelsRow])
    commits: int = 0
    failing: bool = False
    open: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.open.set()

    async def load(self) -> list[StateRow]:
        return [StateRow(kind, name, content) for (kind, name), content in self.rows.items()]

    async def commit(self, batch: AlertBatch) -> None:
        await self.open.wait()
        if self.failing:
            raise StorageError("the disk is full")
        self.commits += 1
        self.history += batch.history
        self.labels |= {row.fingerprint: row for row in batch.labels}
        for row in batch.state:
            if row.content is None:
                self.rows.pop((row.kind, row.name), None)
            else:
                self.rows[row.kind, row.name] = row.content

    def kinds(self) -> list[str]:
        return sorted(kind for kind, _ in self.rows)


@dataclass
class Post:
    """Messages that were handed over, with the number of commits before each."""

    disk: Disk
    sent: list[Notify] = field(default_factory=list[Notify])
    commits: list[int] = field(default_factory=list[int])

    def send(self, notify: Notify) -> None:
        self.sent.append(notify)
        self.commits.append(self.disk.commits)


@dataclass
class Running:
    """A running service and everything around it."""

    service: AlertingService
    hand: Hand
    disk: Disk
    post: Post

    def alert(self, name: str = "Down", *, ends_ms: int | None = None, **labels: str) -> Alert:
        now_ms = self.service.now_ms()
        end = now_ms + LATER_MS if ends_ms is None else ends_ms
        return Alert(label_set({"alertname": name, **labels}), (), now_ms, end, now_ms)

    async def fire(self, name: str = "Down", **labels: str) -> None:
        await self.service.post([self.alert(name, **labels)])

    def deliver_all(self) -> None:
        """Report everything that was handed over as sent."""
        for message in self.post.sent:
            self.service.report(message.id)


@asynccontextmanager
async def running(
    text: str = TEAM, *, disk: Disk | None = None, hand: Hand | None = None, limits: ServiceLimits | None = None
) -> AsyncIterator[Running]:
    """A service that runs, with the disk of an earlier one or an empty one."""
    hand, disk = hand or Hand(), disk or Disk()
    numbers = itertools.count(1)
    opened = open_service(
        build_plan(parse_alerting(text, file="alertmanager.yml")),
        disk,
        hand.clock(),
        new_id=lambda: f"00000000-0000-0000-0000-{next(numbers):012}",
        retention_ms=120 * 3_600_000,
        limits=limits,
    )
    async with opened as service:
        post = Post(disk)
        service.deliver_by(post)
        yield Running(service, hand, disk, post)


@dataclass
class RunningApi(Running):
    """A running service behind its HTTP API.

    Attributes:
        client: speaks to it with all rights.
    """

    client: httpx.AsyncClient


@asynccontextmanager
async def running_api(folder: Path, text: str = TEAM, *, now_ms: int = NOON_MS) -> AsyncIterator[RunningApi]:
    """A service behind Alertmanager's API."""
    config = parse_alerting(text, file="alertmanager.yml")
    async with running(text, hand=Hand(now_ms)) as world:
        api = AlertmanagerApi(world.service, lambda: config, started_ms=now_ms)
        async with (
            open_site(folder, [alertmanager_router(api)]) as site,
            httpx.AsyncClient(base_url=site.url, headers={"Authorization": f"Bearer {site.local_token}"}) as client,
        ):
            yield RunningApi(world.service, world.hand, world.disk, world.post, client)
