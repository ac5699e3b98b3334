from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.alerting import alertmanager_yaml, build_plan, load_alerting, parse_alerting
from vedette.alerting.settings.fields import thaw
from vedette.config.render import render
from vedette.model.errors import ConfigErrors

HEAD = "route: {receiver: team}\n"


def _errors(text: str) -> list[str]:
    with pytest.raises(ConfigErrors) as refused:
        parse_alerting(text, file="a.yml")
    return [str(one) for one in refused.value.errors]


def test_all_errors_of_a_file_are_reported_at_once_in_its_order() -> None:
    errors = _errors("""
global:
  resolve_timeout: 5 minutes
  smtp_smarthots: localhost:25
route:
  receiver: teem
  group_by: [a, a]
  routes:
  - matchers: ['=x']
    repeat_interval: 0s
    mute_time_intervals: [nights]
time_intervals:
- name: night
  time_intervals: [{weekdays: [frday]}]
receivers:
- name: team
  slack_configs: [{channel: '#a'}]
- name: team
""")

    assert [one.splitlines()[0] for one in errors] == [
        'a.yml:3:20: resolve_timeout: not a valid duration string: "5 minutes"',
        "a.yml:4:3: unknown option `smtp_smarthots`",
        'a.yml:6:13: undefined receiver "teem" used in route',
        'a.yml:7:17: duplicated label "a" in group_by',
        "a.yml:9:16: matchers: bad matcher format: =x",
        "a.yml:10:22: repeat_interval cannot be zero",
        'a.yml:11:27: undefined time interval "nights" used in route',
        "a.yml:14:32: weekdays: frday is not a valid weekday",
        "a.yml:17:19: no Slack API URL nor App token set either inline or in a file",
        'a.yml:18:9: notification config name "team" is not unique',
    ]


def test_an_error_shows_its_line_and_a_remedy() -> None:
    (error,) = _errors("route:\n  receiver: pager-dba\nreceivers: [{name: pagerduty-dba}, {name: slack-ops}]\n")

    assert error == (
        'a.yml:2:13: undefined receiver "pager-dba" used in route\n'
        "  2 |   receiver: pager-dba\n"
        "Define it under `receivers:`, or use one that exists: pagerduty-dba (similar), slack-ops."
    )


def test_a_mistake_in_global_is_not_reported_again_where_it_is_missed() -> None:
    errors = _errors(
        HEAD
        + """
global: {slack_api_url: 'hooks.slack.com/services/T0/B0/verysecret'}
receivers: [{name: team, slack_configs: [{channel: '#a'}]}]
"""
    )

    assert len(errors) == 1
    assert "slack_api_url: not a URL" in errors[0]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("global: {slack_api_url: 'ftp://h/verysecret'}\nreceivers: [{name: team}]", id="a wrong scheme"),
        pytest.param(
            "receivers:\n- name: team\n  webhook_configs:\n  - url: 'https://h/%zzverysecret'", id="a broken URL"
        ),
        pytest.param(
            "receivers:\n- name: team\n  discord_configs:\n  - webhook_url: 'https://h/verysecret'\n"
            "    webhook_url_file: f",
            id="two sources",
        ),
        pytest.param(
            "receivers:\n- name: team\n  slack_configs:\n  - {api_url: 'https://h/verysecret', chanel: x}", id="a typo"
        ),
        pytest.param(
            "receivers:\n- name: team\n  pagerduty_configs:\n  - {routing_key: verysecret, routing_key_file: x}",
            id="keys",
        ),
    ],
)
def test_errors_never_show_a_secret(text: str) -> None:
    assert not any("verysecret" in error for error in _errors(HEAD + text))


def test_a_rendered_configuration_shows_no_secret_and_is_taken_again() -> None:
    config = parse_alerting(
        HEAD
        + """
global:
  smtp_smarthost: localhost:25
  smtp_from: a@b
  smtp_auth_password: verysecret
  slack_api_url: https://h/verysecret
receivers:
- name: team
  email_configs: [{to: x@y, headers: {Subject: hi}, digest: {schedule: daily, location: Europe/Berlin}}]
  slack_configs: [{channel: '#a', actions: [{type: button, text: t, url: u}]}]
  webhook_configs: [{url: 'https://h/verysecret'}, {url: 'https://{{ .verysecret }}/'}]
  pagerduty_configs: [{routing_key: verysecret, details: {n: 1}}]
  telegram_configs: [{bot_token: verysecret, chat_id: -5}]
""",
        file="a.yml",
    )

    shown = render(config.file)

    assert "verysecret" not in shown
    assert render(parse_alerting(shown, file="b.yml").file) == shown


