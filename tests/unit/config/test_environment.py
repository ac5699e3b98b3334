from __future__ import annotations

import pytest

from vedette.config import load_text
from vedette.config.environment import UnsetVariableError, expand, expand_label
from vedette.model.errors import ConfigErrors

ENV = {"HOST": "db", "EMPTY": "", "YAML": "[a, b]"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("http://${HOST}:1", "http://db:1", id="a variable within a value"),
        pytest.param("${NONE:-x}", "x", id="a default for one that is not set"),
        pytest.param("${EMPTY:-x}", "x", id="a default for one that is empty"),
        pytest.param("${NONE:-}", "", id="an empty default"),
        pytest.param("${EMPTY}", "", id="one that is empty needs no default"),
        pytest.param("$${HOST}", "${HOST}", id="a literal"),
        pytest.param("$1-${1}-$HOST-$$", "$1-${1}-$HOST-$$", id="other dollars stay"),
        pytest.param("${HOST:-${EMPTY}", "db", id="the first brace ends a default"),
    ],
)
def test_variables_are_replaced(text: str, expected: str) -> None:
    assert expand(text, ENV) == expected


def test_a_variable_without_value_and_default_is_an_error() -> None:
    with pytest.raises(UnsetVariableError, match="NONE"):
        expand("${NONE}", ENV)


def test_external_labels_are_expanded_as_prometheus_does() -> None:
    unset: list[str] = []

    assert expand_label("$HOST/${HOST}/$$/$NONE/${NONE:-d}", ENV, unset.append) == "db/db/$//d"
    assert unset == ["NONE"]


def test_an_unset_variable_is_an_error_that_names_the_place_and_the_way_out() -> None:
    with pytest.raises(ConfigErrors) as caught:
        load_text("http:\n  listen: ${LISTEN}\n", file="v.yml", env={})

    (error,) = caught.value.errors
    assert str(error.at) == "v.yml:2:11"
    assert "LISTEN is not set" in error.problem
    assert "${LISTEN:-default}" in error.remedy


def test_what_a_variable_holds_is_never_read_as_yaml() -> None:
    loaded = load_text("host:\n  instance: ${YAML}\n", file="v.yml", env=ENV)

    assert loaded.config.host.instance == "[a, b]"


def test_groups_of_relabelling_are_no_variables() -> None:
    rule = "{regex: '(?P<x>.*)', replacement: '${x}', target_label: a}"
    text = f"scrape_configs:\n- job_name: j\n  relabel_configs:\n  - {rule}\n"

    loaded = load_text(text, file="v.yml", env={})

    assert loaded.config.jobs[0].relabel_configs[0].replacement == "${x}"


def test_an_external_label_with_an_unset_variable_is_a_warning() -> None:
    loaded = load_text("global:\n  external_labels: {a: '$NONE', b: '$HOST'}\n", file="v.yml", env=ENV)

    assert loaded.config.global_.external_labels == (("b", "db"),)
    assert ["NONE is not set" in warning.text for warning in loaded.warnings] == [True]
