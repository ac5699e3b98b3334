"""The templates of an alertmanager.yml: read with the file, wrong at their line."""

from __future__ import annotations

from pathlib import Path

import pytest

from vedette.alerting import AlertingConfig, load_alerting, parse_alerting
from vedette.model.errors import ConfigErrors

_HEAD = "route: {receiver: team}\nreceivers:\n- name: team\n"


def _errors(text: str, file: str = "a.yml") -> list[str]:
    with pytest.raises(ConfigErrors) as refused:
        parse_alerting(text, file=file)
    return [str(one).splitlines()[0] for one in refused.value.errors]


def _parse(text: str, file: str = "a.yml") -> AlertingConfig:
    return parse_alerting(text, file=file)


@pytest.mark.parametrize(
    ("option", "error"),
    [
        pytest.param(
            "  telegram_configs: [{bot_token: t, chat_id: 1, message: 'a {{ nope }}'}]",
            'a.yml:4:64: message: function "nope" not defined',
            id="an option",
        ),
        pytest.param(
            "  slack_configs:\n  - api_url: http://x.example\n    text: |\n"
            "      fine {{ .Alerts }}\n      bad {{ if }}",
            "a.yml:8:17: text: template: :2: missing value for if",
            id="a line of a block",
        ),
        pytest.param(
            '  slack_configs:\n  - api_url: http://x.example\n    fields: [{title: a, value: "{{ .X "}]',
            "a.yml:6:39: value: unclosed action",
            id="an option of an entry of a list",
        ),
        pytest.param(
            "  webhook_configs: [{url: 'http://x.example', payload: {a: [1, '{{ end }}']}}]",
            "a.yml:4:72: a: unexpected {{end}}",
            id="a text in a free structure",
        ),
        pytest.param(
            "  webhook_configs: [{url: 'http://x.example', payload: {'{{ end }}': 1}}]",
            "a.yml:4:70: {{ end }}: unexpected {{end}}",
            id="a name in a free structure",
        ),
        pytest.param(
            "  labels: {team: '{{ .Nope'}",
            "a.yml:4:27: team: unclosed action",
            id="a label of the receiver",
        ),
        pytest.param(
            "  email_configs:\n  - {to: a@b.example, from: a@b.example, smarthost: 'h:25',\n"
            "     html: '<a {{ if .X }}b=\"{{ end }}>'}",
            "a.yml:6:12: html: html/template::1:9: {{if}} branches end in different contexts",
            id="a page whose places cannot be told",
        ),
    ],
)
def test_what_is_wrong_with_a_template_is_an_error_at_its_place(option: str, error: str) -> None:
    (found,) = _errors(_HEAD + option + "\n")

    assert found.startswith(error)


def test_a_secret_with_a_bad_template_is_not_shown() -> None:
    with pytest.raises(ConfigErrors) as refused:
        _parse(_HEAD + "  webhook_configs: [{url: 'http://x.example/hush?{{ hush'}]\n")

    assert "hush" not in str(refused.value)
    assert "url: not a template" in str(refused.value)


def test_labels_of_routes_are_templates() -> None:
    (found,) = _errors("route: {receiver: team, labels: {a: '{{ x }}'}}\nreceivers: [{name: team}]\n")

    assert found == 'a.yml:1:41: a: function "x" not defined'


def test_all_that_is_wrong_in_the_file_and_in_its_templates_is_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / "own.tmpl").write_text('{{ define "a" }}\n{{ .X ( }}{{ end }}')
    file = tmp_path / "am.yml"
    file.write_text(
        "templates: ['*.tmpl']\nroute: {receiver: teem}\nreceivers:\n- name: team\n  labels: {a: '{{ x }}'}\n"
    )

    with pytest.raises(ConfigErrors) as refused:
        load_alerting(file)

    places = [(Path(one.at.file).name, one.at.line) for one in refused.value.errors]
    assert places == [("am.yml", 2), ("am.yml", 5), ("own.tmpl", 2)]


def test_a_configuration_has_the_templates_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "own.tmpl").write_text('{{ define "own" }}mine{{ end }}')
    file = tmp_path / "am.yml"
    file.write_text("templates: ['own.t*']\n" + _HEAD)

    config = load_alerting(file)

    assert config.library.render('{{ template "own" }}', None, now_ms=0) == "mine"
    assert config.files == (str(file), str(tmp_path / "own.tmpl"))
    assert config.warnings == ()


def test_what_is_not_there_is_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "am.yml"
    file.write_text(
        "templates: ['none*.tmpl']\n" + _HEAD + "  labels: {a: '{{ template \"slack.default.titel\" . }}'}\n"
    )

    warnings = [str(one).partition("am.yml:")[2] for one in load_alerting(file).warnings]

    assert warnings == [
        f'1:13: no file matches "{tmp_path}/none*.tmpl"',
        '5:15: there is no template "slack.default.titel"; did you mean "slack.default.title"?',
    ]


def test_a_secret_that_is_no_template_is_left_alone() -> None:
    assert _parse(_HEAD + "  slack_configs: [{api_url: 'http://x.example/{{', channel: x}]\n")