def test_null_means_what_it_means_in_alertmanager() -> None:
    config = parse_alerting(
        """
global:
route:
  receiver: team
  group_by:
  routes:
  - match: {team: }
receivers: [{name: team, email_configs: }]
""",
        file="a.yml",
    )

    root = build_plan(config).root
    assert [route.id for route in root.match({"team": "x"})] == ["{}"]
    assert [route.id for route in root.match({})] == ['{}/{team=""}/0']


def test_structures_that_go_out_as_json_keep_their_types() -> None:
    config = parse_alerting(
        HEAD
        + """
receivers:
- name: team
  webhook_configs:
  - url: https://h/
    payload: {text: '{{ .Status }}', n: 3, f: 1.5, yes: true, none: null, quoted: '3', list: [1, {a: b}], empty: []}
  jira_configs:
  - {api_url: https://h/, project: P, issue_type: Bug, fields: {customfield_1: {value: 10}}, labels: [a, b]}
""",
        file="a.yml",
    )

    entries = {entry.kind: entry.settings for entry in config.receivers[0].entries()}

    assert thaw(getattr(entries["webhook"], "payload")) == {  # noqa: B009
        "text": "{{ .Status }}", "n": 3, "f": 1.5, "yes": True, "none": None, "quoted": "3",
        "list": [1, {"a": "b"}], "empty": [],
    }  # fmt: skip
    assert thaw(getattr(entries["jira"], "fields")) == {"customfield_1": {"value": 10}}  # noqa: B009


def test_paths_count_from_the_directory_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "alertmanager.yml"
    file.write_text(
        "templates: ['t/*.tmpl', /abs.tmpl]\n"
        + HEAD
        + "receivers: [{name: team, slack_configs: [{api_url_file: s}]}]\n"
    )

    config = load_alerting(file)

    assert config.file.templates == (f"{tmp_path}/t/*.tmpl", "/abs.tmpl")
    (entry,) = config.receivers[0].entries()
    assert getattr(entry.settings, "api_url_file") == f"{tmp_path}/s"  # noqa: B009


def test_a_file_that_is_not_there_is_an_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors, match=r"alertmanager\.yml: the file cannot be read: No such file"):
        load_alerting(tmp_path / "alertmanager.yml")


def test_http_options_that_cannot_be_used_are_an_error_of_the_file() -> None:
    text = """
route: {receiver: team}
receivers:
- name: team
  webhook_configs:
  - url: http://example.org
    http_config:
      proxy_url: gopher://proxy
"""

    with pytest.raises(ConfigErrors, match=r"a\.yml:7:5: .*proxy"):
        parse_alerting(text, file="a.yml")


def test_what_vedette_does_not_send_is_named_with_its_line() -> None:
    config = parse_alerting(
        HEAD
        + """
receivers:
- name: team
  wechat_configs:
  - {api_secret: s, corp_id: c}
""",
        file="a.yml",
    )

    (warning,) = config.warnings
    assert str(warning).startswith('a.yml:6:5: receiver "team": `wechat_configs` is accepted, but Vedette does not')


def test_matchers_of_the_classic_syntax_are_noted() -> None:
    config = parse_alerting(
        "route: {receiver: team, routes: [{matchers: ['a=~x|y!z']}]}\nreceivers: [{name: team}]", file="a.yml"
    )

    assert 'write it as a=~"x|y!z"' in config.warnings[0].text


