"""The texts of notifications."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.alerting.records import Told
from vedette.alerting.templates import Library, NotificationFacts, kv, load_library, notification_data
from vedette.alerting.templates.data import data_of
from vedette.lang.gotemplate import Limits, TemplateError, TemplateExecutionError, TemplateSyntaxError, Typed
from vedette.model.alerts import Alert
from vedette.model.errors import ConfigErrors
from vedette.model.labels import label_set

_NOON_MS = 1_800_014_400_000
"""2027-01-15 12:00 UTC."""
_LIBRARY = Library()


def _told(*, firing: bool = True, **labels: str) -> Told:
    alert = Alert(
        labels=label_set({"alertname": "Down", "job": "web", **labels}),
        annotations=(("summary", '<gone> & "lost"'), ("url", "https://runbook.example/?a=b&c")),
        starts_ms=_NOON_MS - 60_000,
        ends_ms=_NOON_MS,
        updated_ms=_NOON_MS,
        generator_url="http://vedette.example/graph?g0.expr=up",
    )
    return Told(alert, firing)


def _data(*told: Told) -> Typed:
    alerts = told or (_told(instance="a", severity="critical"), _told(instance="b", severity="critical", firing=False))
    return notification_data(
        NotificationFacts(
            "team+1", alerts, (("alertname", "Down"),), "http://vedette.example", "changed", (("x", "{{ .Status }}"),)
        )
    )


def _render(text: str, data: Typed | None = None) -> str:
    return _LIBRARY.render(text, data or _data(), now_ms=_NOON_MS)


@pytest.mark.parametrize(
    ("text", "output"),
    [
        pytest.param("plain", "plain", id="no template"),
        pytest.param(
            "{{ .Receiver }} {{ .Status }}", "team\\+1 firing", id="the receiver's name is quoted for patterns"
        ),
        pytest.param("{{ len .Alerts }} {{ len .Alerts.Firing }} {{ .Alerts.Resolved | len }}", "2 1 1", id="alerts"),
        pytest.param(
            "{{ range .Alerts }}{{ .Labels.instance }}={{ .Status }} {{ end }}", "a=firing b=resolved ", id="each alert"
        ),
        pytest.param(
            "{{ .GroupLabels }} {{ .CommonLabels }}",
            "alertname=Down alertname=Down, job=web, severity=critical",
            id="labels as text",
        ),
        pytest.param(
            '{{ .CommonLabels.Names }} {{ .CommonLabels.Values | join "/" }}',
            "[alertname job severity] Down/web/critical",
            id="names and values",
        ),
        pytest.param(
            '{{ (.CommonLabels.Remove (stringSlice "job")).SortedPairs }}',
            "alertname=Down, severity=critical",
            id="without some",
        ),
        pytest.param("{{ .CommonAnnotations.summary }}", '<gone> & "lost"', id="annotations as they are"),
        pytest.param(
            '{{ (index .Alerts 0).StartsAt.Format "15:04" }} {{ (index .Alerts 0).EndsAt.IsZero }}',
            "11:59 true",
            id="the end of an alert that fires is not told",
        ),
        pytest.param(
            '{{ (index .Alerts 1).EndsAt.Format "15:04" }}', "12:00", id="the end of an alert that has ended is"
        ),
        pytest.param("{{ (index .Alerts 0).StartsAt | since }}", "1m0s", id="since"),
        pytest.param("{{ (index .Alerts 0).Fingerprint | len }}", "16", id="fingerprints"),
        pytest.param('{{ routeLabels "x" }} {{ routeLabels "none" }}.', "firing .", id="labels of the route"),
        pytest.param("{{ .NotificationReason }}", "changed", id="the reason"),
        pytest.param('{{ template "__subject" . }}', "[FIRING:1] Down (web critical)", id="the subject"),
        pytest.param(
            '{{ template "slack.default.titlelink" . }}',
            "http://vedette.example/#/alerts?receiver=team%5C%2B1",
            id="a link",
        ),
        pytest.param('{{ template "slack.default.color" . }}', "danger", id="a colour"),
        pytest.param('{{ template "jira.default.priority" . }}', "High", id="a priority"),
    ],
)
def test_a_text_gives_what_it_gives_in_alertmanager(text: str, output: str) -> None:
    assert _render(text) == output


def test_a_list_of_alerts_has_alertmanagers_form() -> None:
    text = _render('{{ template "__text_alert_list" .Alerts.Firing }}')

    assert text == (
        "Labels:\n - alertname = Down\n - instance = a\n - job = web\n - severity = critical\n"
        'Annotations:\n - summary = <gone> & "lost"\n - url = https://runbook.example/?a=b&c\n'
        "Source: http://vedette.example/graph?g0.expr=up\n"
    )


def test_the_subject_of_what_has_ended_counts_nothing() -> None:
    assert _render('{{ template "__subject" . }}', _data(_told(firing=False))) == "[RESOLVED] Down (web)"


@pytest.mark.parametrize("name", sorted(_LIBRARY.names() - {""}))
def test_every_default_template_of_a_whole_message_can_be_rendered(name: str) -> None:
    if not name.endswith((".html",)) and ".default." not in name:
        return
    data = ".Alerts" if name.endswith("instances") else "."

    text = f'{{{{ template "{name}" {data} }}}}'

    assert _LIBRARY.missing(text) == frozenset()
    assert isinstance(_render(text), str)
    assert isinstance(_LIBRARY.render_html(text, _data(), now_ms=_NOON_MS), str)


def test_the_page_of_an_email_has_all_facts_and_escapes_them() -> None:
    page = _LIBRARY.render_html('{{ template "email.default.html" . }}', _data(), now_ms=_NOON_MS)

    for fact in (
        "[FIRING:1] Down (web critical)",
        "[1] Firing",
        "[1] Resolved",
        "instance",
        "&lt;gone&gt; &amp; &#34;lost&#34;",
        'href="https://runbook.example/?a=b&amp;c"',
        'href="http://vedette.example/graph?g0.expr=up"',
        "2027-01-15 11:59:00 UTC",
        "http://vedette.example/#/alerts?receiver=team%5C%2B1",
    ):
        assert fact in page
    assert "<gone>" not in page


def test_a_link_that_is_a_script_is_not_sent() -> None:
    told = Told(Alert((("alertname", "X"),), (), 0, 0, 0, "javascript:alert(1)"), firing=True)

    page = _LIBRARY.render_html('{{ template "email.default.html" . }}', _data(told), now_ms=_NOON_MS)

    assert "javascript:" not in page
    assert "#ZgotmplZ" in page


def test_templates_of_users_replace_default_ones(tmp_path: Path) -> None:
    (tmp_path / "a.tmpl").write_text('{{ define "__subject" }}mine{{ end }}{{ define "own" }}{{ .Status }}!{{ end }}')

    library = load_library([str(tmp_path / "*.tmpl")])

    assert (
        library.render('{{ template "slack.default.title" . }} {{ template "own" . }}', _data(), now_ms=0)
        == "mine firing!"
    )
    assert library.paths == (str(tmp_path / "a.tmpl"),)


def test_the_file_that_is_read_last_counts(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.tmpl").write_text(f'{{{{ define "x" }}}}{name}{{{{ end }}}}')

    assert load_library([str(tmp_path / "*.tmpl")]).render('{{ template "x" }}', None, now_ms=0) == "b"


def test_everything_that_is_wrong_with_files_is_reported_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "a.tmpl").write_text("fine\n{{ define }}")
    (tmp_path / "b.tmpl").write_text("{{ nosuch }}")
    (tmp_path / "c.tmpl").mkdir()

    with pytest.raises(ConfigErrors) as refused:
        load_library([str(tmp_path / "*.tmpl")])

    first, second, third = refused.value.errors
    assert (first.at.line, first.at.column, first.at.text) == (2, 11, "{{ define }}")
    assert first.problem == 'template: a.tmpl:2: unexpected "}}" in define clause'
    assert (second.at.file, second.at.line, second.at.column) == (str(tmp_path / "b.tmpl"), 1, 4)
    assert third.problem == "the file cannot be read: Is a directory"


def test_a_text_that_cannot_be_read_is_refused_every_time() -> None:
    for _ in range(2):
        with pytest.raises(TemplateSyntaxError) as refused:
            _render("{{ nosuch }}")
        assert str(refused.value) == 'template: :1: function "nosuch" not defined'


def test_a_text_can_be_checked_without_data() -> None:
    assert _LIBRARY.check("{{ .Status }}") is None
    assert str(_LIBRARY.check("{{ .Status")) == "template: :1: unclosed action"
    assert _LIBRARY.check('<a href="{{ if .Status }}"{{ end }}>') is None
    assert "different contexts" in str(_LIBRARY.check('<a href="{{ if .Status }}"{{ end }}>', html=True))


def test_route_labels_that_use_each_other_in_a_circle_are_an_error() -> None:
    data = data_of(RouteLabels=kv({"a": '{{ routeLabels "b" }}', "b": '{{ routeLabels "a" }}'}.items()))

    with pytest.raises(TemplateExecutionError, match="in a circle: a -> b -> a"):
        _render('{{ routeLabels "a" }}', data)


def test_the_limits_of_a_text_count() -> None:
    with pytest.raises(TemplateExecutionError, match="more than 5 bytes"):
        _LIBRARY.render("{{ .Status }}", _data(), now_ms=0, limits=Limits(output_bytes=5))


def test_values_of_other_sets_do_not_reach_later_texts() -> None:
    _render('{{ define "once" }}x{{ end }}{{ template "once" }}')

    assert "once" not in _LIBRARY.names()
    with pytest.raises(TemplateExecutionError, match="not defined"):
        _render('{{ template "once" }}')


_PIECES = (
    "{{",
    "}}",
    " . ",
    ".Alerts",
    ".Firing",
    ".CommonLabels",
    ".SortedPairs",
    "| join `,`",
    "| toJson",
    "{{ range .Alerts }}",
    "{{ end }}",
    "| date `2006`",
    "| tz `Europe/Paris`",
    "| since",
    "| safeHtml",
    "| urlUnescape",
    "{{ template `__subject` . }}",
    "| base64decode",
    "dict `a` 1",
    "list 1 2",
    "| append 1",
    "| title",
    "| trimSpace",
    "reReplaceAll `a` `b`",
    "x",
    "<a href='",
    "routeLabels `x`",
    "| humanizeDuration",
    "stringSlice `a`",
    "| len",
    "{{ if",
    "{{ with",
    ".Remove",
    "toDate `2006` `x`",
)


@given(st.lists(st.sampled_from(_PIECES), max_size=12).map(" ".join))
def test_any_text_is_rendered_or_refused(text: str) -> None:
    for render in (_LIBRARY.render, _LIBRARY.render_html):
        with contextlib.suppress(TemplateError):
            assert isinstance(render(text, _data(), now_ms=_NOON_MS, limits=Limits(steps=5_000)), str)
