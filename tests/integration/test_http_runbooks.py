from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from vedette.http.pages import runbooks_router
from vedette.http.testing import Site, open_site
from vedette.store.state import Scope

PAGES = {"HighErrorRate": "# HighErrorRate\n\nA — page.\n"}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with open_site(tmp_path, [runbooks_router(PAGES)]) as site:
        yield site


async def ask(site: Site, path: str, *, token: str, accept: str = "*/*") -> httpx.Response:
    headers = {"Accept": accept, "Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=site.url) as client:
        return await client.get(path, headers=headers)


async def test_a_runbook_is_answered_as_text(site: Site) -> None:
    answer = await ask(site, "/runbooks/HighErrorRate", token=await site.token(Scope.READ))

    assert answer.status_code == 200
    assert answer.text == PAGES["HighErrorRate"]
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("path", ["/runbooks/NoSuchAlert", "/runbooks/..%2Frules%2Fapplication"])
async def test_another_name_is_not_found(site: Site, path: str) -> None:
    answer = await ask(site, path, token=await site.token(Scope.READ))

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_runbooks_are_for_readers_alone(site: Site) -> None:
    answer = await ask(site, "/runbooks/HighErrorRate", token="wrong")

    assert answer.status_code == 401