@pytest.mark.parametrize(
    ("written", "next_day"),
    [
        pytest.param("hourly", "13:00", id="hourly"),
        pytest.param("daily", "08:00", id="daily"),
        pytest.param("'30 17 * * mon-fri'", "17:30", id="by cron"),
        pytest.param("{schedule: daily, location: Asia/Tokyo}", "23:00", id="in a zone"),
    ],
)
def test_a_digest_has_a_schedule(written: str, next_day: str) -> None:
    entry = f"{{url: http://h, digest: {written}}}"
    config = parse_alerting(f"{HEAD}receivers: [{{name: team, webhook_configs: [{entry}]}}]", file="a.yml")
    cron = build_plan(config).receivers["team"].integrations[0].digest

    assert cron is not None
    noon = int(datetime(2027, 1, 15, 12, tzinfo=UTC).timestamp() * 1000)
    assert datetime.fromtimestamp(cron.next_after(noon) / 1000, UTC).strftime("%H:%M") == next_day


def test_a_digest_without_a_schedule_is_an_error() -> None:
    (error,) = _errors(HEAD + "receivers: [{name: team, webhook_configs: [{url: 'http://h', digest: weekly}]}]")

    assert '"weekly" is not a cron expression' in error


def test_names_of_receivers_are_among_their_labels() -> None:
    config = parse_alerting(HEAD + "receivers: [{name: team, labels: {owner: me}}]", file="a.yml")

    assert dict(config.receivers[0].labels) == {"name": "team", "owner": "me"}


def test_what_amtool_gets_has_nothing_of_vedettes_own_and_no_secret() -> None:
    config = parse_alerting(
        """
global: {flapping: {changes: 3}, slack_api_url: https://h/verysecret, statuspage_api_key: verysecret}
route: {receiver: team, hold_flapping: true, routes: [{matchers: [a=b], hold_flapping: false}]}
receivers:
- name: team
  rate_guard: {messages: 5}
  webhook_configs: [{url: https://h/verysecret, digest: daily}]
  slack_configs: [{channel: '#a'}]
  statuspage_configs: [{page_id: p, incident: true}]
""",
        file="a.yml",
    )

    shown = alertmanager_yaml(config.file)

    assert shown == (
        "global:\n  slack_api_url: <secret>\n"
        "route:\n  receiver: team\n  routes:\n  - matchers:\n    - a=b\n"
        "receivers:\n- webhook_configs:\n  - url: https://secret.invalid/\n  slack_configs:\n  - channel: '#a'\n"
        "  name: team\n"
    )


def test_a_file_that_is_wrong_thousands_of_times_is_refused_with_the_first_thousand() -> None:
    routes = "".join(f"  - receiver: r{number}\n" for number in range(1500))

    errors = _errors(f"route:\n  receiver: team\n  routes:\n{routes}receivers: [{{name: team}}]")

    assert len(errors) == 1000


_scalars = st.sampled_from(["x", "0s", "...", "", "null", "[", "{{", "1", "a=b", "http://h", "team"])
_keys = st.sampled_from([
    "global", "route", "receiver", "routes", "receivers", "name", "match_re", "matchers", "group_by", "webhook_configs",
    "url", "slack_configs", "time_intervals", "times", "inhibit_rules", "sources", "equal", "payload", "digest",
    "labels",
])  # fmt: skip
_trees = st.recursive(
    _scalars | st.none(),
    lambda child: st.lists(child, max_size=3) | st.dictionaries(_keys, child, max_size=4),
    max_leaves=20,
)


def _yaml(value: object) -> str:
    match value:
        case None:
            return "null"
        case dict():
            return "{" + ", ".join(f"{key}: {_yaml(child)}" for key, child in value.items()) + "}"
        case list():
            return "[" + ", ".join(_yaml(child) for child in value) + "]"
        case _:
            return f"'{value}'"


@given(st.dictionaries(_keys, _trees, max_size=5))
def test_any_yaml_is_taken_or_refused_with_places(tree: dict[str, object]) -> None:
    try:
        build_plan(parse_alerting(_yaml(tree), file="a.yml"))
    except ConfigErrors as exc:
        places = [one.at.line for one in exc.errors]
    else:
        places = [1]

    assert places
    assert all(places)


@given(st.text(max_size=80))
def test_any_text_is_taken_or_refused(text: str) -> None:
    with pytest.raises(ConfigErrors):
        parse_alerting(text, file="a.yml")
