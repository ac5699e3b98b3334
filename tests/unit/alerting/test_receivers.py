from __future__ import annotations

from typing import Any

import pytest

from vedette.alerting import parse_alerting
from vedette.alerting.receivers.registry import KINDS, entry_key
from vedette.alerting.settings.fields import parse_go_duration
from vedette.model.errors import ConfigErrors


def _config(kind: str, options: str, shared: str = "") -> Any:
    head = f"global: {{{shared}}}\nroute: {{receiver: team}}\nreceivers:\n- name: team\n"
    return parse_alerting(f"{head}  {kind}_configs:\n  - {{{options}}}\n", file="a.yml")


def _settings(kind: str, options: str, shared: str = "") -> Any:
    (entry,) = _config(kind, options, shared).receivers[0].entries()
    return entry.settings


@pytest.mark.parametrize(
    ("kind", "options", "problem"),
    [
        ("webhook", "max_alerts: 1", "one of url or url_file must be configured"),
        ("webhook", "url: http://h, url_file: f", "at most one of url & url_file"),
        ("webhook", "url: http://h, timeout: 5 s", "invalid duration"),
        ("webhook", "url: 'h:80'", "not a URL"),
        ("email", "from: a", "missing to address in email config"),
        ("email", "to: a, smarthost: 'h:1'", "no global SMTP from set"),
        ("email", "to: a, from: b", "no global SMTP smarthost set"),
        ("email", "to: a, from: b, smarthost: h", "missing port in address"),
        ("email", "to: a, from: b, smarthost: '::1:25'", "too many colons"),
        ("email", "to: a, from: b, smarthost: 'h:'", "port cannot be empty"),
        ("email", "to: a, from: b, smarthost: 'h:1', headers: {Subject: x, SUBJECT: y}", 'duplicate header "Subject"'),
        (
            "email",
            (
                "to: a, from: b, smarthost: 'h:1', headers: {references: x}, "
                "threading: {enabled: true, thread_by_date: none}"
            ),
            "conflicts with custom References header",
        ),
        ("email", "to: a, from: b, smarthost: 'h:1', threading: {enabled: true}", "must be either 'none' or 'daily'"),
        ("pagerduty", "client: x", "missing service or routing key in PagerDuty config"),
        ("pagerduty", "routing_key: a, routing_key_file: b", "at most one of routing_key & routing_key_file"),
        ("pagerduty", "routing_key: a, details: [x]", "expected a mapping"),
        ("opsgenie", "api_key: a, api_key_file: b", "at most one of api_key & api_key_file"),
        ("opsgenie", "api_key: a, responders: [{type: team}]", "at least one of id, username or name"),
        ("opsgenie", "api_key: a, responders: [{name: n, type: x}]", "does not match valid options"),
        ("slack", "channel: a", "no Slack API URL nor App token set"),
        ("slack", "api_url: http://h, app_token: t", "at most one of api_url/api_url_file & app_token/app_token_file"),
        ("slack", "api_url: http://h, update_message: true", "update_message can only be used with bot tokens"),
        ("slack", "app_token: t, http_config: {authorization: {credentials: x}}", "http authorization can't be set"),
        ("slack", "api_url: http://h, fields: [{title: t}]", "missing value in Slack field configuration"),
        ("slack", "api_url: http://h, actions: [{type: t, text: x}]", "missing name or url in Slack action"),
        (
            "slack",
            "api_url: http://h, actions: [{type: t, text: x, name: n, confirm: {title: t}}]",
            "missing text in Slack",
        ),
        ("msteams", "title: x", "one of webhook_url or webhook_url_file must be configured"),
        ("msteamsv2", "webhook_url: http://h, webhook_url_file: f", "at most one of webhook_url & webhook_url_file"),
        ("discord", "title: x", "one of webhook_url or webhook_url_file must be configured"),
        ("mattermost", "channel: x", "missing webhook_url or webhook_url_file on mattermost_config"),
        ("mattermost", "webhook_url: http://h, fields: [{value: x}]", "missing title in Mattermost field"),
        ("jira", "api_url: http://h, issue_type: Bug", "missing project in jira_config"),
        ("jira", "api_url: http://h, project: P", "missing issue_type in jira_config"),
        ("jira", "project: P, issue_type: Bug", "no global Jira Cloud URL set"),
        ("jira", "api_url: http://h, project: P, issue_type: Bug, api_type: x", "not one of the choices"),
        ("telegram", "bot_token: t", "missing chat_id or chat_id_file on telegram_config"),
        ("telegram", "bot_token: t, chat_id: 1, chat_id_file: f", "at most one of chat_id & chat_id_file"),
        ("telegram", "chat_id: 1", "missing bot_token or bot_token_file on telegram_config"),
        ("telegram", "bot_token: t, chat_id: 1, parse_mode: xml", "not one of the choices"),
        ("pushover", "token: t", "one of user_key or user_key_file must be configured"),
        ("pushover", "user_key: t", "one of token or token_file must be configured"),
        ("pushover", "user_key: t, token: t, html: true, monospace: true", "at most one of monospace & html"),
        ("sns", "message: x", "must provide either a Target ARN, Topic ARN, or Phone Number"),
        ("sns", "topic_arn: x, target_arn: y", "must provide either a Target ARN, Topic ARN, or Phone Number"),
        ("sns", "topic_arn: x, sigv4: {access_key: k}", "must provide a AWS SigV4 Access key and Secret Key"),
        ("victorops", "api_key: k", "missing Routing key in VictorOps config"),
        ("victorops", "api_key: k, routing_key: r, custom_fields: {entity_id: x}", "custom field entity_id"),
        ("wechat", "api_secret: s", "no global Wechat CorpID set"),
        ("wechat", "api_secret: s, corp_id: c, message_type: html", "not one of the choices"),
        ("webex", "http_config: {authorization: {credentials: x}}", "missing room_id on webex_config"),
        ("webex", "room_id: r", "missing webex_configs.http_config.authorization"),
        ("rocketchat", "token_id: t", "no global Rocketchat Token set"),
        ("incidentio", "alert_source_token: t", "one of url or url_file must be configured"),
        ("incidentio", "url: http://h, http_config: {}", "at least one of alert_source_token"),
        ("statuspage", "api_key: k, incident: true", "missing page_id in statuspage config"),
        ("statuspage", "api_key: k, page_id: p", "one of component_ids or incident"),
        ("apprise", "title: x", "one of url or url_file must be configured"),
        ("apprise", "url: 'no url'", "not a URL of Apprise"),
    ],
)
def test_settings_that_cannot_work_are_refused(kind: str, options: str, problem: str) -> None:
    with pytest.raises(ConfigErrors) as refused:
        _config(kind, options)

    (error,) = refused.value.errors
    assert problem in error.problem
    assert error.at.line == 6


