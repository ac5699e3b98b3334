from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.rules import LabelTemplates
from vedette.config import NameScheme
from vedette.lang.promql import parse
from vedette.model.errors import ConfigErrors
from vedette.rules import AlertingRule, RecordingRule, RuleFile, load_rules, parse_rules


def read(text: str, **options: object) -> RuleFile:
    return parse_rules(text, "rules.yml", templates=LabelTemplates(), **options)  # type: ignore[arg-type]


def errors(text: str, **options: object) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        read(text, **options)
    return [f"{error.at}: {error.problem}" for error in caught.value.errors]


def one_rule(*lines: str) -> str:
    return "groups:\n  - name: g\n    rules:\n      - " + "\n        ".join(lines) + "\n"


def test_a_file_is_read_with_everything_that_it_says() -> None:
    file = read(
        """
groups:
  - name: node
    interval: 30s
    query_offset: 10s
    limit: 5
    labels: {team: ops, severity: info}
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
        labels: {unit: "", kind: sum}
      - alert: Down
        expr: up==0
        for: 5m
        keep_firing_for: 1m
        labels: {severity: page}
        annotations: {summary: "{{ $labels.instance }} is down", empty: ""}
"""
    )

    (group,) = file.groups
    recording, alerting = group.rules
    assert (group.key, group.interval_ms, group.query_offset_ms, group.limit) == ("rules.yml;node", 30_000, 10_000, 5)
    assert isinstance(recording, RecordingRule)
    assert recording.query == "sum by (job) (up)"
    assert recording.labels == (("kind", "sum"), ("severity", "info"), ("team", "ops"), ("unit", ""))
    assert isinstance(alerting, AlertingRule)
    assert (alerting.name, alerting.expr) == ("Down", parse("up == 0"))
    assert (alerting.hold_ms, alerting.keep_firing_ms, alerting.says_hold) == (300_000, 60_000, True)
    assert alerting.labels == (("severity", "page"), ("team", "ops"))
    assert alerting.annotations == (("empty", ""), ("summary", "{{ $labels.instance }} is down"))
    assert (alerting.at.line, alerting.at.column) == (12, 16)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("# nothing\n", id="a comment"),
        pytest.param("groups:\n", id="no groups"),
        pytest.param("groups: []\n", id="an empty list of groups"),
    ],
)
def test_a_file_without_groups_is_valid(text: str) -> None:
    assert read(text).groups == ()


def test_what_is_not_said_is_left_to_the_configuration() -> None:
    (group,) = read("groups:\n  - name: g\n    interval: 0s\n    rules:\n").groups

    assert (group.interval_ms, group.query_offset_ms, group.limit, group.rules) == (None, None, 0, ())


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(
            ["record: a", "alert: b", "expr: '1'"],
            "rules.yml:5:16: group \"g\", rule 1, \"b\": only one of 'record' and 'alert' must be set",
            id="both names",
        ),
        pytest.param(
            ["expr: '1'"],
            "rules.yml:4:9: group \"g\", rule 1, \"\": one of 'record' or 'alert' must be set",
            id="no name",
        ),
        pytest.param(
            ["record: a"],
            'rules.yml:4:17: group "g", rule 1, "a": field \'expr\' must be set in rule',
            id="no expression",
        ),
        pytest.param(
            ["record: a", "expr: sum(rate(b))"],
            'rules.yml:5:24: group "g", rule 1, "a": could not parse expression: 1:10: parse error: expected type range'
            ' vector in call to function "rate", got instant vector',
            id="a wrong type",
        ),
        pytest.param(
            ["record: a", "expr: frob(b)"],
            'rules.yml:5:15: group "g", rule 1, "a": could not parse expression: 1:1: parse error: unknown function'
            ' with name "frob"',
            id="an unknown function",
        ),
        pytest.param(
            ["record: a", "expr: '1'", "for: 1m"],
            'rules.yml:6:9: group "g", rule 1, "a": invalid field \'for\' in recording rule',
            id="for in a recording rule",
        ),
        pytest.param(
            ["record: a", "expr: '1'", "keep_firing_for: 1m"],
            'rules.yml:6:9: group "g", rule 1, "a": invalid field \'keep_firing_for\' in recording rule',
            id="keep_firing_for in a recording rule",
        ),
        pytest.param(
            ["record: a", "expr: '1'", "annotations: {b: c}"],
            'rules.yml:6:9: group "g", rule 1, "a": invalid field \'annotations\' in recording rule',
            id="annotations in a recording rule",
        ),
        pytest.param(
            ["record: 'sum(a{b=\"c\"})'", "expr: '1'"],
            'rules.yml:4:17: group "g", rule 1, "sum(a{b="c"})": braces present in the recording rule name; should it'
            ' be in expr?: sum(a{b="c"})',
            id="an expression for a name",
        ),
        pytest.param(
            ["record: a", "expr: '1'", "labels: {__name__: b}"],
            'rules.yml:6:18: group "g", rule 1, "a": invalid label name: __name__',
            id="another metric's name",
        ),
        pytest.param(
            ["alert: A", "expr: '1'", "for: often"],
            'rules.yml:6:14: group "g", rule 1, "A": for: not a valid duration string: "often"',
            id="no duration",
        ),
        pytest.param(
            ["alert: A", "expr: '1'", "annotations: {b: '{{ $label.x }}'}"],
            'rules.yml:6:26: group "g", rule 1, "A": annotation "b": template: __alert_A: unknown $label.x',
            id="a wrong template in an annotation",
        ),
        pytest.param(
            ["alert: A", "expr: '1'", "labels: {b: '{{ $label.x }}'}"],
            'rules.yml:6:21: group "g", rule 1, "A": label "b": template: __alert_A: unknown $label.x',
            id="a wrong template in a label",
        ),
        pytest.param(
            ["alert: A", "expr: '1'", "annotation: {b: c}"],
            'rules.yml:6:9: group "g", rule 1, "A": field annotation not found in a rule',
            id="an unknown field",
        ),
        pytest.param(
            ["alert: [A]", "expr: '1'"],
            'rules.yml:4:16: group "g", rule 1, "": alert: expected text, found a list',
            id="a list for a name",
        ),
    ],
)
def test_what_is_wrong_is_said_in_prometheus_words_with_its_place(lines: list[str], expected: str) -> None:
    found = errors(one_rule(*lines))

    assert expected in found


