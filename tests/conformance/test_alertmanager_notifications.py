"""What Alertmanager 0.25 sent, compared body by body with what is sent here for the same alerts and configuration.

Newer versions of Alertmanager, which are followed here, tell more; the rules for that are below, and nothing else may
differ: fields that 0.25 did not know are left out of the comparison, and the details of PagerDuty are numbers where
they were texts, null where they were empty, and by default another text, for which the older one is configured here.
The layout of HTML is Vedette's own, so its words and links are compared, apart from equals signs and from the time
since which an alert fires.
"""

from __future__ import annotations

import dataclasses
import email
import email.policy
import json
import re
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from alertmanager_data import DATA, files

from harness.delivering import delivering
from harness.mail import serve_mail
from harness.receivers import Reply, Sent, serve_receiver
from vedette.alerting import Notify, Pipeline, build_plan, parse_alerting
from vedette.alerting.settings.file import AlertingConfig
from vedette.model.alerts import Alert
from vedette.model.labels import label_set

FOLDER = "notifications"
EXTERNAL_URL = "http://alertmanager.example.org"
NEW_IN_WEBHOOKS = ("notification_reason", "routeLabels")
OLD_DETAILS = {
    "firing": '{{ template "pagerduty.default.instances" .Alerts.Firing }}',
    "resolved": '{{ template "pagerduty.default.instances" .Alerts.Resolved }}',
}
NEW_IN_MAILS = re.compile(r" =|Since [-0-9]+ [:0-9]+ UTC · ")
HOST = re.compile(r"http://receiver\.example\.org")
MAIL = re.compile(r"mail\.example\.org:25")


def recordings(pattern: str) -> list[Any]:
    found = [path for path in files(pattern) if path.parent.name == FOLDER and path.name != "alerts.json"]
    if not found:
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"no such data in {DATA}"))]
    return [pytest.param(path, id=path.stem) for path in found]


def read(path: Path) -> bytes:
    return path.read_bytes()


def configuration(folder: Path, url: str, mail: str = "127.0.0.1:9") -> AlertingConfig:
    text = (folder / "alertmanager.yml").read_text(encoding="utf-8")
    text = MAIL.sub(mail, HOST.sub(url, text)).replace(
        "pagerduty_configs: [{", f"pagerduty_configs: [{{details: {json.dumps(OLD_DETAILS)}, "
    )
    return parse_alerting(text, file="alertmanager.yml")


def decided(folder: Path, config: AlertingConfig) -> list[Notify]:
    """What the machine decides once all alerts of the recording have fired."""
    pipeline = Pipeline(build_plan(config), new_id=lambda: "id")
    listed = json.loads((folder / "alerts.json").read_text(encoding="utf-8"))
    starts = [round(datetime.fromisoformat(one["startsAt"]).timestamp() * 1000) for one in listed]
    now_ms = max(starts) + 1000
    alerts = [
        Alert(
            label_set(one["labels"]),
            label_set(one["annotations"]),
            start_ms,
            now_ms + 3_600_000,
            now_ms,
            one["generatorURL"],
        )
        for one, start_ms in zip(listed, starts, strict=True)
    ]
    pipeline.receive(alerts, now_ms)
    wake_ms = pipeline.wake_at()
    assert wake_ms is not None
    effects = pipeline.advance(max(now_ms, wake_ms) + 1000)
    return [effect for effect in effects if isinstance(effect, Notify)]


def chosen(notices: list[Notify], path: Path) -> Notify:
    kind, name = path.stem.split("_")[:2]
    (found,) = [one for one in notices if one.address.kind == kind and dict(one.group_labels)["alertname"] == name]
    return dataclasses.replace(found, give_up_ms=found.at_ms + 60_000)


def taken(sent: Sent) -> Reply:
    return Reply(200, b"ok" if "slack" in sent.path else b"{}")


def without_news(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    if kind == "webhook":
        return {name: value for name, value in body.items() if name not in NEW_IN_WEBHOOKS}
    if kind == "pagerduty":
        details = body["payload"]["custom_details"]
        texts = {name: "" if value is None else str(value) for name, value in details.items()}
        return {**body, "payload": {**body["payload"], "custom_details": texts}}
    return body


@pytest.mark.parametrize("path", recordings("*_*.json"))
async def test_a_request_is_the_one_that_alertmanager_sent(path: Path) -> None:
    recorded = json.loads(read(path))
    async with serve_receiver() as server:
        server.answer(taken)
        config = configuration(path.parent, server.url)
        notice = chosen(decided(path.parent, config), path)
        async with delivering(config, external_url=EXTERNAL_URL, now_ms=notice.at_ms) as it:
            assert await it.deliver(notice) == [""]

    (sent,) = server.sent
    assert without_news(notice.address.kind, sent.json) == recorded["body"]
    for name, value in recorded["headers"].items():
        if name != "User-Agent":
            assert sent.headers[name.lower()] == value


@pytest.mark.parametrize("path", recordings("*_*.eml"))
async def test_a_mail_is_the_one_that_alertmanager_sent(path: Path) -> None:
    recorded = email.message_from_bytes(read(path), policy=email.policy.default)
    async with serve_mail() as mail:
        config = configuration(path.parent, "http://receiver.example.org", mail.address)
        notice = chosen(decided(path.parent, config), path)
        async with delivering(config, external_url=EXTERNAL_URL, now_ms=notice.at_ms) as it:
            assert await it.deliver(notice) == [""]

    (sent,) = mail.messages
    for name in ("Subject", "To", "From", "MIME-Version"):
        assert sent.parsed[name] == recorded[name]
    assert shape(sent.parsed) == shape(recorded)


def shape(message: Any) -> list[tuple[str, str, Any]]:
    """Types, encodings and contents of all parts."""
    return [
        (part.get_content_type(), str(part["Content-Transfer-Encoding"] or ""), content(part))
        for part in message.walk()
    ]


def content(part: Any) -> Any:
    if part.is_multipart():
        return None
    if part.get_content_type() != "text/html":
        return part.get_content().strip()
    seen = _Seen()
    seen.feed(part.get_content())
    return NEW_IN_MAILS.sub("", " ".join(seen.words)), seen.links


class _Seen(HTMLParser):
    """What people see of HTML: words, and where links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("style", "title")
        self.links += [value for name, value in attrs if name == "href" and value]

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "title")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words += data.replace("=", " = ").split()
