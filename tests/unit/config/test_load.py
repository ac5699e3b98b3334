from __future__ import annotations

from pathlib import Path

import pytest

from vedette.config import Config, Loaded, NameScheme, ScrapeProtocol, Secret, default_config, load, load_text
from vedette.config.discovery import DnsDiscovery, TargetGroup
from vedette.config.scrape import DEFAULT_PROTOCOLS
from vedette.model.durations import Duration, Size
from vedette.model.errors import ConfigError, ConfigErrors


def read(text: str) -> Loaded:
    return load_text(text, file="v.yml", env={})


def refused(text: str) -> tuple[ConfigError, ...]:
    with pytest.raises(ConfigErrors) as caught:
        read(text)
    return caught.value.errors


def job(text: str) -> str:
    return "scrape_configs:\n- job_name: j\n" + "".join(f"  {line}\n" for line in text.splitlines())


def test_without_a_file_host_and_self_are_watched() -> None:
    config = default_config()

    assert config.host.enabled
    assert config.self_.enabled
    assert config.self_.canary.enabled
    assert config.http.listen == "127.0.0.1:7300"
    assert config.http.loopback
    assert config.jobs == ()


def test_an_empty_file_says_the_same_as_none() -> None:
    assert read("").config == default_config()


def test_the_memory_caps_of_the_defaults_fit_a_machine_with_one_gigabyte() -> None:
    storage, limits = Config().storage, Config().limits

    total = storage.head_memory.bytes + storage.engine_memory.bytes + limits.ingest_queue.bytes

    assert total <= 700 << 20


def test_all_errors_are_reported_at_once_in_the_order_of_the_file() -> None:
    text = (
        "http:\n  listen: nowhere\n"
        "query:\n  timeout: soon\n  concurency: 3\n"
        "scrape_configs:\n"
        "- job_name: a\n  scrape_interval: 5s\n  scrape_timeout: 6s\n"
        "- job_name: a\n  bearer_token: x\n  bearer_token_file: y\n  unknown: z\n"
        "  relabel_configs:\n  - action: frob\n  - regex: '('\n    target_label: x\n"
        "storage:\n  query_memory: 4GB\n"
    )

    places = [(error.at.line, error.problem.split(":")[0].split(" (")[0]) for error in refused(text)]

    assert places == [
        (2, "listen"),
        (4, "timeout"),
        (5, "unknown option `concurency`"),
        (9, 'scrape timeout greater than scrape interval for scrape config with job name "a"'),
        (10, 'found multiple scrape configs with job name "a", first in v.yml'),
        (12, "at most one of bearer_token & bearer_token_file must be configured"),
        (13, "unknown option `unknown`"),
        (15, "action"),
        (16, "regex"),
        (19, "query_memory"),
    ]