@pytest.mark.parametrize(
    ("kind", "options", "shared", "expected"),
    [
        pytest.param(
            "email",
            "to: a, auth_password_file: own",
            "smtp_smarthost: 'h:25', smtp_from: f, smtp_auth_username: u, smtp_require_tls: false",
            {"smarthost": "h:25", "from_": "f", "auth_username": "u", "require_tls": False, "hello": "localhost"},
            id="a mail server",
        ),
        pytest.param("opsgenie", "{}"[1:-1], "opsgenie_api_key_file: f, opsgenie_api_url: 'http://h/x'",
                     {"api_key_file": "f", "api_url": "http://h/x/"}, id="a key's file, and a path with a slash"),
        pytest.param("pagerduty", "routing_key: k", "", {
            "url": "https://events.pagerduty.com/v2/enqueue", "source": '{{ template "pagerduty.default.client" . }}',
        }, id="the usual address"),
        pytest.param("slack", "channel: c", "slack_app_token: t", {"app_token_file": "", "channel": "c"}, id="a bot"),
        pytest.param("telegram", "chat_id: -100", "telegram_bot_token_file: f",
                     {"bot_token_file": "f", "chat_id": -100}, id="a bot's file"),
        pytest.param("wechat", "agent_id: a", "wechat_api_secret: s, wechat_api_corp_id: c",
                     {"corp_id": "c", "message_type": "text", "send_resolved": False}, id="a company"),
    ],
)  # fmt: skip
def test_what_is_not_said_is_taken_from_global(kind: str, options: str, shared: str, expected: dict[str, Any]) -> None:
    found = _settings(kind, options, shared)

    assert {name: getattr(found, name) for name in expected} == expected


def test_an_own_password_file_keeps_the_global_password_away() -> None:
    found = _settings(
        "email", "to: a, auth_password_file: /own", "smtp_smarthost: 'h:25', smtp_from: f, smtp_auth_password: p"
    )

    assert (found.auth_password.value, found.auth_password_file) == ("", "/own")


def test_a_slack_bot_logs_in_with_its_token() -> None:
    found = _settings("slack", "channel: c", "slack_app_token: xoxb-1")

    assert found.api_url.value == "https://slack.com/api/chat.postMessage"
    assert found.http_config.authorization.credentials.value == "xoxb-1"


def test_a_slack_receiver_with_a_webhook_does_not_take_the_global_bot() -> None:
    found = _settings("slack", "api_url: https://hooks/x", "slack_app_token: xoxb-1")

    assert found.api_url.value == "https://hooks/x"
    assert not found.app_token


def test_pagerduty_details_are_added_to_the_usual_ones() -> None:
    found = dict(_settings("pagerduty", "routing_key: k, details: {firing: mine, other: 1}").details)

    assert found["firing"] == "mine"
    assert found["other"] == 1
    assert set(found) == {"firing", "resolved", "num_firing", "num_resolved", "other"}


def test_the_http_client_is_the_global_one_unless_the_receiver_has_its_own() -> None:
    shared = "http_config: {proxy_url: 'http://proxy:3128'}"

    assert _settings("webhook", "url: http://h", shared).http_config.proxy_url == "http://proxy:3128"
    assert _settings("webhook", "url: http://h, http_config: {}", shared).http_config.proxy_url == ""


def test_every_kind_has_a_name_of_its_own_and_a_section() -> None:
    names = [kind.kind for kind in KINDS]

    assert len(set(names)) == len(names) == 20
    assert all(entry_key(name) == f"{name}_configs" for name in names)
    assert {kind.kind for kind in KINDS if not kind.delivered} == {"wechat"}


@pytest.mark.parametrize(
    ("text", "ms"), [("1h15m30.5s", 4_530_500), ("0", 0), ("-1m", -60_000), ("300ms", 300), (".5s", 500), ("1µs", 0)]
)
def test_durations_in_gos_form(text: str, ms: int) -> None:
    assert parse_go_duration(text) == ms


@pytest.mark.parametrize("text", ["", "5", "1d", "1 s", "s", "1h-1m", "9" * 40 + "h", "+"])
def test_what_is_no_duration_in_gos_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="time: "):
        parse_go_duration(text)
