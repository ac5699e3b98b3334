from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.rules import LabelTemplates
from vedette.model.alerts import Alert
from vedette.rules import AlertData
from vedette.rules.unit_tests import FileResult, RunOptions, run_file

RULES = """
groups:
  - name: second
    rules:
      - record: twice
        expr: once * 2
  - name: first
    rules:
      - record: once
        expr: base + 1
      - alert: High
        expr: base > 2
        for: 2m
        labels: {severity: page}
        annotations: {text: "{{ $labels.job }} is at {{ $value }}"}
"""


def run(tmp_path: Path, text: str, **options: object) -> FileResult:
    (tmp_path / "rules.yml").write_text(RULES)
    file = tmp_path / "test.yml"
    file.write_text(text)
    return run_file(str(file), RunOptions(templates=LabelTemplates(), **options))  # type: ignore[arg-type]


def test_alerts_that_fire_as_expected_pass(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        """
rule_files: [rules.yml]
tests:
  - input_series:
      - {series: 'base{job="a"}', values: 1 2 3 3 3 1}
    alert_rule_test:
      - {eval_time: 3m, alertname: High}
      - eval_time: 4m30s
        alertname: High
        exp_alerts:
          - exp_labels: {severity: page, job: a}
            exp_annotations: {text: a is at 3}
      - {eval_time: 5m, alertname: High}
""",
    )

    assert result.failures == ()
    assert [case.name for case in result.cases] == ["unnamed#0"]


def test_what_fails_is_told_in_promtools_words(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        """
rule_files: [rules.yml]
tests:
  - name: everything wrong
    input_series:
      - {series: 'base{job="a"}', values: 3x9}
    alert_rule_test:
      - eval_time: 5m
        alertname: High
        exp_alerts:
          - exp_labels: {severity: info}
    promql_expr_test:
      - expr: base
        eval_time: 90s
        exp_samples:
          - {labels: 'base{job="a"}', value: 4}
          - {labels: 'base{job="b"}', value: 1.5e10}
      - {expr: base +, eval_time: 0}
      - {expr: base, exp_samples: [{labels: 'base{', value: 1}]}
      - {expr: 'base[5m]'}
      - {expr: 'up'}
      - {expr: 'up', exp_samples: [{value: 1}]}
""",
    )

    assert "\n".join(result.failures) == (
        "    name: everything wrong,\n"
        "    alertname: High, time: 5m, \n"
        "        exp:[\n"
        "            0:\n"
        '              Labels:{alertname="High", severity="info"}\n'
        "              Annotations:{}\n"
        "            ], \n"
        "        got:[\n"
        "            0:\n"
        '              Labels:{alertname="High", job="a", severity="page"}\n'
        '              Annotations:{text="a is at 3"}\n'
        "            ]\n"
        '    expr: "base", time: 1m30s,\n'
        '        exp: {__name__="base", job="a"} 4E+00, {__name__="base", job="b"} 1.5E+10\n'
        '        got: {__name__="base", job="a"} 3E+00\n'
        '    expr: "base +", time: 0s, err: 1:7: parse error: unexpected end of input\n'
        '    expr: "base", time: 0s, err: labels "base{": 1:6: parse error: unexpected end of input inside braces\n'
        '    expr: "base[5m]", time: 0s, err: rule result is not a vector or scalar\n'
        '    expr: "up", time: 0s,\n'
        "        exp: {} 1E+00\n"
        "        got: nil"
    )


def test_groups_are_evaluated_in_the_order_that_is_asked_for(tmp_path: Path) -> None:
    text = """
rule_files: [rules.yml]
tests:
  - input_series: [{series: base, values: 1 2 3}]
    promql_expr_test:
      - {expr: twice, eval_time: 2m, exp_samples: [{labels: twice, value: %s}]}
"""

    as_written = run(tmp_path, text % 6)
    in_order = run(tmp_path, "group_eval_order: [first, second]" + text % 8)

    assert (as_written.failures, in_order.failures) == ((), ())


def test_a_group_that_is_named_twice_in_the_order_is_an_error(tmp_path: Path) -> None:
    result = run(tmp_path, "group_eval_order: [a, b, a]\ntests: [{}]")

    assert result.problems == ("group name repeated in evaluation order: a",)


def test_samples_are_seen_up_to_the_last_evaluation(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        """
tests:
  - interval: 10s
    input_series: [{series: x, values: 0+1x100}]
    promql_expr_test:
      - {expr: x, eval_time: 50s, exp_samples: [{labels: x, value: 0}]}
  - interval: 10s
    input_series: [{series: x, values: 0+1x100}]
    promql_expr_test:
      - {expr: x, eval_time: 50s, exp_samples: [{labels: x, value: 5}]}
      - {expr: x, eval_time: 1m, exp_samples: [{labels: x, value: 6}]}
""",
    )

    assert result.failures == ()


