from __future__ import annotations

import pytest

from vedette.config.discovery import TargetGroup
from vedette.config.target_file import parse_json_groups, parse_target_groups
from vedette.model.errors import ConfigErrors

GROUPS = (TargetGroup(targets=("a:1", "b:2"), labels=(("x", "y"),)), TargetGroup(targets=("c:3",)))


def test_target_groups_are_read_from_yaml_and_json() -> None:
    yaml = b"- targets: ['a:1', 'b:2']\n  labels: {x: y}\n- targets: ['c:3']\n"
    json = b'[{"targets": ["a:1", "b:2"], "labels": {"x": "y"}}, {"targets": ["c:3"]}]'

    assert parse_target_groups(yaml, file="t.yml") == GROUPS
    assert parse_target_groups(json, file="t.json") == GROUPS
    assert parse_target_groups(json, file="t.yml") == GROUPS
    assert parse_json_groups(json, source="http://h/") == GROUPS
    assert parse_target_groups(b"", file="t.yml") == ()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(b"- targats: [a]\n", "t.yml:1:3: unknown option `targats`", id="a misspelt option"),
        pytest.param(b"targets: [a]\n", "expected a list of target groups", id="a mapping"),
        pytest.param(b"-\n", "empty or null", id="an empty group"),
        pytest.param(b"- targets: [[a]]\n", "expected text", id="a list as target"),
    ],
)
def test_a_bad_yaml_file_is_refused_with_its_place(raw: bytes, expected: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        parse_target_groups(raw, file="t.yml")

    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(b"[", "not readable as JSON", id="half a list"),
        pytest.param(b"{}", "the list of groups", id="a mapping"),
        pytest.param(b'[{"targats": []}]', "group 0.targats", id="a misspelt option"),
        pytest.param(b"[null]", "group 0", id="null"),
        pytest.param(b'[{"targets": [1]}]', "group 0.targets.0", id="a number"),
    ],
)
def test_bad_json_is_refused_with_the_number_of_the_group(raw: bytes, expected: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        parse_json_groups(raw, source="t.json")

    assert expected in str(caught.value)