def test_templates_of_recording_rules_are_plain_text() -> None:
    (group,) = read(one_rule("record: a", "expr: '1'", "labels: {b: '{{ $label.x }}'}")).groups

    assert group.rules[0].labels == (("b", "{{ $label.x }}"),)


def test_all_errors_are_reported_in_order_of_their_lines() -> None:
    found = errors(
        """
groups:
  - name: g
    rules:
      - record: a
        expr: test +
  - name: g
    interval: x
    limit: many
    owner: me
    rules: [{alert: B, expr: '1', for: 1}]
  - rules: []
"""
    )

    assert found == [
        'rules.yml:6:21: group "g", rule 1, "a": could not parse expression: 1:7: parse error: unexpected end of input',
        'rules.yml:7:11: groupname: "g" is repeated in the same file',
        'rules.yml:8:15: interval: not a valid duration string: "x"',
        'rules.yml:9:12: limit: expected a whole number, found "many"',
        "rules.yml:10:5: field owner not found in a rule group",
        'rules.yml:11:40: group "g", rule 1, "B": for: not a valid duration string: "1"',
        "rules.yml:12:5: Groupname must not be empty",
    ]


@pytest.mark.parametrize(
    ("expr", "place"),
    [
        pytest.param("expr: a + +", "rules.yml:5:20", id="plain"),
        pytest.param("expr: 'a + +'", "rules.yml:5:21", id="quoted"),
        pytest.param('expr: "a +\\t+"', "rules.yml:5:15", id="with escapes: the expression"),
        pytest.param("expr: |\n          a +\n            +", "rules.yml:7:14", id="a block"),
        pytest.param("expr: >-\n          a +\n          +", "rules.yml:5:15", id="folded: the expression"),
        pytest.param("expr: a +\n          +", "rules.yml:5:15", id="over several lines: the expression"),
    ],
)
def test_an_error_in_an_expression_points_into_it_where_it_can(expr: str, place: str) -> None:
    (found,) = errors(one_rule("record: x", expr))

    assert found.startswith(f"{place}: ")


def test_unknown_fields_are_allowed_where_that_is_asked_for() -> None:
    file = read("namespace: x\n" + one_rule("record: a", "expr: '1'", "owner: me"), ignore_unknown=True)

    assert len(file.groups[0].rules) == 1


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        pytest.param("annotations: {ins-tance: a}", "invalid annotation name: ins-tance", id="annotation"),
        pytest.param("labels: {ins-tance: a}", "invalid label name: ins-tance", id="label"),
    ],
)
def test_names_with_other_characters_are_valid_unless_the_legacy_scheme_is_asked_for(line: str, problem: str) -> None:
    text = one_rule("alert: A", "expr: '1'", line)

    found = errors(text, scheme=NameScheme.LEGACY)

    assert len(read(text).groups) == 1
    assert found[0].endswith(problem)


