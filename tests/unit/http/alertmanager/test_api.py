"""Alertmanager's API: filters, refusals, and what the fields mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.alerting import NOON_MS, RunningApi, running_api
from vedette.http.alertmanager.answers import read_time, show_time

MINUTE, HOUR = 60_000, 3_600_000
ROUTES = """
route:
  receiver: team
  group_by: [alertname]
  group_wait: 30s
  routes: [{matchers: [severity="critical"], receiver: pager}]
inhibit_rules: [{source_matchers: [severity="critical"], target_matchers: [severity="warning"], equal: [service]}]
receivers: [{name: team, labels: {owner: web}}, {name: pager}]
"""


async def fire(world: RunningApi, name: str, **labels: str) -> None:
    answer = await world.client.post("/api/v2/alerts", json=[{"labels": {"alertname": name, **labels}}])
    assert answer.status_code == 200, answer.text


def silence(**changes: Any) -> dict[str, Any]:
    return {
        "matchers": [{"name": "service", "value": "db", "isRegex": False, "isEqual": True}],
        "startsAt": show_time(NOON_MS),
        "endsAt": show_time(NOON_MS + HOUR),
        "createdBy": "ann",
        "comment": "why",
        **changes,
    }


async def names(world: RunningApi, query: str) -> list[str]:
    answer = await world.client.get(f"/api/v2/alerts?{query}")
    assert answer.status_code == 200, answer.text
    return sorted(one["labels"]["alertname"] for one in answer.json())


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("", ["Down", "Full", "Slow"], id="all are shown unless something is asked for"),
        pytest.param("filter=service%3D%22db%22", ["Full"], id="a matcher"),
        pytest.param('filter=service="web"&filter=alertname!="Down"', ["Slow"], id="matchers that all have to pass"),
        pytest.param("receiver=pag.*", ["Down"], id="a receiver by pattern"),
        pytest.param("receiver=pag", [], id="a pattern holds for the whole name"),
        pytest.param('receiver_matchers=owner="web"', ["Full", "Slow"], id="a receiver by its labels"),
        pytest.param("silenced=false", ["Down", "Slow"], id="without silenced ones"),
        pytest.param("inhibited=false", ["Down", "Full"], id="without inhibited ones"),
        pytest.param("active=false", ["Full", "Slow"], id="only suppressed ones"),
        pytest.param("unprocessed=false", ["Down", "Full", "Slow"], id="none is unprocessed"),
    ],
)
async def test_alerts_are_shown_as_asked_for(tmp_path: Path, query: str, expected: list[str]) -> None:
    async with running_api(tmp_path, ROUTES) as world:
        await fire(world, "Down", service="web", severity="critical")
        await fire(world, "Slow", service="web", severity="warning")
        await fire(world, "Full", service="db")
        assert (await world.client.post("/api/v2/silences", json=silence())).status_code == 200

        assert await names(world, query) == expected


async def test_groups_are_those_of_the_routes_and_muted_ones_can_be_left_out(tmp_path: Path) -> None:
    async with running_api(tmp_path, ROUTES) as world:
        await fire(world, "Down", service="web")
        await fire(world, "Down", service="db")
        await fire(world, "Full", service="db")
        await world.client.post("/api/v2/silences", json=silence())

        groups = (await world.client.get("/api/v2/alerts/groups")).json()
        unmuted = (await world.client.get("/api/v2/alerts/groups?muted=false")).json()

    assert [(one["labels"], one["receiver"], len(one["alerts"])) for one in groups] == [
        ({"alertname": "Down"}, {"name": "team"}, 2),
        ({"alertname": "Full"}, {"name": "team"}, 1),
    ]
    assert [one["labels"]["alertname"] for one in unmuted] == ["Down"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        pytest.param("GET", "/api/v2/alerts?filter=%7B", None, 400, "brace", id="a filter that is none"),
        pytest.param("GET", "/api/v2/alerts?receiver=%5B", None, 400, "receiver param", id="a pattern that is none"),
        pytest.param("GET", "/api/v2/alerts?active=maybe", None, 422, "of type bool", id="a flag that is none"),
        pytest.param("POST", "/api/v2/alerts", {"labels": {}}, 400, "no list", id="an alert without a list"),
        pytest.param("POST", "/api/v2/alerts", [1], 400, "entry 0", id="a number for an alert"),
        pytest.param("POST", "/api/v2/alerts", [{}], 422, "0.labels in body is required", id="no labels at all"),
        pytest.param(
            "POST", "/api/v2/alerts", [{"labels": {"a": 1}}], 422, "0.labels.a", id="a label that is a number"
        ),
        pytest.param(
            "POST",
            "/api/v2/alerts",
            [{"labels": {"a": "b"}, "endsAt": "soon"}],
            422,
            "date-time",
            id="an end that is none",
        ),
        pytest.param("POST", "/api/v2/silences", silence(matchers=[]), 422, "at least 1 items", id="no matchers"),
        pytest.param("POST", "/api/v2/silences", silence(createdBy=None), 422, "createdBy in body", id="no author"),
        pytest.param(
            "POST", "/api/v2/silences", silence(endsAt=show_time(NOON_MS)), 400, "start time must be", id="no duration"
        ),
        pytest.param(
            "POST",
            "/api/v2/silences",
            silence(matchers=[{"name": "a", "value": "[", "isRegex": True}]),
            400,
            "error parsing regexp",
            id="a pattern in a silence that is none",
        ),
        pytest.param(
            "POST",
            "/api/v2/silences",
            silence(id="00000000-0000-0000-0000-000000000099"),
            404,
            "silence not found",
            id="a change of a silence that is not there",
        ),
        pytest.param("GET", "/api/v2/silence/nonsense", None, 422, "of type uuid", id="an id that is none"),
        pytest.param(
            "DELETE",
            "/api/v2/silence/00000000-0000-0000-0000-000000000099",
            None,
            404,
            "not found",
            id="nothing to end",
        ),
    ],
)
async def test_what_is_wrong_is_refused_with_the_reason(
    tmp_path: Path, method: str, path: str, body: Any, status: int, said: str
) -> None:
    async with running_api(tmp_path, ROUTES) as world:
        answer = await world.client.request(method, path, json=body)

    assert answer.status_code == status, answer.text
    assert said in answer.text


async def test_good_alerts_are_taken_from_among_bad_ones(tmp_path: Path) -> None:
    async with running_api(tmp_path, ROUTES) as world:
        answer = await world.client.post(
            "/api/v2/alerts", json=[{"labels": {"alertname": "Good"}}, {"labels": {"alertname": ""}}]
        )

        assert answer.status_code == 400
        assert await names(world, "") == ["Good"]


async def test_a_disk_that_fails_makes_the_sender_try_again(tmp_path: Path) -> None:
    async with running_api(tmp_path, ROUTES) as world:
        world.disk.failing = True
        answer = await world.client.post("/api/v2/alerts", json=[{"labels": {"alertname": "Down"}}])

    assert answer.status_code == 503
    assert "retry-after" in answer.headers


async def test_a_silence_may_come_back_remind_and_name_a_ticket(tmp_path: Path) -> None:
    more = {
        "ticketURL": "https://tickets.test/7",
        "remindBefore": "30m",
        "recurrence": {"cron": "0 2 * * 0", "duration": "2h", "location": "Europe/Berlin"},
    }
    async with running_api(tmp_path, ROUTES) as world:
        made = (await world.client.post("/api/v2/silences", json=silence(**more))).json()["silenceID"]

        shown = (await world.client.get(f"/api/v2/silence/{made}")).json()

    assert {name: shown[name] for name in more} == more
    assert shown["status"] == {"state": "pending"}


async def test_an_update_keeps_the_id_where_the_past_stays_true_and_makes_a_new_silence_where_not(
    tmp_path: Path,
) -> None:
    async with running_api(tmp_path, ROUTES) as world:
        made = (await world.client.post("/api/v2/silences", json=silence())).json()["silenceID"]
        longer = silence(id=made, endsAt=show_time(NOON_MS + 2 * HOUR))
        same = (await world.client.post("/api/v2/silences", json=longer)).json()["silenceID"]
        other = [{"name": "service", "value": "web", "isRegex": False}]
        new = (await world.client.post("/api/v2/silences", json=silence(id=made, matchers=other))).json()["silenceID"]
        states = {one["id"]: one["status"]["state"] for one in (await world.client.get("/api/v2/silences")).json()}

    assert same == made
    assert states == {made: "expired", new: "active"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("2027-01-15T12:00:00Z", NOON_MS, id="seconds"),
        pytest.param("2027-01-15T12:00:00.123456789Z", NOON_MS + 123, id="nanoseconds"),
        pytest.param("2027-01-15T13:00:00+01:00", NOON_MS, id="a zone"),
        pytest.param("0001-01-01T00:00:00.000Z", None, id="Go's zero"),
    ],
)
def test_times_are_read_to_the_millisecond(text: str, expected: int | None) -> None:
    assert read_time(text) == expected


def test_times_are_shown_with_milliseconds() -> None:
    assert show_time(NOON_MS + 7) == "2027-01-15T12:00:00.007Z"
