"""Alertmanager's API v2 answers as Alertmanager itself did; times and ids aside, which differ from run to run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import alertmanager_data as data
import pytest

from harness.alerting import RunningApi, running_api
from vedette.http.alertmanager.answers import read_time

_TIMES = frozenset({"endsAt", "updatedAt"})
_LATER = frozenset({"mutedBy", "annotations"})
"""Fields that later versions of the API have where the recorded one has none."""


def recorded(pattern: str) -> list[Any]:
    found = [(path.stem, path) for path in data.files(f"api/{pattern}.json")]
    return data.params(found)


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


async def post_recorded_alerts(world: RunningApi, folder: Path) -> None:
    alerts = read(folder.parent / "notifications" / "alerts.json")
    answer = await world.client.post("/api/v2/alerts", json=alerts)
    assert answer.status_code == 200, answer.text


def configuration(path: Path) -> str:
    return (path.parents[1] / "notifications" / "alertmanager.yml").read_text(encoding="utf-8")


def now_ms(path: Path) -> int:
    return read_time(read(path)[0]["updatedAt"]) or 0


def comparable(said: Any, like: Any) -> Any:
    """What was said, without times, and without what the other side has no field for."""
    if isinstance(said, dict) and isinstance(like, dict):
        return {
            key: comparable(value, like.get(key))
            for key, value in said.items()
            if key not in _TIMES and (key in like or key not in _LATER)
        }
    if isinstance(said, list) and isinstance(like, list):
        return [comparable(one, other) for one, other in zip(said, like, strict=True)]
    return said


@pytest.mark.parametrize("path", recorded("alerts*"))
async def test_alerts_are_shown_as_recorded(path: Path, tmp_path: Path) -> None:
    expected = read(path)
    async with running_api(tmp_path, configuration(path), now_ms=now_ms(path)) as world:
        await post_recorded_alerts(world, path.parent)
        silenced = {one for alert in expected for one in alert["status"]["silencedBy"]}
        if silenced:
            await silence_disk_full(world, path)
        await world.hand.pass_time(2_000)

        found = (await world.client.get("/api/v2/alerts")).json()

    for alert in [*found, *expected]:
        alert["status"]["silencedBy"] = len(alert["status"]["silencedBy"])
    assert comparable(found, expected) == comparable(expected, found)


async def silence_disk_full(world: RunningApi, path: Path) -> None:
    (wanted,) = read(path.parent / "silences.json")
    body = {key: wanted[key] for key in ("comment", "createdBy", "endsAt", "matchers", "startsAt")}
    answer = await world.client.post("/api/v2/silences", json=body)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("path", recorded("silences*"))
async def test_silences_are_shown_as_recorded(path: Path, tmp_path: Path) -> None:
    expected = read(path)
    async with running_api(tmp_path, configuration(path), now_ms=now_ms(path)) as world:
        await silence_disk_full(world, path)

        found = (await world.client.get("/api/v2/silences")).json()

    for one in [*found, *expected]:
        assert len(one.pop("id")) == len("e3270ede-55b7-4d23-8ea2-7b0a5725c8ef")
    assert [{**one, "updatedAt": ""} for one in found] == [
        {**one, "updatedAt": "", "annotations": {}} for one in expected
    ]


@pytest.mark.parametrize("path", recorded("receivers*"))
async def test_receivers_are_listed_as_recorded(path: Path, tmp_path: Path) -> None:
    async with running_api(tmp_path, configuration(path)) as world:
        found = (await world.client.get("/api/v2/receivers")).json()

    assert [{"name": one["name"]} for one in found] == read(path)


@pytest.mark.parametrize("path", recorded("error_bad_alert*"))
async def test_an_alert_without_labels_is_refused_as_recorded(path: Path, tmp_path: Path) -> None:
    async with running_api(tmp_path, configuration(path)) as world:
        answer = await world.client.post("/api/v2/alerts", json=[{"labels": {}, "annotations": {"a": "b"}}])

    assert answer.status_code == 400
    assert answer.json() == read(path)


@pytest.mark.parametrize("path", recorded("error_bad_silence*"))
async def test_a_silence_without_matchers_is_refused_as_recorded(path: Path, tmp_path: Path) -> None:
    body = {"comment": "c", "createdBy": "a", "startsAt": "2027-01-15T12:00:00Z", "endsAt": "2027-01-15T13:00:00Z"}
    async with running_api(tmp_path, configuration(path)) as world:
        answer = await world.client.post("/api/v2/silences", json=body)

    assert answer.status_code == 422
    assert answer.json() == read(path)


@pytest.mark.parametrize("path", recorded("push*"))
async def test_what_another_server_was_recorded_to_send_is_taken(path: Path, tmp_path: Path) -> None:
    request = read(path)
    alert = request["body"][0]
    async with running_api(tmp_path, configuration(path), now_ms=read_time(alert["startsAt"]) or 0) as world:
        answer = await world.client.request(
            request["method"], request["path"], headers=request["headers"], content=json.dumps(request["body"])
        )

        (shown,) = (await world.client.get("/api/v2/alerts")).json()

    assert answer.status_code == 200
    assert {key: shown[key] for key in alert} == alert
