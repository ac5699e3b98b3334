from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web

from vedette.collect.discovery import Health
from vedette.collect.discovery.http import HttpDiscoverer
from vedette.config.discovery import HttpDiscovery
from vedette.config.http_client import BasicAuth
from vedette.config.secrets import Secret
from vedette.model.durations import Duration


class Service:
    """Lists targets; can be told to answer something else."""

    def __init__(self) -> None:
        self.groups: list[Any] = [{"targets": ["a:1", "b:2"], "labels": {"env": "prod"}}, {"targets": ["c:3"]}]
        self.answer: web.Response | None = None
        self.stalls = False
        self.requests: list[dict[str, str]] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(dict(request.headers))
        if self.stalls:
            await asyncio.Event().wait()
        if self.answer is not None:
            return self.answer
        return web.json_response(self.groups)


def discoverer(url: str, health: Health, pause: Any, *, interval_ms: int = 60_000) -> HttpDiscoverer:
    settings = HttpDiscovery(
        url=url,
        refresh_interval=Duration(interval_ms),
        basic_auth=BasicAuth(username="me", password=Secret("geheim")),
    )
    return HttpDiscoverer(settings, health, pause=pause)


async def test_groups_have_their_labels_and_the_url(serving: Any, running: Any, found: Any, pause: Any) -> None:
    service = Service()
    async with serving(service.handle) as url, running(discoverer(url, Health("http", "job"), pause), found):
        assert 59 < await pause.begins() <= 60

    assert found.addresses == {"a:1", "b:2", "c:3"}
    assert found.groups[f"{url}:0"].labels == {"env": "prod", "__meta_url": url}
    assert service.requests[0]["X-Prometheus-Refresh-Interval-Seconds"] == "60"
    assert service.requests[0]["Accept"] == "application/json"
    assert service.requests[0]["Authorization"].startswith("Basic ")


async def test_groups_that_are_not_listed_any_more_are_gone(serving: Any, running: Any, found: Any, pause: Any) -> None:
    service = Service()
    async with serving(service.handle) as url, running(discoverer(url, Health("http", "job"), pause), found):
        await pause.begins()
        service.groups = [{"targets": ["a:1"]}]
        pause.end()
        await pause.begins()

    assert found.addresses == {"a:1"}


def answer(body: str, content_type: str = "application/json", status: int = 200) -> web.Response:
    return web.Response(body=body.encode(), headers={"Content-Type": content_type}, status=status)


@pytest.mark.parametrize(
    ("response", "problem"),
    [
        pytest.param(answer("[]", status=500), "answered 500", id="a status"),
        pytest.param(answer("[]", "text/html"), "unsupported content type 'text/html'", id="a content type"),
        pytest.param(answer("[]", "application/json; charset=latin1"), "unsupported content type", id="a charset"),
        pytest.param(answer("{"), "JSON", id="not JSON"),
        pytest.param(answer("{}"), "list", id="not a list"),
        pytest.param(answer("[null]"), "group 0", id="a null group"),
        pytest.param(answer('[{"targets": [1]}]'), "group 0", id="a number for a target"),
        pytest.param(answer('[{"targets": [], "label": {}}]'), "unknown option", id="an unknown key"),
        pytest.param(answer('[{"targets": [], "labels": {"": "x"}}]'), "label name", id="an empty label name"),
    ],
)
async def test_a_bad_answer_keeps_the_last_groups_and_is_tried_again_soon(
    serving: Any, running: Any, found: Any, pause: Any, response: web.Response, problem: str
) -> None:
    service = Service()
    health = Health("http", "job")
    async with serving(service.handle) as url, running(discoverer(url, health, pause), found):
        await pause.begins()
        service.answer = response
        pause.end()
        retry_s = await pause.begins()

        assert found.addresses == {"a:1", "b:2", "c:3"}
        assert problem in health.problems[url]
        assert health.failures == 1
        assert 0 < retry_s <= 1

        service.answer = None
        service.groups = [{"targets": ["back:1"]}]
        pause.end()
        await pause.begins()

    assert found.addresses == {"back:1"}
    assert health.problems == {}


@pytest.mark.parametrize("content_type", ["application/json", 'Application/JSON; charset="utf-8"', "application/json;charset=UTF-8"])  # fmt: skip # noqa: E501
async def test_json_is_known_in_all_its_spellings(
    serving: Any, running: Any, found: Any, pause: Any, content_type: str
) -> None:
    service = Service()
    service.answer = answer('[{"targets": ["a:1"]}]', content_type)
    async with serving(service.handle) as url, running(discoverer(url, Health("http", "job"), pause), found):
        await pause.begins()

    assert found.addresses == {"a:1"}


async def test_a_service_that_stalls_is_given_up_within_the_interval(
    serving: Any, running: Any, found: Any, pause: Any
) -> None:
    service = Service()
    service.stalls = True
    health = Health("http", "job")
    async with serving(service.handle) as url, running(discoverer(url, health, pause, interval_ms=200), found):
        await pause.begins()

    assert "no complete answer within 0.2 s" in health.problems[url]


async def test_a_service_that_is_not_there_is_reported_without_the_password(
    running: Any, found: Any, pause: Any
) -> None:
    health = Health("http", "job")
    async with running(discoverer("http://me:geheim@127.0.0.1:1/", health, pause), found):
        await pause.begins()

    (what, problem), *_ = health.problems.items()
    assert "cannot connect" in problem
    assert "geheim" not in what + problem
