"""A real Vedette with a few targets, and Chromium with a logged-in person in front of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from harness.exposition_server import serve_expositions
from harness.vedette_server import Servers, VedetteServer, eventually
from vedette.http.ui import BUILT

try:
    from playwright import sync_api
except ImportError:
    sync_api = None

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
PASSWORD: Final = "correct horse battery"
ARTEFACTS: Final = Path(os.environ.get("BROWSER_ARTEFACTS", Path(__file__).with_name("artefacts")))
CONFIG: Final = """
auth: {required: always}
global: {scrape_interval: 1s}
self: {canary: {enabled: false}}
scrape_configs:
  - job_name: shop
    static_configs:
      - targets: ["SHOP"]
        labels: {env: staging}
    relabel_configs:
      - {source_labels: [env], target_label: stage}
  - job_name: gone
    static_configs: [{targets: ["127.0.0.1:9"]}]
  - job_name: unwanted
    static_configs: [{targets: ["192.0.2.1:80"]}]
    relabel_configs: [{source_labels: [job], regex: unwanted, action: drop}]
"""
SHOP: Final = """# HELP shop_orders_total Orders taken.
# TYPE shop_orders_total counter
shop_orders_total{kind="new"} 7
# HELP shop_stock_bytes Stock.
# TYPE shop_stock_bytes gauge
shop_stock_bytes 2048
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Nothing here can run without a browser and a build, and says so."""
    missing = None
    if sync_api is None:
        missing = "Playwright is not installed (pip install playwright)"
    elif CHROMIUM is None:
        missing = "there is no Chromium on the path (Debian: apt install chromium)"
    elif not (BUILT / "index.html").is_file():
        missing = "the web interface is not built (make ui)"
    if missing:
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason=missing))


@pytest.fixture(scope="module")
def vedette(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VedetteServer]:
    """A server that watches its host, an exposition that answers, and one that does not."""
    servers = Servers(tmp_path_factory.mktemp("browser"))
    with serve_expositions() as shop:
        shop.show(SHOP)
        try:
            server = servers.start(CONFIG.replace("SHOP", shop.address))
            eventually(lambda: server.query("count_over_time(shop_stock_bytes[1m]) > 5"))
            yield server
        finally:
            servers.kill()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The browser."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def cookies(vedette: VedetteServer, chromium: Any) -> dict[str, Any]:
    """A session, made as the first person makes it: by the one-time link and a password."""
    link = vedette.client.post("/api/vedette/v1/users/admin/once-link").json()["once_link"]
    context = chromium.new_context(base_url=vedette.url)
    page = context.new_page()
    page.goto(link)
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("New password, once more").fill(PASSWORD)
    page.get_by_role("button", name="Set password").click()
    page.wait_for_url("**/")
    state: dict[str, Any] = context.storage_state()
    context.close()
    return state


@dataclass  # without slots: Playwright hangs a mark of its own on whose methods it is given
class Visit:
    """A window of the browser, and what it complained about.

    Attributes:
        page: Playwright's.
        complaints: errors of the console and of scripts; a test fails if some are left at its end.
    """

    page: Any
    complaints: list[str] = field(default_factory=list[str])

    def note_message(self, message: Any) -> None:
        """Keep what the console says if it is bad."""
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")


OpenVisit = Callable[..., Visit]


@pytest.fixture
def visit(vedette: VedetteServer, chromium: Any, cookies: dict[str, Any]) -> Iterator[OpenVisit]:
    """Opens windows; at the end none of them may have complained."""
    visits: list[Visit] = []
    contexts: list[Any] = []

    def open_visit(*, theme: str = "light", width: int = 1440, logged_in: bool = True) -> Visit:
        context = chromium.new_context(
            base_url=vedette.url,
            color_scheme=theme,
            viewport={"width": width, "height": 900},
            **({"storage_state": cookies} if logged_in else {}),
        )
        contexts.append(context)
        page = context.new_page()
        made = Visit(page)
        page.on("console", made.note_message)
        page.on("pageerror", lambda error: made.complaints.append(f"uncaught: {error}"))
        visits.append(made)
        return made

    yield open_visit
    for context in contexts:
        context.close()
    complaints = [complaint for one in visits for complaint in one.complaints]
    assert not complaints
