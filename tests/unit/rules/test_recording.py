from __future__ import annotations

import pytest

from harness.rules import MINUTE, answer, groups_of, labels_of, store_of
from vedette.model.labels import LabelSet
from vedette.rules import RecordingRule
from vedette.rules.outcome import RuleError
from vedette.rules.recording import DUPLICATE, Recording
from vedette.rules.unit_tests.store import UnitTestStore

LOAD = ('load{job="a",host="x"} 1x9', 'load{job="a",host="y"} 2x9', 'load{job="b",host="z"} 3x9')


def recording(expr: str, labels: str = "{}") -> Recording:
    rule = groups_of(f"groups: [{{name: g, rules: [{{record: out, expr: '{expr}', labels: {labels}}}]}}]")[0].rules[0]
    assert isinstance(rule, RecordingRule)
    return Recording(rule)


def step(machine: Recording, store: UnitTestStore, minute: int = 0, *, limit: int = 0) -> dict[LabelSet, float]:
    samples = machine.step(answer(store, machine.rule.query, minute * MINUTE), limit=limit)
    return {samples.numbers.labels(n): v for n, v in zip(samples.series.tolist(), samples.values.tolist(), strict=True)}


def test_an_answer_is_stored_under_the_rules_name_and_labels() -> None:
    found = step(recording("sum by (job) (load)", "{kind: sum}"), store_of(*LOAD))

    assert found == {
        labels_of(name="out", job="a", kind="sum"): 3.0,
        labels_of(name="out", job="b", kind="sum"): 3.0,
    }


def test_a_label_with_an_empty_text_is_removed() -> None:
    found = step(recording('load{host="x"}', "{host: ''}"), store_of(*LOAD))

    assert found == {labels_of(name="out", job="a"): 1.0}


def test_a_scalar_is_a_series_with_the_rules_labels() -> None:
    assert step(recording("1 + 1", "{a: b, c: ''}"), store_of()) == {labels_of(name="out", a="b"): 2.0}


def test_series_that_become_the_same_are_an_error() -> None:
    with pytest.raises(RuleError, match=DUPLICATE):
        step(recording("load", "{host: all}"), store_of(*LOAD))


def test_series_that_differ_in_their_names_alone_are_an_error() -> None:
    with pytest.raises(RuleError, match=DUPLICATE):
        step(recording('{__name__=~"a|b"}'), store_of("a 1", "b 1"))


@pytest.mark.parametrize(
    ("limit", "fails"),
    [
        pytest.param(0, False, id="no limit"),
        pytest.param(-1, False, id="a negative one is none"),
        pytest.param(3, False, id="as many"),
        pytest.param(2, True, id="more"),
    ],
)
def test_more_series_than_the_limit_fail(limit: int, *, fails: bool) -> None:
    machine, store = recording("load"), store_of(*LOAD)

    if fails:
        with pytest.raises(RuleError, match="exceeded limit of 2 with 3 series"):
            step(machine, store, limit=limit)
    else:
        assert len(step(machine, store, limit=limit)) == 3


def test_series_keep_their_numbers() -> None:
    machine, store = recording("load"), store_of(*LOAD)
    first = machine.step(answer(store, "load", 0), limit=0)

    again = machine.step(answer(store, "load", MINUTE), limit=0)

    assert again.series.tolist() == first.series.tolist()