@pytest.mark.parametrize(
    ("text", "place", "problem", "remedy"),
    [
        pytest.param("htpp: {}\n", "1:1", "`htpp`", "Did you mean `http`?", id="an unknown section"),
        pytest.param(
            "query:\n  max_sample: 3\n", "2:3", "`max_sample`", "Did you mean `max_samples`?", id="an unknown option"
        ),
        pytest.param(
            job("kubernets_sd_configs: []"), "3:3", "`kubernets_sd_configs`", "`kubernetes_sd_configs`", id="a kind"
        ),
        pytest.param(
            job("tls_config: {cert: a, sever_name: b}"),
            "3:25",
            "`sever_name`",
            "Did you mean `server_name`?",
            id="an unknown option in a nested section",
        ),
        pytest.param("logging:\n  level: wrn\n", "2:10", '"wrn"', "`warning`", id="a choice"),
        pytest.param("query:\n  timeout: 2 m\n", "2:12", '"2 m"', "15s", id="a duration"),
        pytest.param("query:\n  timeout: 0s\n", "2:12", "above zero", "", id="a duration of nothing"),
        pytest.param("storage:\n  head_memory: 64\n", "2:16", '"64"', "64MB", id="a size without unit"),
        pytest.param("query:\n  concurrency: 0\n", "2:16", "concurrency", "", id="too few"),
        pytest.param("query:\n  concurrency: few\n", "2:16", '"few"', "", id="no number"),
        pytest.param("host:\n  enabled: maybe\n", "2:12", '"maybe"', "true or false", id="no boolean"),
        pytest.param("http: 3\n", "1:7", "expected a mapping", "", id="a number for a section"),
        pytest.param("scrape_configs: {}\n", "1:1", "expected a list", "- ", id="a mapping for a list"),
        pytest.param("scrape_configs:\n-\n", "2:2", "empty or null scrape config section", "", id="an empty job"),
        pytest.param("host:\n  job_name: [a]\n", "2:3", "expected text", "", id="a list for a text"),
        pytest.param("http: {listen: '::1:7300'}\n", "1:16", "brackets", "127.0.0.1:7300", id="an address"),
        pytest.param("storage: {engine: clickhouse}\n", "1:19", "needs its server", "`clickhouse:`", id="an engine"),
        pytest.param(job("params: {a: b}"), "3:15", "expected a list", "", id="parameters are lists"),
        pytest.param(job("scheme: htps"), "3:11", '"htps"', "Did you mean `https`?", id="a scheme"),
        pytest.param(job("sample_limit: -1"), "3:17", '"-1"', "", id="a negative limit"),
        pytest.param(job("body_size_limit: 15"), "3:20", '"15"', "64MB", id="a body size without unit"),
        pytest.param(job("proxy_url: 'http://a b'"), "3:14", "not a URL", "", id="a URL with a space"),
        pytest.param(job("no_proxy: a"), "3:13", "proxy_url must also", "", id="a proxy's exception without a proxy"),
        pytest.param(job("oauth2: {client_id: a}"), "3:3", "token_url", "Add `token_url`.", id="half an oauth2"),
        pytest.param(job("http_headers: {Host: {}}"), "3:18", '"Host"', "", id="a reserved header"),
        pytest.param(job("tls_config: {cert_file: a}"), "3:3", "without its key", "key_file", id="half a certificate"),
        pytest.param(job("dns_sd_configs: [{names: [a], type: A}]"), "3:39", "port", "Add `port`.", id="DNS"),
        pytest.param(job("file_sd_configs: [{files: [a.txt]}]"), "3:30", '"a.txt"', ".yml", id="a target file"),
        pytest.param(job("docker_sd_configs: [{port: 1}]"), "3:23", "host missing", "docker.sock", id="docker"),
        pytest.param(job("ec2_sd_configs: [{zone: a}]"), "3:21", "`zone`", "", id="an option of a foreign kind"),
        pytest.param("remote_write: [{url: a, name: n}, {url: b, name: n}]\n", "1:50", '"n"', "Rename", id="a name"),
        pytest.param(
            "global: {metric_name_validation_scheme: legacy, external_labels: {a.b: c}}\n",
            "1:72",
            '"a.b"',
            "",
            id="a label name under the legacy rules",
        ),
    ],
)
def test_an_error_names_place_value_and_remedy(text: str, place: str, problem: str, remedy: str) -> None:
    (error,) = refused(text)

    assert str(error.at) == f"v.yml:{place}"
    assert problem in error.problem
    assert remedy in error.remedy


