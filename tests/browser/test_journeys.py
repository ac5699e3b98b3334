"""What people do: log in, ask, make a mistake, look for why a target is down."""

from __future__ import annotations

import re
from typing import Any

from browser.conftest import PASSWORD, OpenVisit
from harness.vedette_server import VedetteServer

PATIENCE_MS = 30_000
RECENT = "from=now-5m"
"""So short that a step is two seconds: what the fixtures have written some seconds ago is in sight."""


def expect(locator: Any) -> Any:
    from playwright.sync_api import expect as playwright_expect  # noqa: PLC0415 - optional, see conftest

    return playwright_expect(locator)


def type_query(page: Any, text: str, letter: str = "A") -> None:
    page.get_by_role("textbox", name=f"Query {letter}").fill(text)


def test_who_is_not_logged_in_comes_back_to_the_page_after_logging_in(visit: OpenVisit, vedette: VedetteServer) -> None:
    page = visit(logged_in=False).page

    page.goto("/explore?q=shop_stock_bytes&view=table")
    page.wait_for_url("**/login?next=*")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()

    expect(page.get_by_text("2 KiB").first).to_be_visible()
    assert page.url == f"{vedette.url}/explore?q=shop_stock_bytes&view=table"


def test_a_query_is_drawn_and_its_numbers_have_units(visit: OpenVisit) -> None:
    page = visit().page
    page.goto(f"/explore?{RECENT}")

    type_query(page, "shop_stock_bytes")
    page.get_by_role("button", name="Run").click()

    expect(page.get_by_role("figure", name="shop_stock_bytes")).to_be_visible()
    expect(page.locator("canvas")).to_be_visible()
    expect(page.get_by_text("2 KiB").first).to_be_visible()
    expect(page).to_have_url(re.compile("q=shop_stock_bytes"))


def test_a_wrong_query_shows_its_place(visit: OpenVisit) -> None:
    one = visit()
    page = one.page
    page.goto("/explore")

    type_query(page, "sum(rate(shop_orders_total)) by")
    page.get_by_role("button", name="Run").click()

    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(re.compile(r"Line 1, column \d+"))
    expect(alert.locator("mark")).to_be_visible()
    # The browser itself reports answers of 400.
    one.complaints[:] = [text for text in one.complaints if "400 (Bad Request)" not in text]


def test_names_of_metrics_are_completed(visit: OpenVisit) -> None:
    page = visit().page
    page.goto("/explore")

    editor = page.get_by_role("textbox", name="Query A")
    expect(editor).to_be_editable()
    editor.press_sequentially("shop_ord")
    option = page.get_by_role("option", name=re.compile("shop_orders_total"))
    expect(option).to_be_visible()
    page.keyboard.press("Enter")

    expect(editor).to_have_text(re.compile("shop_orders_total"))


def test_a_metric_is_found_by_its_help_and_asked_for_as_its_type_wants(visit: OpenVisit) -> None:
    page = visit().page
    page.goto("/explore")

    page.get_by_role("button", name="Browse metrics").click()
    page.get_by_label(re.compile("Find one of")).fill("orders taken")
    page.get_by_role("button", name="shop_orders_total").click()

    expect(page.get_by_role("textbox", name="Query A")).to_have_text("rate(shop_orders_total[5m])")


def test_a_broken_target_leads_from_the_start_page_to_its_reason(visit: OpenVisit) -> None:
    page = visit().page
    page.goto("/")

    page.get_by_role("link", name=re.compile("gone: 127.0.0.1:9 is down")).click()

    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("cannot connect")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("heading", name="Targets")).to_be_visible()


def test_a_target_shows_what_relabelling_made_of_it(visit: OpenVisit) -> None:
    page = visit().page
    page.goto("/targets?pool=shop")

    page.get_by_role("button", name=re.compile("metrics$")).click()

    row = page.get_by_role("dialog").get_by_role("row", name=re.compile("^stage"))
    expect(row).to_contain_text("staging")


def test_a_host_leads_to_its_charts(visit: OpenVisit) -> None:
    page = visit().page
    page.goto(f"/hosts?{RECENT}")

    page.get_by_role("region", name="Hosts").get_by_role("link").first.click()

    expect(page.get_by_role("figure", name="Load").locator("canvas")).to_be_visible()
    expect(page.get_by_role("figure", name="Memory in use").get_by_text("GiB").first).to_be_visible()


def test_the_command_palette_goes_to_a_page_and_to_a_metric(visit: OpenVisit) -> None:
    page = visit().page
    page.goto(f"/?{RECENT}")
    page.get_by_role("heading", name="Home").wait_for()

    page.keyboard.press("Control+k")
    page.get_by_role("dialog").get_by_role("searchbox").fill("targ")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/targets"))
    page.keyboard.press("Control+k")
    page.get_by_role("dialog").get_by_role("searchbox").fill("shop_stock")
    page.get_by_role("menuitem", name=re.compile("shop_stock_bytes")).click()

    expect(page.get_by_role("figure", name="shop_stock_bytes")).to_be_visible()


def test_the_time_range_is_in_the_url_and_stays_from_page_to_page(visit: OpenVisit) -> None:
    page = visit().page
    page.goto("/hosts")

    page.get_by_role("button", name="Last hour").click()
    page.get_by_role("button", name="Last 15 minutes").click()
    page.get_by_role("link", name="Targets").click()

    expect(page.get_by_role("heading", name="Targets")).to_be_visible()
    expect(page).to_have_url(re.compile("/targets.*from=now-15m"))


def test_a_session_that_has_ended_asks_for_the_password_above_the_page(visit: OpenVisit) -> None:
    one = visit()
    page = one.page
    page.goto(f"/explore?q=shop_stock_bytes&{RECENT}")
    expect(page.locator("canvas")).to_be_visible()

    page.context.clear_cookies()
    page.get_by_role("button", name="Refresh now").click()
    page.get_by_label("Password of admin").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()

    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("canvas")).to_be_visible()
    # The browser itself reports answers of 401.
    one.complaints[:] = [text for text in one.complaints if "401 (Unauthorized)" not in text]


def test_while_the_server_is_away_what_was_there_stays_and_it_comes_back(visit: OpenVisit) -> None:
    one = visit()
    page = one.page
    page.goto("/targets")
    table = page.get_by_role("region", name="Scraped targets")
    expect(table).to_be_visible()

    page.route("**/api/**", lambda route: route.abort())
    page.get_by_role("button", name="Refresh now").click()
    notice = page.get_by_text("Vedette does not answer")
    expect(notice).to_be_visible(timeout=PATIENCE_MS)
    expect(table).to_be_visible()
    page.unroute("**/api/**")
    expect(notice).to_have_count(0, timeout=PATIENCE_MS)

    expect(table).to_be_visible()
    # The browser itself reports requests that fail.
    one.complaints[:] = [text for text in one.complaints if "net::ERR_FAILED" not in text]


def test_the_theme_is_kept(visit: OpenVisit) -> None:
    page = visit(theme="light").page
    page.goto("/hosts")

    page.get_by_role("button", name="Switch to the dark theme").click()
    page.reload()

    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
