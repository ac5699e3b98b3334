from __future__ import annotations

import pytest

from vedette.collect.scrape.target import Target, TargetError, build_target, unique_targets
from vedette.config import RelabelRule, ScrapeConfig
from vedette.config.relabel import Action
from vedette.config.scrape import Scheme
from vedette.ingest.relabel import compile_rules
from vedette.model.durations import Duration


def build(
    own: dict[str, str], *rules: RelabelRule, group: dict[str, str] | None = None, **options: object
) -> tuple[dict[str, str], Target | None]:
    job = ScrapeConfig(
        job_name="shop",
        **{"scrape_interval": Duration(15_000), "scrape_timeout": Duration(10_000), **options},  # type: ignore[arg-type]
    )
    discovered, target = build_target(own, group or {}, job, compile_rules(rules))
    return dict(discovered), target


def built(own: dict[str, str], *rules: RelabelRule, **options: object) -> Target:
    _, target = build(own, *rules, **options)  # type: ignore[arg-type]
    assert target is not None
    return target


def test_a_target_has_the_jobs_way_of_scraping_and_its_address_as_instance() -> None:
    discovered, target = build({"__address__": "a:9100"}, group={"env": "prod"})

    assert discovered == {
        "__address__": "a:9100",
        "__metrics_path__": "/metrics",
        "__scheme__": "http",
        "__scrape_interval__": "15s",
        "__scrape_timeout__": "10s",
        "env": "prod",
        "job": "shop",
    }
    assert target == Target(
        target.discovered if target else (),
        (("env", "prod"), ("instance", "a:9100"), ("job", "shop")),
        "http://a:9100/metrics",
        15_000,
        10_000,
    )


def test_what_is_nearer_to_the_target_counts_more() -> None:
    _, target = build({"__address__": "a:1", "env": "own", "job": "mine"}, group={"env": "group", "zone": "b"})

    assert target
    assert dict(target.labels) == {"env": "own", "instance": "a:1", "job": "mine", "zone": "b"}


@pytest.mark.parametrize(
    ("own", "options", "url"),
    [
        pytest.param({"__address__": "a:1"}, {"scheme": Scheme.HTTPS}, "https://a:1/metrics", id="scheme"),
        pytest.param({"__address__": "a"}, {}, "http://a/metrics", id="no port"),
        pytest.param({"__address__": "[::1]:9"}, {}, "http://[::1]:9/metrics", id="IPv6"),
        pytest.param({"__address__": "a:1", "__metrics_path__": "x"}, {}, "http://a:1/x", id="no slash"),
        pytest.param(
            {"__address__": "a:1"},
            {"params": (("module", ("http", "tcp")), ("a", ("1 &",)))},
            "http://a:1/metrics?a=1+%26&module=http&module=tcp",
            id="parameters of the job",
        ),
        pytest.param(
            {"__address__": "a:1", "__param_module": "icmp", "__param_target": "b"},
            {"params": (("module", ("http", "tcp")),)},
            "http://a:1/metrics?module=icmp&module=tcp&target=b",
            id="parameters of the target replace a first value",
        ),
        pytest.param(
            {"__address__": "a:1", "__metrics_path__": "/probe?x=1"},
            {"params": (("y", ("2",)),)},
            "http://a:1/probe?x=1&y=2",
            id="a path with its own parameters",
        ),
        pytest.param(
            {"__address__": "a:1", "__metrics_path__": "/ä b#c"}, {}, "http://a:1/%C3%A4%20b%23c", id="odd characters"
        ),
    ],
)
def test_the_url_is_made_of_the_targets_labels(own: dict[str, str], options: dict[str, object], url: str) -> None:
    assert built(own, **options).url == url


@pytest.mark.parametrize(
    ("own", "problem"),
    [
        pytest.param({}, "no address", id="no address"),
        pytest.param({"__address__": "http://a:1"}, "not a valid hostname", id="a URL for an address"),
        pytest.param({"__address__": "a:x"}, "not a URL", id="a port that is none"),
        pytest.param({"__address__": "a:99999"}, "not a URL", id="a port too high"),
        pytest.param({"__address__": "[::1"}, "not a URL", id="half a bracket"),
        pytest.param({"__address__": "a:1", "__scheme__": "ftp"}, "not a URL", id="another scheme"),
        pytest.param({"__address__": "a:1", "__scrape_interval__": "soon"}, "scrape interval", id="no interval"),
        pytest.param({"__address__": "a:1", "__scrape_interval__": "0s"}, "cannot be 0", id="an interval of 0"),
        pytest.param({"__address__": "a:1", "__scrape_timeout__": "0s"}, "cannot be 0", id="a timeout of 0"),
        pytest.param({"__address__": "a:1", "__scrape_timeout__": "16s"}, "greater than", id="too long a timeout"),
    ],
)
def test_labels_that_make_no_target_say_why(own: dict[str, str], problem: str) -> None:
    with pytest.raises(TargetError, match=problem):
        build(own)


def test_a_dropped_target_shows_what_was_discovered() -> None:
    discovered, target = build({"__address__": "a:1"}, RelabelRule(action=Action.DROP))

    assert target is None
    assert discovered["__address__"] == "a:1"


def test_relabelling_may_set_interval_instance_and_address_and_its_own_labels_go() -> None:
    rules = [
        RelabelRule(target_label="__scrape_interval__", replacement="1m"),
        RelabelRule(target_label="instance", replacement="named"),
        RelabelRule(target_label="__address__", replacement="b:2"),
        RelabelRule(target_label="__tmp", replacement="gone"),
    ]

    target = built({"__address__": "a:1", "__meta_x": "y"}, *rules)

    assert target.interval_ms == 60_000
    assert target.url == "http://b:2/metrics"
    assert dict(target.labels) == {"instance": "named", "job": "shop"}


def test_targets_are_the_same_if_they_differ_in_what_was_discovered_only() -> None:
    first, same = built({"__address__": "a:1", "__meta_x": "1"}), built({"__address__": "a:1", "__meta_x": "2"})
    other = built({"__address__": "a:1", "env": "x"})

    assert unique_targets([first, same, other]) == [first, other]


def test_offsets_are_stable_spread_over_the_interval_and_different_for_each_server() -> None:
    targets = [built({"__address__": f"a{number}:1"}) for number in range(200)]

    offsets = [target.offset_ms(b"server") for target in targets]

    assert offsets == [target.offset_ms(b"server") for target in targets]
    assert all(0 <= offset < 15_000 for offset in offsets)
    assert {offset // 3_000 for offset in offsets} == set(range(5))
    assert offsets != [target.offset_ms(b"other") for target in targets]