def test_one_mistake_does_not_hide_another_in_the_same_section() -> None:
    problems = [error.problem for error in refused(job("bearer_token: a\nbearer_token_file: b\nsheme: http"))]

    assert len(problems) == 2


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(job("bearer_token: hunter2\nbearer_token_file: f"), id="a secret that contradicts"),
        pytest.param(job("basic_auth: {password: hunter2, pasword: hunter2}"), id="a misspelt name"),
        pytest.param(job("basic_auth: {username: a, password: [hunter2]}"), id="a secret of the wrong kind"),
        pytest.param(job("passwort: hunter2"), id="an unknown option"),
        pytest.param(job("consul_sd_configs: [{tokn: hunter2}]"), id="an unknown option of a foreign kind"),
        pytest.param(job("proxy_url: 'http://u:hunter2@h:port'"), id="a password in a URL"),
        pytest.param("basic_auth: {password: hunter2\n", id="a text that is no YAML"),
        pytest.param(job("http_headers: {Host: {secrets: [hunter2]}}"), id="a header"),
    ],
)
def test_an_error_never_shows_a_secret(text: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        read(text)

    assert "hunter2" not in str(caught.value)


def test_a_job_takes_from_the_global_section_what_it_does_not_say() -> None:
    text = (
        "global: {scrape_interval: 30s, sample_limit: 10, body_size_limit: 1MB, extra_scrape_metrics: true}\n"
        "scrape_configs:\n- {job_name: a, sample_limit: 5}\n"
        "- {job_name: b, scrape_interval: 5s, extra_scrape_metrics: no}\n"
    )

    a, b = read(text).config.jobs

    assert (a.scrape_interval, a.scrape_timeout) == (Duration(30_000), Duration(10_000))
    assert (a.sample_limit, a.body_size_limit, a.extra_scrape_metrics) == (5, Size(1 << 20), True)
    assert (b.scrape_interval, b.scrape_timeout) == (Duration(5_000), Duration(5_000))
    assert (b.sample_limit, b.extra_scrape_metrics) == (10, False)
    assert a.scrape_protocols == DEFAULT_PROTOCOLS


def test_a_job_under_legacy_rules_asks_for_underscores() -> None:
    (one,) = read(job("metric_name_validation_scheme: legacy")).config.jobs

    assert one.metric_name_validation_scheme is NameScheme.LEGACY
    assert one.metric_name_escaping_scheme == "underscores"


def test_protobuf_is_left_out_of_what_is_asked_for_with_a_warning() -> None:
    loaded = read(job("scrape_protocols: [PrometheusProto, PrometheusText0.0.4]"))

    assert loaded.config.jobs[0].scrape_protocols == (ScrapeProtocol.PROMETHEUS_TEXT_0_0_4,)
    assert [warning.at.line for warning in loaded.warnings] == [3]


def test_discovery_is_one_list_of_typed_settings() -> None:
    (one,) = read(
        job("static_configs: [{targets: ['a:1'], labels: {x: y}}]\ndns_sd_configs: [{names: [n]}]")
    ).config.jobs

    assert one.discovery == (TargetGroup(targets=("a:1",), labels=(("x", "y"),)), DnsDiscovery(names=("n",)))


def test_a_job_with_only_a_foreign_discovery_is_inactive_and_named_with_its_line() -> None:
    loaded = read(job("consul_sd_configs: [{server: 'localhost:8500'}]"))

    assert not loaded.config.jobs[0].active
    assert loaded.config.jobs[0].unsupported == ("consul",)
    (warning,) = loaded.warnings
    assert warning.at.line == 3
    assert "consul" in warning.text


def test_alertmanagers_that_cannot_be_told_are_warned_of() -> None:
    loaded = read(
        "alerting:\n  alertmanagers:\n"
        "  - sigv4: {region: eu}\n    static_configs: [{targets: ['a:9093']}]\n"
        "  - consul_sd_configs: [{server: a}]\n"
    )

    assert [(warning.at.line, "Alertmanagers" in warning.text) for warning in loaded.warnings] == [(3, True), (5, True)]


def test_a_job_with_targets_besides_a_foreign_discovery_stays_active() -> None:
    loaded = read(job("consul_sd_configs: [{server: a}]\nstatic_configs: [{targets: ['a:1']}]"))

    assert loaded.config.jobs[0].active
    assert loaded.config.jobs[0].unsupported == ("consul",)


def test_sections_without_effect_are_warned_of_and_kept() -> None:
    loaded = read(
        "rule_files: [a.yml]\n"
        "alerting: {alertmanagers: [{static_configs: [{targets: ['a:9093']}]}]}\n"
        "remote_read: [{url: 'http://x'}]\n"
    )

    assert [warning.at.line for warning in loaded.warnings] == [3]
    assert loaded.config.rule_files == ("a.yml",)
    assert len(loaded.config.alerting.alertmanagers) == 1


def test_prometheus_storage_settings_count_where_vedettes_are_not_set() -> None:
    text = (
        "storage:\n  tsdb: {out_of_order_time_window: 30m, retention: {time: 5d}}\n  exemplars: {max_exemplars: -1}\n"
    )

    config = read(text).config

    assert config.storage.out_of_order_window == Duration(1_800_000)
    assert config.storage.retention.metrics == Duration(5 * 86_400_000)
    assert config.limits.exemplars == 0


def test_vedettes_storage_settings_win_over_prometheus() -> None:
    config = read("storage: {retention: {metrics: 7d}, tsdb: {retention: {time: 5d}}}\n").config

    assert str(config.storage.retention.metrics) == "1w"


def test_a_null_option_is_as_if_it_were_not_there_but_a_null_regex_is_empty() -> None:
    config = read("http:\nrule_files:\n" + job("relabel_configs: [{regex: , target_label: a}]\nparams:")).config

    assert config.jobs[0].relabel_configs[0].regex == ""
    assert config.jobs[0].params == ()


def test_numbers_in_text_options_stay_text() -> None:
    (one,) = read(job("basic_auth: {username: 007, password: 0x10}")).config.jobs

    assert one.basic_auth is not None
    assert one.basic_auth.username == "007"
    assert one.basic_auth.password == Secret("0x10")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "prometheus.yml").write_text(
        "global: {scrape_interval: 7s, external_labels: {a: '$A'}}\n"
        "scrape_config_files: [jobs/*.yml]\n"
        "rule_files: [rules/*.yml]\n"
        "storage: {tsdb: {retention: {time: 3d}}}\n"
        "scrape_configs:\n- {job_name: p, basic_auth: {password_file: secret}, params: {x: ['${y}']}}\n"
    )
    (tmp_path / "conf" / "jobs").mkdir()
    (tmp_path / "conf" / "jobs" / "a.yml").write_text(
        "scrape_configs:\n- {job_name: s, tls_config: {ca_file: ca.pem}, file_sd_configs: [{files: ['t/*.json']}]}\n"
    )
    (tmp_path / "vedette.yml").write_text("include: [conf/prometheus.yml]\nscrape_configs: [{job_name: v}]\n")
    return tmp_path


