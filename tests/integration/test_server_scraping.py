"""Scraping, from a target's page to a query's answer, on a whole server."""

from __future__ import annotations

from harness.exposition_server import ExpositionServer
from harness.vedette_server import QUIET, Servers, VedetteServer, eventually


def config(target: ExpositionServer, *options: str, path: str = "/metrics") -> str:
    lines = "\n".join(f"    {option}" for option in options)
    return f"""{QUIET}
scrape_configs:
  - job_name: shop
    scrape_interval: 250ms
    scrape_timeout: 200ms
    metrics_path: {path}
    static_configs: [{{targets: ["{target.address}"]}}]
{lines}
"""


def test_a_target_is_scraped(servers: Servers, target: ExpositionServer) -> None:
    target.show("queue_depth{queue=\"mail\"} 12\n")
    server = servers.start(config(target))

    eventually(lambda: server.value("queue_depth") == 12)

    server.stop()