def test_the_names_of_recording_rules_follow_the_legacy_scheme_too() -> None:
    text = one_rule("record: a.b", "expr: '1'")

    found = errors(text, scheme=NameScheme.LEGACY)

    assert len(read(text).groups) == 1
    assert found == ['rules.yml:4:17: group "g", rule 1, "a.b": invalid recording rule name: a.b']


def test_rules_over_logs_are_refused_with_their_place() -> None:
    found = errors("groups:\n  - name: g\n    type: logs\n    rules: []\n")

    assert found == ["rules.yml:3:11: rules over logs are not evaluated yet"]


def test_a_kubernetes_object_has_its_groups_below_spec() -> None:
    file = read(
        """
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: x, labels: {a: b}}
spec:
  groups:
    - name: g
      partial_response_strategy: warn
      rules: [{record: a, expr: "1"}]
"""
    )

    assert [group.name for group in file.groups] == ["g"]


def test_a_list_of_kubernetes_objects_has_the_groups_of_all() -> None:
    item = "  - kind: PrometheusRule\n    spec: {{groups: [{{name: {0}, rules: []}}]}}\n"

    file = read("kind: List\nitems:\n" + item.format("a") + item.format("b") + "  - kind: Secret\n    data: {}\n")

    assert [group.name for group in file.groups] == ["a", "b"]


def test_only_the_first_document_counts_and_a_warning_says_so() -> None:
    file = read("---\n" + one_rule("record: a", "expr: '1'") + "---\ngroups: [{name: other}]\n")

    assert [group.name for group in file.groups] == ["g"]
    assert [str(warning) for warning in file.warnings] == [
        "rules.yml:7:1: only the first YAML document of a rule file counts"
    ]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("---\n" + one_rule("record: a", "expr: '1'"), id="a line of three dashes before it"),
        pytest.param(one_rule("record: a", "expr: '1'") + "---\n# nothing\n", id="an empty second document"),
        pytest.param(one_rule("record: a", "expr: '1'") + "...\n", id="an end of document"),
        pytest.param(
            one_rule("alert: a", "expr: '1'", "annotations:", "  b: |", "    ---", "    c"), id="dashes in a text"
        ),
    ],
)
def test_one_document_has_no_warning(text: str) -> None:
    file = read(text)

    assert len(file.groups) == 1
    assert file.warnings == ()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[1, 2]", id="a list"),
        pytest.param("groups: {a: b}", id="groups that are a mapping"),
        pytest.param("groups: [a]", id="a group that is text"),
        pytest.param("groups: [{name: g, rules: {a: b}}]", id="rules that are a mapping"),
        pytest.param("groups: [{name: g, rules: [a]}]", id="a rule that is text"),
        pytest.param("groups: [{name: g, labels: [a], rules: []}]", id="labels that are a list"),
        pytest.param("groups: [{name: g, name: h}]", id="a key that is there twice"),
        pytest.param("groups: [", id="no YAML"),
        pytest.param("a: &a [*a]", id="an alias within itself"),
    ],
)
def test_a_file_of_another_form_is_refused_with_a_place(text: str) -> None:
    found = errors(text)

    assert all(error.startswith("rules.yml:") for error in found)


def test_several_files_are_read_and_their_errors_reported_together(tmp_path: pytest.TempPathFactory) -> None:
    good, bad = tmp_path / "good.yml", tmp_path / "bad.yml"  # type: ignore[operator]
    good.write_text(one_rule("record: a", "expr: '1'"))
    bad.write_text(one_rule("record: a"))

    with pytest.raises(ConfigErrors) as caught:
        load_rules([str(good), str(bad), str(tmp_path / "absent.yml")])  # type: ignore[operator]

    assert [error.at.file for error in caught.value.errors] == [str(bad), str(tmp_path / "absent.yml")]  # type: ignore[operator]
    assert load_rules([str(good)])[0].groups[0].file == str(good)


@given(st.text(alphabet="groupsname: rulexp[]{}-\n 'a1\"|>&*!#", max_size=120))
def test_any_text_is_read_or_refused_with_located_errors(text: str) -> None:
    with contextlib.suppress(ConfigErrors):
        read("groups:\n" + text)