def test_a_prometheus_yml_is_included_as_it_is(directory: Path) -> None:
    loaded = load(directory / "vedette.yml", env={"A": "1"})

    assert [one.job_name for one in loaded.config.jobs] == ["v", "p", "s"]
    assert [str(one.scrape_interval) for one in loaded.config.jobs] == ["1m", "7s", "7s"]
    assert loaded.config.global_.external_labels == (("a", "1"),)
    assert str(loaded.config.storage.retention.metrics) == "3d"
    assert loaded.config.jobs[1].params == (("x", ("${y}",)),)
    assert [Path(file).name for file in loaded.files] == ["vedette.yml", "prometheus.yml", "a.yml"]


def test_relative_paths_start_at_the_file_in_which_they_stand(directory: Path) -> None:
    config = load(directory / "vedette.yml", env={"A": "1"}).config

    assert config.jobs[1].basic_auth is not None
    assert config.jobs[1].basic_auth.password_file == f"{directory}/conf/secret"
    assert config.jobs[2].tls_config.ca_file == f"{directory}/conf/jobs/ca.pem"
    assert config.rule_files == (f"{directory}/conf/rules/*.yml",)


def test_errors_of_all_files_are_reported_together(directory: Path) -> None:
    (directory / "vedette.yml").write_text("include: [conf/prometheus.yml, none.yml]\nhttp: {listen: x}\n")
    (directory / "conf" / "jobs" / "a.yml").write_text("scrape_configs:\n- {job_name: p}\n")
    (directory / "conf" / "jobs" / "b.yml").write_text("a: [\n")

    with pytest.raises(ConfigErrors) as caught:
        load(directory / "vedette.yml", env={"A": "1"})

    assert [(Path(e.at.file).name, e.at.line) for e in caught.value.errors] == [
        ("vedette.yml", 1),
        ("vedette.yml", 2),
        ("a.yml", 2),
        ("b.yml", 2),
    ]


def test_an_included_file_may_not_hold_vedettes_own_sections(directory: Path) -> None:
    (directory / "conf" / "prometheus.yml").write_text("http: {listen: ':1'}\n")

    with pytest.raises(ConfigErrors, match="unknown option `http`"):
        load(directory / "vedette.yml", env={})


def test_what_an_included_file_says_of_the_whole_server_is_warned_of_where_it_does_not_count(directory: Path) -> None:
    (directory / "vedette.yml").write_text("include: [conf/prometheus.yml]\nglobal: {external_labels: {b: c}}\n")

    loaded = load(directory / "vedette.yml", env={"A": "1"})

    assert loaded.config.global_.external_labels == (("b", "c"),)
    assert any("external_labels" in warning.text for warning in loaded.warnings)


def test_a_file_that_cannot_be_read_is_a_clean_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors, match="cannot be read"):
        load(tmp_path / "none.yml")
    with pytest.raises(ConfigErrors, match="cannot be read"):
        load(tmp_path)
