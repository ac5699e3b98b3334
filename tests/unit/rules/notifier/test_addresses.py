from __future__ import annotations

import pytest

from vedette.collect.discovery import TargetGroup
from vedette.config import Action, Alertmanager, RelabelRule, Scheme
from vedette.ingest.relabel import compile_rules
from vedette.rules.notifier.addresses import Addresses, find_addresses


def found(*addresses: str, config: Alertmanager | None = None, **labels: str) -> Addresses:
    config = config or Alertmanager()
    group = TargetGroup("s", labels, tuple({"__address__": one} for one in addresses))
    return find_addresses([group], config, compile_rules(config.relabel_configs))


@pytest.mark.parametrize(
    ("prefix", "path"), [("", "/api/v2/alerts"), ("/", "/api/v2/alerts"), ("/a/b/", "/a/b/api/v2/alerts")]
)
def test_the_prefix_stands_before_the_path_of_the_api(prefix: str, path: str) -> None:
    config = Alertmanager(path_prefix=prefix, scheme=Scheme.HTTPS)

    assert found("am:9093", config=config).urls == (f"https://am:9093{path}",)


def test_an_alertmanager_that_is_found_twice_is_told_once() -> None:
    assert found("a:1", "b:1", "a:1").urls == ("http://a:1/api/v2/alerts", "http://b:1/api/v2/alerts")


def test_relabelling_chooses_and_changes_alertmanagers() -> None:
    config = Alertmanager(
        relabel_configs=(
            RelabelRule(source_labels=("__address__",), regex="b:.*", action=Action.DROP),
            RelabelRule(target_label="__alerts_path__", replacement="/other"),
            RelabelRule(source_labels=("scheme",), target_label="__scheme__"),
        )
    )

    addresses = found("a:1", "b:1", config=config, scheme="https")

    assert addresses.urls == ("https://a:1/other",)
    assert addresses.dropped == ("http://b:1/api/v2/alerts",)


@pytest.mark.parametrize("address", ["", "a/b", "http://a"])
def test_what_is_no_address_is_left_out_and_told(address: str) -> None:
    addresses = found(address, "a:1")

    assert addresses.urls == ("http://a:1/api/v2/alerts",)
    assert addresses.problems == (f'"{address}" is not a valid hostname',)
