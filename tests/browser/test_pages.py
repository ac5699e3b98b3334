"""Every page, in both themes and at both ends of the widths: drawn, accessible, without a sideways scroll."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from browser.conftest import ARTEFACTS, OpenVisit

ROOT = Path(__file__).parents[2]
AXE = ROOT / "ui" / "node_modules" / "axe-core" / "axe.min.js"
PAGES = {
    "home": ("/", "Hosts"),
    "explore": ("/explore?q=shop_stock_bytes&q=up", "Explore metrics"),
    "table": ("/explore?q=up&view=table", "Explore metrics"),
    "targets": ("/targets", "Targets"),
    "hosts": ("/hosts", "Hosts"),
    "design": ("/design", "Design system"),
}


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_and_fits(visit: OpenVisit, name: str, theme: str, width: int) -> None:
    path, heading = PAGES[name]
    page = visit(theme=theme, width=width).page

    page.goto(path)
    page.get_by_role("heading", name=heading, exact=True).first.wait_for()
    page.wait_for_load_state("networkidle")

    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"{name}-{theme}-{width}.png", full_page=True)
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert violations(page) == []


def violations(page: Any) -> list[str]:
    """What axe finds wrong by WCAG 2.2 A and AA."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed (npm ci in ui/)")
    # By the debugger and not by a script element, which the page's policy would refuse.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})"
        ".then(({violations}) => violations.map(({id, nodes}) => `${id}: ${nodes.map(n => n.html).slice(0, 3)}`))"
    )
    return list(found)