def test_a_test_may_begin_at_another_time(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        """
tests:
  - start_timestamp: 2026-05-01T10:00:00Z
    input_series: [{series: x, values: 0+1x100}]
    promql_expr_test:
      - {expr: hour() + minute() / 100, eval_time: 5m, exp_samples: [{value: 10.05}]}
      - {expr: x, eval_time: 5m, exp_samples: [{labels: x, value: 5}]}
  - start_timestamp: 3600
    promql_expr_test:
      - {expr: time(), eval_time: 1s, exp_samples: [{value: 3601}]}
""",
    )

    assert result.failures == ()


@pytest.mark.parametrize(
    ("value", "fuzzy", "passes"),
    [
        pytest.param("3", "false", False, id="next to it"),
        pytest.param("3", "true", True, id="next to it, fuzzily"),
        pytest.param("3.000000000000001", "true", False, id="farther away"),
        pytest.param("2.9999999999999996", "false", True, id="the same"),
    ],
)
def test_numbers_are_compared_exactly_unless_fuzzily(tmp_path: Path, value: str, fuzzy: str, *, passes: bool) -> None:
    result = run(
        tmp_path,
        f"""
fuzzy_compare: {fuzzy}
tests:
  - input_series: [{{series: x, values: 2.9999999999999996}}]
    promql_expr_test: [{{expr: x, exp_samples: [{{labels: x, value: {value}}}]}}]
""",
    )

    assert (not result.failures) is passes


@pytest.mark.parametrize("value", [".inf", "+Inf", ".NaN", "0x10", "1_000", "1e3"])
def test_numbers_may_be_written_in_all_of_yamls_ways(tmp_path: Path, value: str) -> None:
    number = {".inf": "Inf", "+Inf": "Inf", ".NaN": "NaN", "0x10": "16", "1_000": "1000", "1e3": "1000"}[value]
    result = run(
        tmp_path,
        f"tests: [{{input_series: [{{series: x, values: {number}}}], promql_expr_test: [{{expr: x, exp_samples:"
        f" [{{labels: x, value: {value}}}]}}]}}]",
    )

    assert result.failures == ()


def test_only_the_tests_asked_for_are_run(tmp_path: Path) -> None:
    text = "tests: [{name: one}, {name: two}, {name: three}]"

    result = run(tmp_path, text, only=re.compile("two|ree"))

    assert [case.name for case in result.cases] == ["two", "three"]


def test_an_alert_test_without_a_name_is_an_error(tmp_path: Path) -> None:
    result = run(tmp_path, "tests: [{name: t, alert_rule_test: [{eval_time: 5m}]}]")

    assert result.failures == (
        "an item under alert_rule_test misses required attribute alertname at eval_time 5m (in TestGroup t)",
    )


def test_external_labels_are_there_for_templates(tmp_path: Path) -> None:
    class Shows(LabelTemplates):
        def check(self, text: str, alert: str) -> str:
            del text, alert
            return ""

        def expand(self, text: str, alert: str, data: AlertData) -> str:
            del text, alert
            return f"{dict(data.around.external_labels)} {data.around.external_url}"

    (tmp_path / "rules.yml").write_text(
        "groups: [{name: g, rules: [{alert: A, expr: '1', annotations: {a: '{{ }}'}}]}]"
    )
    (tmp_path / "t.yml").write_text(
        """
rule_files: [rules.yml]
tests:
  - external_labels: {zone: x}
    external_url: http://here
    alert_rule_test: [{alertname: A, exp_alerts: [{exp_annotations: {a: "{'zone': 'x'} http://here"}}]}]
"""
    )

    result = run_file(str(tmp_path / "t.yml"), RunOptions(templates=Shows()))

    assert result.failures == ()


def test_a_rule_that_fails_ends_its_test(tmp_path: Path) -> None:
    (tmp_path / "bad.yml").write_text("groups: [{name: g, rules: [{record: a, expr: x, labels: {job: ''}}]}]")
    result = run(
        tmp_path,
        """
rule_files: [bad.yml]
tests:
  - input_series: [{series: 'x{job="a"}', values: _ 1}, {series: 'x{job="b"}', values: 1 1}]
    promql_expr_test: [{expr: nothing, eval_time: 5m, exp_samples: [{value: 1}]}]
""",
    )

    assert result.failures == (
        "    rule: a, time: 1m0s, err: vector contains metrics with the same labelset after applying rule labels",
    )


def test_a_rule_that_writes_over_what_was_put_in_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "bad.yml").write_text("groups: [{name: g, rules: [{record: a, expr: vector(2)}]}]")

    result = run(
        tmp_path,
        "rule_files: [bad.yml]\n"
        "tests: [{input_series: [{series: a, values: 2 1}], promql_expr_test: [{expr: a, eval_time: 1m}]}]",
    )

    assert result.failures == ("    rule: a, time: 1m0s, err: duplicate sample for timestamp",)


