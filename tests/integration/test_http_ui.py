"""The web interface's files on a real server: who gets them, in which form, and what is never given out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from vedette.http import AuthMode, AuthSettings
from vedette.http.testing import CALLERS, open_site, verdicts
from vedette.http.testing.site import CHEAP_PASSWORDS
from vedette.http.ui import WebFile, ui_router

INDEX = b"<!doctype html><title>Vedette</title>"
FILES = {
    "index.html": WebFile(
        "text/html; charset=utf-8", "1", {"identity": INDEX, "br": b"br!", "gzip": b"gz!"}, immutable=False
    ),
    "theme.js": WebFile("text/javascript; charset=utf-8", "2", {"identity": b"theme()"}, immutable=False),
    "assets/app-1a2b.js": WebFile(
        "text/javascript; charset=utf-8", "3", {"identity": b"app()", "gzip": b"gz!"}, immutable=True
    ),
}
AUTH = AuthSettings(mode=AuthMode.REQUIRED, passwords=CHEAP_PASSWORDS)
AS_BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PLAIN = {"Accept-Encoding": "identity"}


@asynccontextmanager
async def site(folder: Path, files: dict[str, WebFile] | None = FILES) -> AsyncIterator[httpx.AsyncClient]:
    async with open_site(folder, auth=AUTH, files=files) as opened, httpx.AsyncClient(base_url=opened.url) as client:
        yield client


async def test_everybody_gets_the_files_as_they_hold_no_data() -> None:
    found = await verdicts([ui_router(FILES)])

    assert found
    assert all(admitted == frozenset(CALLERS) for admitted in found.values())


@pytest.mark.parametrize(
    ("accepted", "coding", "body"),
    [
        pytest.param("gzip, deflate, br, zstd", "br", b"br!", id="the best of what the browser takes"),
        pytest.param("gzip", "gzip", b"gz!", id="gzip where it takes no better"),
        pytest.param("br;q=0, gzip", "gzip", b"gz!", id="never what it refuses"),
        pytest.param("identity", None, INDEX, id="plain where it takes nothing else"),
    ],
)
async def test_a_file_comes_in_a_form_that_the_browser_takes(
    tmp_path: Path, accepted: str, coding: str | None, body: bytes
) -> None:
    async with (
        site(tmp_path) as client,
        client.stream("GET", "/", headers={"Accept-Encoding": accepted}) as answer,
    ):
        received = b"".join([piece async for piece in answer.aiter_raw()])

    assert answer.headers.get("content-encoding") == coding
    assert answer.headers["vary"] == "Accept-Encoding"
    assert received == body


async def test_the_start_page_is_asked_for_again_and_answered_briefly_while_it_is_the_same(tmp_path: Path) -> None:
    async with site(tmp_path) as client:
        first = await client.get("/", headers=PLAIN)
        again = await client.get("/", headers={**PLAIN, "If-None-Match": f'"other", {first.headers["etag"]}'})

    assert first.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")


async def test_hashed_files_are_kept_for_ever(tmp_path: Path) -> None:
    async with site(tmp_path) as client:
        answer = await client.get("/assets/app-1a2b.js", headers=PLAIN)

    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.content == b"app()"


async def test_pages_may_run_and_show_what_comes_from_this_server_alone(tmp_path: Path) -> None:
    async with site(tmp_path) as client:
        policy = (await client.get("/", headers=PLAIN)).headers["content-security-policy"]

    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize("path", ["/explore", "/hosts/web1.example.com", "/any/depth/at/all"])
async def test_a_browser_finds_the_start_page_at_every_pages_path(tmp_path: Path, path: str) -> None:
    async with site(tmp_path) as client:
        answer = await client.get(path, headers={**AS_BROWSER, **PLAIN})

    assert (answer.status_code, answer.content) == (200, INDEX)


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        pytest.param("GET", "/api/v1/nothing", AS_BROWSER, id="a path of the API"),
        pytest.param("GET", "/assets/old-9z.js", AS_BROWSER, id="a file of an older build"),
        pytest.param("GET", "/explore", {"Accept": "application/json"}, id="a program"),
        pytest.param("POST", "/explore", AS_BROWSER, id="something to be changed"),
    ],
)
async def test_what_is_no_page_is_not_found(tmp_path: Path, method: str, path: str, headers: dict[str, str]) -> None:
    async with site(tmp_path) as client:
        answer = await client.request(method, path, headers=headers)

    assert answer.status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../../../../etc/passwd",
        "/assets/..%2f..%2frouter.py",
        "/assets/%2e%2e/index.html",
        "/assets/....//....//etc/passwd",
        "/assets//etc/passwd",
        "/assets/",
        "/assets",
        "/assets/index.html",
        "/assets/app-1a2b.js%00",
        "/assets/app-1a2b.js.gz",
    ],
)
async def test_no_path_leads_out_of_the_files_or_lists_them(tmp_path: Path, path: str) -> None:
    async with site(tmp_path) as client:
        answer = await client.get(httpx.URL(str(client.base_url)).copy_with(raw_path=path.encode()))

    assert answer.status_code in (400, 404)
    assert b"root:" not in answer.content


async def test_without_a_build_the_start_page_says_how_to_get_one(tmp_path: Path) -> None:
    async with site(tmp_path, None) as client:
        answer = await client.get("/", headers=AS_BROWSER)

    assert answer.status_code == 200
    assert "make ui" in answer.text
