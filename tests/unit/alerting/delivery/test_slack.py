from __future__ import annotations

import pytest

from harness.delivering import config_of, delivering, notify, told
from harness.receivers import Reply, Sent, json_reply, serve_receiver
from vedette.alerting import Notify, Reason
from vedette.alerting.settings.file import AlertingConfig

OK = Reply(200, b"ok")


def bot(url: str, options: str) -> AlertingConfig:
    app = f"app_token: xoxb-secret, app_url: '{url}/api/chat.postMessage', channel: '#ops', send_resolved: true"
    return config_of("slack", f"{app}, {options}")


def slack(number: int, *alerts: object, reason: Reason | None = None) -> Notify:
    return notify(*alerts, kind="slack", id=number, reason=reason)  # type: ignore[arg-type]


def posted(_sent: Sent) -> Reply:
    return json_reply({"ok": True, "ts": "171.42", "channel": "C012"})


async def test_a_message_has_an_attachment_with_everything_that_is_configured() -> None:
    options = (
        "channel: '#{{ .CommonLabels.team }}', color: '{{ if eq .Status \"firing\" }}#ff0000{{ end }}', "
        "message_text: hello, short_fields: true, link_names: true, icon_emoji: ':fire:', footer: f, "
        "fields: [{title: Host, value: '{{ .CommonLabels.host }}'}, {title: T, value: v, short: false}], "
        "actions: [{type: button, text: Runbook, url: 'http://example.org', confirm: {text: sure?}}]"
    )
    async with serve_receiver() as server, delivering(config_of("slack", f"api_url: '{server.url}', {options}")) as it:
        server.answer(OK)
        assert await it.deliver(slack(1, told(team="web", host="h1"))) == [""]

    assert server.sent[0].json == {
        "channel": "#web",
        "username": "Alertmanager",
        "icon_emoji": ":fire:",
        "link_names": True,
        "text": "hello",
        "attachments": [
            {
                "title": "[FIRING:1] Down (h1 web)",
                "title_link": "http://vedette.example.org/#/alerts?receiver=team",
                "text": "",
                "fallback": "[FIRING:1] Down (h1 web) | http://vedette.example.org/#/alerts?receiver=team",
                "callback_id": "",
                "fields": [
                    {"title": "Host", "value": "h1", "short": True},
                    {"title": "T", "value": "v", "short": False},
                ],
                "actions": [
                    {
                        "type": "button",
                        "text": "Runbook",
                        "url": "http://example.org",
                        "confirm": {"text": "sure?"},
                    }
                ],
                "footer": "f",
                "color": "#ff0000",
                "mrkdwn_in": ["fallback", "pretext", "text"],
            }
        ],
    }


async def test_a_long_title_is_cut() -> None:
    async with serve_receiver() as server, delivering(config_of("slack", f"api_url: '{server.url}'")) as it:
        server.answer(OK)
        await it.deliver(slack(1, told(long="x" * 3000)))

    title = server.sent[0].json["attachments"][0]["title"]
    assert len(title) == 1024
    assert title.endswith("…")


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        pytest.param(Reply(200, b"no_text"), 'channel "#c": Slack has not taken it: no_text', id="a webhook"),
        pytest.param(
            json_reply({"ok": False, "error": "channel_not_found"}),
            'channel "#c": Slack has not taken it: channel_not_found',
            id="a bot",
        ),
        pytest.param(Reply(404, b"no_team"), 'channel "#c": unexpected status code 404: no_team', id="a status"),
    ],
)
async def test_slack_refuses_with_a_good_status_too(reply: Reply, error: str) -> None:
    config = "api_url: '{}', channel: '#c'"
    async with serve_receiver() as server, delivering(config_of("slack", config.format(server.url))) as it:
        server.answer(reply)

        assert await it.deliver(slack(1)) == [error]

    assert len(server.sent) == 1


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(json_reply({"ok": False, "error": "ratelimited"}), id="in words"),
        pytest.param(Reply(429, headers={"Retry-After": "1"}), id="by its status"),
        pytest.param(Reply(200, b'{"ok":', "application/json"), id="an answer that is cut"),
        pytest.param(Reply(200, b'{"ok": true}', "application/json", cut_after=3), id="a connection that breaks"),
    ],
)
async def test_what_may_pass_is_tried_again(reply: Reply) -> None:
    async with serve_receiver() as server, delivering(config_of("slack", f"api_url: '{server.url}'")) as it:
        server.script(reply)
        server.answer(OK)

        assert await it.deliver(slack(1)) == [""]

    assert len(server.sent) == 2


async def test_a_bot_shows_its_token_to_slack_alone() -> None:
    async with serve_receiver() as server, delivering(bot(server.url, "")) as it:
        server.answer(posted)
        await it.deliver(slack(1))

    assert server.sent[0].headers["authorization"] == "Bearer xoxb-secret"
    assert "xoxb-secret" not in str(it.tried())


async def test_a_bot_answers_in_the_thread_of_the_first_message() -> None:
    async with serve_receiver() as server, delivering(bot(server.url, "post_updates_to_thread: true")) as it:
        server.answer(posted)
        await it.deliver(slack(1))
        await it.deliver(slack(2, told(firing=False)))

    first, second = (sent.json for sent in server.sent)
    assert (first["channel"], first.get("thread_ts")) == ("#ops", None)
    assert (second["channel"], second["thread_ts"]) == ("C012", "171.42")


async def test_a_bot_changes_its_first_message() -> None:
    async with serve_receiver() as server, delivering(bot(server.url, "update_message: true")) as it:
        server.answer(posted)
        await it.deliver(slack(1))
        await it.deliver(slack(2, told(firing=False)))

    assert [sent.path for sent in server.sent] == ["/api/chat.postMessage", "/api/chat.update"]
    assert (server.sent[1].json["ts"], server.sent[1].json["channel"]) == ("171.42", "C012")


async def test_a_bot_that_does_both_keeps_the_first_message_in_the_thread() -> None:
    options = "update_message: true, post_updates_to_thread: true"
    async with serve_receiver() as server, delivering(bot(server.url, options)) as it:
        server.answer(posted)
        await it.deliver(slack(1))
        await it.deliver(slack(2, told(firing=False)))

    assert [(sent.path.rpartition(".")[2], sent.json.get("thread_ts")) for sent in server.sent] == [
        ("postMessage", None),
        ("postMessage", "171.42"),
        ("update", None),
        ("postMessage", "171.42"),
    ]


async def test_trouble_that_comes_back_begins_a_new_thread() -> None:
    async with serve_receiver() as server, delivering(bot(server.url, "post_updates_to_thread: true")) as it:
        server.answer(posted)
        await it.deliver(slack(1))
        await it.deliver(slack(2, reason=Reason.FIRST))

    assert "thread_ts" not in server.sent[1].json
