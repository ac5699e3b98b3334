from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from harness.delivering import config_of, delivering, message, notify, told
from harness.receivers import Reply, Sent, json_reply, serve_receiver
from vedette.alerting.delivery.jira import JiraSender, issue_fields, jql
from vedette.alerting.receivers.jira import JiraSettings

KEY = message().key
TRANSITIONS = "reopen_transition: Reopen, resolve_transition: Resolve, reopen_duration: 1h"


def options(url: str, more: str = TRANSITIONS) -> str:
    return f"api_url: '{url}/rest/api/2', project: OPS, issue_type: Bug, {more}"


def settings_of(more: str = TRANSITIONS, url: str = "http://jira") -> JiraSettings:
    settings = next(iter(config_of("jira", options(url, more)).receivers[0].entries())).settings
    assert isinstance(settings, JiraSettings)
    return settings


@dataclass
class Jira:
    """A project that has one issue, or none."""

    status: str = ""
    transitions: list[str] = field(default_factory=lambda: ["Reopen", "Resolve"])
    did: list[tuple[str, Any]] = field(default_factory=list)

    def answer(self, sent: Sent) -> Reply:
        path = sent.path.removeprefix("/rest/api/2")
        body = sent.json if sent.body else None
        self.did.append((f"{sent.method} {path}", body))
        if path == "/search":
            found = {"key": "OPS-1", "fields": {"status": {"name": "s", "statusCategory": {"key": self.status}}}}
            return json_reply({"issues": [found] if self.status else []})
        if sent.method == "GET":
            named = [{"id": str(number), "name": name} for number, name in enumerate(self.transitions)]
            return json_reply({"transitions": named})
        return json_reply({"key": "OPS-1"}, 201) if path == "/issue" else Reply(204)

    def calls(self) -> list[str]:
        return [call for call, _ in self.did]


async def run(jira: Jira, *, firing: bool, more: str = TRANSITIONS) -> str:
    async with serve_receiver() as server, delivering(config_of("jira", options(server.url, more))) as it:
        server.answer(jira.answer)
        (error,) = await it.deliver(notify(told(firing=firing), kind="jira"))
        return error


async def test_alerts_without_an_issue_get_one() -> None:
    jira = Jira()

    assert await run(jira, firing=True) == ""

    assert jira.calls() == ["POST /search", "POST /issue"]
    fields = jira.did[1][1]["fields"]
    assert fields["project"] == {"key": "OPS"}
    assert fields["issuetype"] == {"name": "Bug"}
    assert fields["labels"] == [f"ALERT{{{KEY}}}"]
    assert fields["summary"] == "[FIRING:1] Down "


async def test_no_issue_is_made_for_alerts_that_have_ended() -> None:
    jira = Jira()

    assert await run(jira, firing=False) == ""

    assert jira.calls() == ["POST /search"]


async def test_an_open_issue_is_updated() -> None:
    jira = Jira(status="indeterminate")

    assert await run(jira, firing=True) == ""

    assert jira.calls() == ["POST /search", "PUT /issue/OPS-1"]


async def test_an_open_issue_is_resolved_once_all_has_ended() -> None:
    jira = Jira(status="new")

    assert await run(jira, firing=False) == ""

    assert jira.calls()[2:] == ["GET /issue/OPS-1/transitions", "POST /issue/OPS-1/transitions"]
    assert jira.did[3][1] == {"transition": {"id": "1"}}


async def test_a_resolved_issue_is_opened_again() -> None:
    jira = Jira(status="done")

    assert await run(jira, firing=True) == ""

    assert jira.did[3] == ("POST /issue/OPS-1/transitions", {"transition": {"id": "0"}})


async def test_a_transition_that_is_not_there_is_named_with_those_that_are() -> None:
    jira = Jira(status="new", transitions=["Close", "Wait"])

    error = await run(jira, firing=False)

    assert error == "can't find transition Resolve for issue OPS-1; there are: Close, Wait"


async def test_without_a_transition_none_is_made() -> None:
    jira = Jira(status="new")

    assert await run(jira, firing=False, more="priority: High") == ""

    assert jira.calls() == ["POST /search", "PUT /issue/OPS-1"]


async def test_texts_that_people_may_change_are_left_alone() -> None:
    jira = Jira(status="new")
    more = "summary: {template: S, enable_update: false}, description: {template: D, enable_update: false}"

    await run(jira, firing=True, more=more)

    assert not {"summary", "description"} & jira.did[1][1]["fields"].keys()


def test_resolved_issues_are_looked_for_only_if_they_may_be_opened_again() -> None:
    firing, ended = message(), message(told(firing=False))
    found = f'project="OPS" and labels="ALERT{{{KEY}}}" order by status ASC,resolutiondate DESC'

    assert jql(settings_of(), firing) == (f"(resolutiondate is EMPTY OR resolutiondate >= -60m) and {found}")
    assert jql(settings_of(), ended) == f"statusCategory != Done and {found}"
    assert jql(settings_of(""), firing) == f"statusCategory != Done and {found}"
    wont_fix = settings_of("wont_fix_resolution: 'Won\\'t \"fix\"'".replace("\\'", "''"))
    assert jql(wont_fix, firing) == f'resolution != "Won\'t \\"fix\\"" and statusCategory != Done and {found}'


def test_further_fields_may_be_any_structure() -> None:
    settings = settings_of("fields: {components: [{name: '{{ .Status }}'}], customfield_1: '{{ 2 }}'}, labels: [b, a]")

    fields = issue_fields(settings, message())

    assert fields["components"] == [{"name": "firing"}]
    assert fields["customfield_1"] == 2
    assert fields["labels"] == [f"ALERT{{{KEY}}}", "a", "b"]


def test_version_three_of_the_api_gets_a_document() -> None:
    given = "api_url: 'https://x.atlassian.net/rest/api/3', project: P, issue_type: Bug, description: \"one\\n\\ntwo\""
    settings = next(iter(config_of("jira", given).receivers[0].entries())).settings
    assert isinstance(settings, JiraSettings)

    description = issue_fields(settings, message())["description"]

    assert [one["content"][0]["text"] for one in description["content"]] == ["one", "two"]


@pytest.mark.parametrize(
    ("url", "kind", "search"),
    [
        ("https://x.atlassian.net/rest/api/2", "auto", "https://x.atlassian.net/rest/api/3/search/jql"),
        ("https://x.atlassian.net/rest/api/3/", "auto", "https://x.atlassian.net/rest/api/3/search/jql"),
        ("https://jira.example.org/rest/api/2", "auto", "https://jira.example.org/rest/api/2/search"),
        ("https://jira.example.org/rest/api/2", "cloud", "https://jira.example.org/rest/api/3/search/jql"),
        ("https://x.atlassian.net/rest/api/2", "datacenter", "https://x.atlassian.net/rest/api/2/search"),
        ("https://notatlassian.net/rest/api/2", "auto", "https://notatlassian.net/rest/api/2/search"),
    ],
)
def test_each_jira_is_searched_where_it_can_be(url: str, kind: str, search: str) -> None:
    given = config_of("jira", f"api_url: '{url}', api_type: {kind}, project: P, issue_type: Bug")
    settings = next(iter(given.receivers[0].entries())).settings

    sender = JiraSender(settings, None)  # type: ignore[arg-type]

    assert sender._search_url == search