def test_broken_rules_fail_every_test_and_tell_where(tmp_path: Path) -> None:
    (tmp_path / "bad.yml").write_text("groups: [{name: g, rules: [{record: a, expr: 'x +'}]}]")

    result = run(tmp_path, "rule_files: [bad.yml]\ntests: [{}, {}]")

    assert len(result.failures) == 2
    assert result.failures[0].startswith(f"{tmp_path}/bad.yml:1:")


def test_rule_files_are_found_by_patterns_and_missing_ones_are_named(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "a.rules").write_text("groups: [{name: a, rules: [{record: a, expr: '1'}]}]")
    (tmp_path / "more" / "b.rules").write_text("groups: [{name: b, rules: [{record: b, expr: '2'}]}]")

    result = run(
        tmp_path,
        f"rule_files: ['more/*.rules', {tmp_path}/absent.yml]\n"
        "tests: [{promql_expr_test: [{expr: a + b, exp_samples: [{value: 3}]}]}]",
    )

    assert result.failures == ()
    assert result.warnings == (f"no file match pattern {tmp_path}/absent.yml",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("tests: [{input: []}]", "test.yml:1:10: unknown option `input`", id="an unknown field"),
        pytest.param(
            "tests: [{alert_rule_test: [{eval_time: soon}]}]",
            'test.yml:1:40: eval_time: not a valid duration string: "soon"',
            id="no duration",
        ),
        pytest.param(
            "tests: [{promql_expr_test: [{exp_samples: [{value: many}]}]}]",
            'test.yml:1:52: value: expected a number, found "many"',
            id="no number",
        ),
        pytest.param(
            "tests: [{start_timestamp: today}]",
            'test.yml:1:27: start_timestamp: expected a time, found "today"',
            id="no time",
        ),
    ],
)
def test_a_test_file_of_another_form_is_refused_with_a_place(tmp_path: Path, text: str, expected: str) -> None:
    result = run(tmp_path, text)

    assert f"{tmp_path}/{expected}" in result.problems[0]


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    result = run_file(str(tmp_path / "absent.yml"), RunOptions())

    assert result.problems == (f"{tmp_path}/absent.yml: the file cannot be read: No such file or directory",)


@pytest.mark.parametrize(
    "series",
    [
        pytest.param("{series: 'up{job=\"a\"', values: 1}", id="labels that do not end"),
        pytest.param("{series: up, values: 1 x}", id="no values"),
        pytest.param("{series: up, values: 1x9999999999}", id="too many values"),
    ],
)
def test_series_that_cannot_be_put_in_fail_the_test(tmp_path: Path, series: str) -> None:
    result = run(tmp_path, f"tests: [{{input_series: [{series}]}}]")

    assert result.failures[0].startswith("error in input series up")


def test_a_test_that_would_take_for_ever_is_refused(tmp_path: Path) -> None:
    result = run(tmp_path, "evaluation_interval: 1ms\ntests: [{promql_expr_test: [{expr: '1', eval_time: 10y}]}]")

    assert result.failures == ("the test takes more than 1,000,000 evaluations",)


def test_what_asks_for_a_native_histogram_fails_and_says_why(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        "tests: [{input_series: [{series: h, values: '{{count:1}}'}], promql_expr_test: [{expr: h, exp_samples:"
        " [{labels: h, histogram: '{{count:1}}'}]}]}]",
    )

    assert result.failures == ('    expr: "h", time: 0s, err: native histograms cannot be compared yet',)


def test_alerts_that_would_be_sent_can_be_observed(tmp_path: Path) -> None:
    seen: list[tuple[str, int, str, bool]] = []

    def observe(test: str, at_ms: int, alerts: list[Alert]) -> None:
        seen.extend((test, at_ms, alert.name, alert.resolved_at(at_ms)) for alert in alerts)

    run(
        tmp_path,
        """
rule_files: [rules.yml]
tests:
  - name: t
    input_series: [{series: base, values: 3 3 3 1}]
    promql_expr_test: [{expr: base, eval_time: 4m}]
""",
        observe=observe,
    )

    assert seen == [("t", 120_000, "High", False), ("t", 180_000, "High", True)]


def test_rules_that_select_nothing_still_see_what_comes_later(tmp_path: Path) -> None:
    (tmp_path / "more.yml").write_text(
        "groups: [{name: g, rules: [{record: gone, expr: absent(late)}, {record: late, expr: 'vector(time()) >= 120'},"
        " {record: now, expr: vector(time()) unless nothing}]}]"
    )

    result = run(
        tmp_path,
        """
rule_files: [more.yml]
tests:
  - promql_expr_test:
      - {expr: 'count_over_time(gone[10m])', eval_time: 5m, exp_samples: [{value: 3}]}
      - {expr: now, eval_time: 5m, exp_samples: [{labels: now, value: 300}]}
""",
    )

    assert result.failures == ()
