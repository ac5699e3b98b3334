from __future__ import annotations

import pytest

from vedette.collect.discovery import DiscoveryMetrics, TargetGroup, build_discoverers
from vedette.collect.discovery.registry import DISCOVERERS
from vedette.collect.http_client import Fetcher
from vedette.config import HttpClient, OAuth2, ScrapeConfig, load_text
from vedette.config.discovery.registry import SUPPORTED
from vedette.config.http_client import GrantType

CONFIG = """
scrape_configs:
- job_name: many
  static_configs: [{targets: ['a:1'], labels: {env: prod}}, {targets: ['b:1']}]
  dns_sd_configs: [{names: [app.example], type: A, port: 9100}]
  file_sd_configs: [{files: [/nowhere/*.yml]}]
  http_sd_configs: [{url: 'http://127.0.0.1:1/'}]
  docker_sd_configs: [{host: 'unix:///nowhere.sock'}]
  kubernetes_sd_configs: [{role: pod}]
- job_name: foreign
  consul_sd_configs: [{server: 'localhost:8500'}]
- job_name: none
"""


@pytest.fixture(scope="module")
def jobs() -> dict[str, ScrapeConfig]:
    return {job.job_name: job for job in load_text(CONFIG, file="vedette.yml").config.jobs}


def test_every_kind_of_settings_has_its_discoverer() -> None:
    assert set(DISCOVERERS) == {settings.kind for settings in SUPPORTED.values()}


def test_a_job_gets_a_discoverer_for_each_section(jobs: dict[str, ScrapeConfig]) -> None:
    metrics = DiscoveryMetrics()

    discoverers, inactive = build_discoverers(jobs["many"], "many", metrics)

    assert len(discoverers) == 7
    assert inactive == ""
    assert sorted(health.kind for health in metrics.all()) == [
        "dns", "docker", "file", "http", "kubernetes", "static", "static",
    ]  # fmt: skip


def test_a_job_that_relies_on_a_kind_that_is_not_there_is_inactive(jobs: dict[str, ScrapeConfig]) -> None:
    discoverers, inactive = build_discoverers(jobs["foreign"], "foreign", DiscoveryMetrics())

    assert discoverers == []
    assert "consul_sd_configs" in inactive


def test_a_job_without_targets_is_active_and_finds_none(jobs: dict[str, ScrapeConfig]) -> None:
    assert build_discoverers(jobs["none"], "none", DiscoveryMetrics()) == ([], "")


async def test_static_targets_are_published_once_with_their_labels(jobs: dict[str, ScrapeConfig]) -> None:
    discoverers, _ = build_discoverers(jobs["many"], "many", DiscoveryMetrics())
    found: list[TargetGroup] = []

    await discoverers[0].run(found.extend)

    assert found == [TargetGroup("0", {"env": "prod"}, ({"__address__": "a:1"},))]


def test_counts_outlive_a_reload(jobs: dict[str, ScrapeConfig]) -> None:
    metrics = DiscoveryMetrics()
    build_discoverers(jobs["many"], "many", metrics)
    for health in metrics.all():
        health.note({})

    build_discoverers(jobs["many"], "many", metrics)

    assert [health.refreshes for health in metrics.all()] == [1] * 7


def test_oauth2_by_signed_tokens_is_refused_where_a_client_is_made() -> None:
    oauth2 = OAuth2(client_id="me", token_url="http://127.0.0.1:1/", grant_type=GrantType.JWT_BEARER)
    with pytest.raises(ValueError, match="use client_credentials"):
        Fetcher(HttpClient(oauth2=oauth2))
