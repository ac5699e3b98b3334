from __future__ import annotations

import pytest

from harness.scraping import Scraping, open_scraping


@pytest.fixture
def scraping() -> Scraping:
    return open_scraping()
