from __future__ import annotations

import pytest

from vedette.config import default_config, load_text, render
from vedette.config.secrets import Secret, is_secret_name, mask_line, mask_url

EVERY_SECRET = """
storage: {engine: clickhouse, clickhouse: {url: 'http://u:S3C@h:1', password: S3C}}
scrape_configs:
- job_name: a
  basic_auth: {username: u, password: S3C}
  proxy_url: http://u:S3C@p:1
  proxy_connect_header: {X: [S3C]}
  tls_config: {cert: c, key: S3C}
  http_headers: {X-Key: {values: [v], secrets: [S3C]}}
  params: {token: [S3C], module: [http]}
  consul_sd_configs: [{server: s, token: S3C, basic_auth: {password: S3C}}]
- job_name: b
  oauth2: {client_id: i, client_secret: S3C, token_url: 'http://t', endpoint_params: {password: S3C}}
- job_name: c
  authorization: {credentials: S3C}
- job_name: d
  bearer_token: S3C
remote_write: [{url: 'http://u:S3C@h', headers: {X-Api-Key: S3C}}]
tracing: {endpoint: 'a:1', headers: {x: S3C}}
"""


def test_no_secret_is_shown() -> None:
    loaded = load_text(EVERY_SECRET, file="v.yml", env={})

    assert "S3C" not in render(loaded.config)
    assert "S3C" not in render(loaded.config, defaults=True)
    assert "S3C" not in repr(loaded.config.jobs[0].basic_auth)
    assert all("S3C" not in str(warning) for warning in loaded.warnings)


def test_what_is_no_secret_is_shown() -> None:
    shown = render(load_text(EVERY_SECRET, file="v.yml", env={}).config)

    for text in ("username: u", "module:", "<secret>", "http://u:xxxxx@p:1", "token_url: http://t"):
        assert text in shown


def test_a_configuration_that_is_shown_can_be_read_again() -> None:
    text = EVERY_SECRET.replace("  consul_sd_configs: [{server: s, token: S3C, basic_auth: {password: S3C}}]\n", "")
    config = load_text(text, file="v.yml", env={}).config

    again = load_text(render(config, redact=False), file="v.yml", env={}).config

    assert again == config


def test_the_default_configuration_with_all_its_options_can_be_read_again() -> None:
    shown = render(default_config(), defaults=True)

    assert "listen: 127.0.0.1:7300" in shown
    assert load_text(shown, file="v.yml", env={}).config == default_config()


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("password", True),
        ("bearer_token", True),
        ("client_secret", True),
        ("key", True),
        ("X-Api-Key", True),
        ("Authorization", True),
        ("password_file", False),
        ("token_url", False),
        ("source_labels", False),
        ("job_name", False),
        ("client_id", False),
    ],
)
def test_names_tell_secrets(name: str, secret: bool) -> None:  # noqa: FBT001 - a table's column
    assert is_secret_name(name) is secret


def test_a_quoted_line_hides_what_follows_the_name_of_a_secret() -> None:
    assert mask_line("  - {user: a, password: hunter2}") == "  - {user: a, password: <secret>"
    assert mask_line("url: https://a:hunter2@b/c") == "url: https://a:xxxxx@b/c"
    assert mask_line("authorization:") == "authorization:"


def test_a_secret_does_not_show_itself() -> None:
    assert str(Secret("x")) == repr(Secret("x")) == "<secret>"
    assert f"{Secret('x')}" == "<secret>"


def test_a_url_without_password_is_left_alone() -> None:
    assert mask_url("http://user@host:1/a:b@c") == "http://user@host:1/a:b@c"
