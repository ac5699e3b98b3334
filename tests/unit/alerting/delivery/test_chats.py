"""Microsoft Teams, Telegram, Discord, Mattermost, Pushover: one request, nothing to remember."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.delivering import config_of, delivering, message, notify, told
from harness.receivers import Reply, json_reply, serve_receiver
from vedette.alerting.delivery.mattermost import post
from vedette.alerting.delivery.pushover import PushoverSender
from vedette.alerting.delivery.telegram import telegram_text
from vedette.alerting.receivers import Integration

LONG = {f"l{number:03}": "x" * 1000 for number in range(50)}


def settings_of(kind: str, options: str) -> Integration:
    return next(iter(config_of(kind, options).receivers[0].entries())).settings


# Microsoft Teams


@pytest.mark.parametrize(("firing", "color"), [(True, "Attention"), (False, "Good")])
async def test_teams_gets_an_adaptive_card(firing: bool, color: str) -> None:  # noqa: FBT001 - a parameter
    config = "webhook_url: '{}', title: T, text: '{{{{ .Status }}}}'"
    async with serve_receiver() as server, delivering(config_of("msteamsv2", config.format(server.url))) as it:
        await it.deliver(notify(told(firing=firing), kind="msteamsv2"))

    (attachment,) = server.sent[0].json["attachments"]
    assert (attachment["contentType"], attachment["contentUrl"]) == ("application/vnd.microsoft.card.adaptive", None)
    title, text = attachment["content"]["body"]
    assert (title["text"], title["color"], title["style"]) == ("T", color, "heading")
    assert text == {"type": "TextBlock", "text": "firing" if firing else "resolved", "wrap": True}


@pytest.mark.parametrize("kind", ["msteams", "msteamsv2"])
async def test_teams_gets_no_card_that_is_larger_than_it_takes(kind: str) -> None:
    async with serve_receiver() as server, delivering(config_of(kind, f"webhook_url: '{server.url}'")) as it:
        await it.deliver(notify(told(**LONG), kind=kind))

    assert 24_000 < len(server.sent[0].body) <= 28_000


async def test_older_connectors_of_teams_get_a_message_card() -> None:
    async with serve_receiver() as server, delivering(config_of("msteams", f"webhook_url: '{server.url}'")) as it:
        await it.deliver(notify(kind="msteams"))

    body = server.sent[0].json
    assert (body["@context"], body["type"]) == ("http://schema.org/extensions", "MessageCard")
    assert (body["title"], body["themeColor"]) == ("[FIRING:1] Down ", "8C1A1A")


# Telegram


async def test_telegram_gets_a_message_for_the_chat() -> None:
    options = "bot_token: 12:secret, chat_id: -42, message_thread_id: 7, disable_notifications: true"
    config = "api_url: '{}', message: '<b>{{{{ .CommonLabels.alertname }}}}</b>', {}"
    async with (
        serve_receiver() as server,
        delivering(config_of("telegram", config.format(server.url, options))) as it,
    ):
        server.answer(json_reply({"ok": True, "result": {}}))
        assert await it.deliver(notify(told("<x>"), kind="telegram")) == [""]

    assert server.sent[0].path == "/bot12:secret/sendMessage"
    assert server.sent[0].json == {
        "chat_id": "-42",
        "message_thread_id": "7",
        "text": "<b>&lt;x&gt;</b>",
        "parse_mode": "HTML",
        "disable_notification": "true",
        "disable_web_page_preview": "true",
    }


async def test_telegram_says_in_words_how_long_to_wait() -> None:
    config = "api_url: '{}', bot_token: 12:secret, chat_id: 1"
    async with serve_receiver() as server, delivering(config_of("telegram", config.format(server.url))) as it:
        said = {"ok": False, "error_code": 429, "description": "Too Many Requests: retry after 33"}
        server.script(json_reply(said, 429))
        server.answer(json_reply({"ok": True}))
        before = it.time.now_ms
        assert await it.deliver(notify(kind="telegram")) == [""]

    assert it.time.now_ms - before == 33_000


async def test_what_telegram_refuses_is_not_tried_again_and_the_token_not_shown() -> None:
    config = "api_url: '{}', bot_token: 12:secret, chat_id: 1"
    async with serve_receiver() as server, delivering(config_of("telegram", config.format(server.url))) as it:
        server.answer(json_reply({"ok": False, "description": "chat not found for 12:secret"}, 400))
        errors = await it.deliver(notify(kind="telegram"))

    assert errors == ["unexpected status code 400: chat not found for <secret>"]


async def test_the_number_of_a_chat_may_be_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "chat"
    file.write_text("-77\n")
    config = f"bot_token: 12:secret, chat_id_file: '{file}'"
    async with (
        serve_receiver() as server,
        delivering(config_of("telegram", f"api_url: '{server.url}', {config}")) as it,
    ):
        server.answer(json_reply({"ok": True}))
        await it.deliver(notify(kind="telegram"))

    assert server.sent[0].json["chat_id"] == "-77"


def test_html_that_is_too_long_for_telegram_is_not_cut_within_a_tag() -> None:
    settings = settings_of("telegram", "bot_token: t, chat_id: 1, message: '<b>{{ .CommonLabels.l000 }}</b>'")
    long = message(told(l000="&" * 5000))

    text = telegram_text(settings, long)  # type: ignore[arg-type]

    assert text.startswith("[FIRING:1] Down (&amp;&amp;")
    assert text.endswith("longer than Telegram allows.")
    assert "<b>" not in text


def test_a_plain_text_that_is_too_long_for_telegram_is_cut() -> None:
    settings = settings_of("telegram", "bot_token: t, chat_id: 1, parse_mode: '', message: '{{ .CommonLabels.l }}'")

    assert len(telegram_text(settings, message(told(l="x" * 5000)))) == 4096  # type: ignore[arg-type]


# Discord


async def test_discord_gets_an_embed() -> None:
    config = "webhook_url: '{}', content: '@here', username: bot, avatar_url: 'not a url', title: T, message: M"
    async with serve_receiver() as server, delivering(config_of("discord", config.format(server.url))) as it:
        server.answer(Reply(204))
        assert await it.deliver(notify(told(firing=False), kind="discord")) == [""]

    assert server.sent[0].json == {
        "content": "@here",
        "embeds": [{"title": "T", "description": "M", "color": 0x2ECC71}],
        "username": "bot",
    }


async def test_discord_gets_no_more_characters_than_it_takes() -> None:
    async with serve_receiver() as server, delivering(config_of("discord", f"webhook_url: '{server.url}'")) as it:
        await it.deliver(notify(told(**LONG), kind="discord"))

    (embed,) = server.sent[0].json["embeds"]
    assert (len(embed["title"]), len(embed["description"])) == (256, 4096)


# Mattermost


async def test_mattermost_gets_a_post() -> None:
    async with serve_receiver() as server, delivering(config_of("mattermost", f"webhook_url: '{server.url}'")) as it:
        await it.deliver(notify(kind="mattermost"))

    body = server.sent[0].json
    assert body["username"] == "Alertmanager"
    assert "attachments" not in body


def test_options_of_an_attachment_make_one() -> None:
    settings = settings_of("mattermost", "webhook_url: 'http://x', fields: [{title: T, value: '{{ .Status }}'}]")

    (attachment,) = post(settings, message())["attachments"]  # type: ignore[arg-type]

    assert attachment["fields"] == [{"title": "T", "value": "firing"}]
    assert attachment["title"] == "[FIRING:1] Down "


@pytest.mark.parametrize(
    ("priority", "expected"),
    [
        pytest.param("urgent", {"priority": "urgent", "requested_ack": True, "persistent_notifications": True}, id="1"),
        pytest.param("Important", {"priority": "important", "requested_ack": True}, id="2"),
        pytest.param("nonsense", {"priority": "standard"}, id="3"),
    ],
)
def test_a_priority_of_mattermost_has_what_goes_with_it(priority: str, expected: dict[str, object]) -> None:
    more = f"priority: {{priority: {priority}, requested_ack: true, persistent_notifications: true}}"
    settings = settings_of("mattermost", f"webhook_url: 'http://x', {more}")

    assert post(settings, message())["priority"] == expected  # type: ignore[arg-type]


# Pushover


async def test_pushover_gets_its_keys_in_the_body() -> None:
    config = config_of("pushover", "user_key: theuserkey, token: thetoken, message: ' ', ttl: 1h")
    async with serve_receiver() as server, delivering(config) as it:
        line = next(iter(it.outbox._couriers.values())).line
        assert line is not None
        line.sender = PushoverSender(line.settings, line.sender._tools, url=f"{server.url}/1")  # type: ignore[attr-defined,arg-type]
        await it.deliver(notify(kind="pushover"))

    sent = server.sent[0]
    assert sent.path == "/1"
    form = sent.form
    assert (form["token"], form["user"], form["message"]) == ("thetoken", "theuserkey", "(no details)")
    assert (form["priority"], form["retry"], form["expire"], form["ttl"]) == ("2", "60", "3600", "3600")
    assert "thetoken" not in it.tried()[0].body


# Webex


async def test_webex_gets_a_message_for_the_room() -> None:
    config = "api_url: '{}', room_id: room, message: '{{{{ .CommonLabels.l000 }}}}', "
    login = "http_config: {authorization: {credentials: thetoken}}"
    async with serve_receiver() as server, delivering(config_of("webex", config.format(server.url) + login)) as it:
        await it.deliver(notify(told(l000="ä" * 9000), kind="webex"))

    sent = server.sent[0]
    assert sent.headers["authorization"] == "Bearer thetoken"
    assert sent.json["roomId"] == "room"
    assert len(sent.json["markdown"].encode()) <= 7439


# Rocket.Chat

ROCKETCHAT = (
    "token: thetoken, token_id: theid, channel: '#ops', fields: [{title: T, value: v}], actions: [{text: B, url: u}]"
)


async def test_rocketchat_gets_an_attachment() -> None:
    async with (
        serve_receiver() as server,
        delivering(config_of("rocketchat", f"api_url: '{server.url}', {ROCKETCHAT}")) as it,
    ):
        server.answer(json_reply({"success": True}))
        assert await it.deliver(notify(kind="rocketchat")) == [""]

    sent = server.sent[0]
    assert sent.path == "/api/v1/chat.postMessage"
    assert (sent.headers["x-auth-token"], sent.headers["x-user-id"]) == ("thetoken", "theid")
    assert sent.json["channel"] == "#ops"
    (attachment,) = sent.json["attachments"]
    assert attachment["fields"] == [{"title": "T", "value": "v", "short": False}]
    assert attachment["actions"] == [{"type": "button", "text": "B", "url": "u"}]
    assert attachment["color"] == "red"


async def test_rocketchat_refuses_with_a_good_status_too() -> None:
    async with (
        serve_receiver() as server,
        delivering(config_of("rocketchat", f"api_url: '{server.url}', {ROCKETCHAT}")) as it,
    ):
        server.answer(json_reply({"success": False, "error": "invalid-channel"}))

        assert await it.deliver(notify(kind="rocketchat")) == ["Rocket.Chat has not taken it: invalid-channel"]
