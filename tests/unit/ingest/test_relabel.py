from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.config.relabel import Action, NameScheme, RelabelRule, compile_regex
from vedette.ingest.relabel import apply, compile_rules, literals, lower, relabel, upper
from vedette.model.labels import LabelSet, label_set


def changed(labels: dict[str, str], **options: Any) -> dict[str, str] | None:
    after = apply(label_set(labels), [RelabelRule(**options)])
    return None if after is None else dict(after)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        pytest.param("$1", "ab", id="a number"),
        pytest.param("${1}x", "abx", id="a number in braces"),
        pytest.param("$1x", "", id="a name reaches as far as it can"),
        pytest.param("$second", "cd", id="a name"),
        pytest.param("${second}-$2", "cd-cd", id="a name in braces"),
        pytest.param("$$1", "$1", id="two dollars are one"),
        pytest.param("$9", "", id="no such group"),
        pytest.param("$01", "", id="no leading zero"),
        pytest.param("a$-$", "a$-$", id="a dollar that nothing follows"),
        pytest.param("${1", "${1", id="a brace that stays open"),
        pytest.param("$0", "ab:cd", id="the whole"),
    ],
)
def test_templates_are_filled_as_go_fills_them(template: str, expected: str) -> None:
    after = changed(
        {"a": "ab:cd"}, source_labels=("a",), regex="(.*):(?P<second>.*)", target_label="t", replacement=template
    )

    assert after is not None
    assert after.get("t", "") == expected


def test_a_group_that_did_not_take_part_is_empty() -> None:
    assert changed({"a": "x"}, source_labels=("a",), regex="(y)?x", target_label="t", replacement="[$1]") == {
        "a": "x",
        "t": "[]",
    }


def test_an_empty_replacement_removes_the_label() -> None:
    assert changed({"a": "x"}, target_label="a", replacement="") == {}


def test_regular_expressions_are_anchored_and_match_newlines() -> None:
    assert changed({"a": "xyz"}, source_labels=("a",), regex="y", action=Action.KEEP) is None
    assert changed({"a": "x\nz"}, source_labels=("a",), regex="x.z", action=Action.KEEP) is not None


def test_source_labels_that_are_absent_count_as_empty() -> None:
    after = changed({"a": "1"}, source_labels=("a", "b", "a"), separator="-", target_label="t")

    assert after is not None
    assert after["t"] == "1--1"


def test_a_target_that_is_no_label_name_is_left_out_under_the_legacy_rules() -> None:
    rules = [RelabelRule(source_labels=("a",), regex="(.*)", target_label="${1}", replacement="v")]
    labels: LabelSet = (("a", "x.y"),)

    assert relabel(labels, compile_rules(rules, NameScheme.LEGACY)) == labels
    assert relabel(labels, compile_rules(rules, NameScheme.UTF8)) == (("a", "x.y"), ("x.y", "v"))


def test_labels_that_labelmap_makes_are_not_mapped_again() -> None:
    assert changed({"a": "1"}, action=Action.LABELMAP, regex="(.*)", replacement="a$1") == {"a": "1", "aa": "1"}


def test_no_rules_change_nothing() -> None:
    assert relabel((("a", "b"),), ()) == (("a", "b"),)


@pytest.mark.parametrize(
    ("text", "lowered", "raised"),
    [
        ("AbC", "abc", "ABC"),
        ("ÄÖ", "äö", "ÄÖ"),
        ("ß", "ß", "ß"),
        ("İ", "i", "İ"),
        ("\u0391\u03a3", "\u03b1\u03c3", "\u0391\u03a3"),
        ("ᾳ", "ᾳ", "ᾼ"),
    ],
)
def test_letters_change_case_one_by_one_as_in_go(text: str, lowered: str, raised: str) -> None:
    assert lower(text) == lowered
    assert upper(text) == raised


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("a", {"a"}),
        ("", {""}),
        ("(a|b)", {"a", "b"}),
        ("(?:a|b\\.c)", {"a", "b.c"}),
        ("a.b", None),
        ("(a)|(b)", None),
        ("a\\d", None),
        ("^a$", None),
    ],
)
def test_patterns_without_magic_are_compared_as_words(pattern: str, words: set[str] | None) -> None:
    assert literals(pattern) == words


@given(
    st.sampled_from(
        ["a.*", "a|b", "(a|bc)", ".*", ".+", "(.+)", "(.*)", "a\\.b", "a\\.b.*", "", "[ab]+", "a\\|b", "a|b.*", "(?i)A"]
    ),
    st.text(alphabet="abcA.|\n", max_size=5),
)
def test_the_ways_around_regular_expressions_agree_with_them(pattern: str, text: str) -> None:
    kept = changed({"x": "1", "a": text}, source_labels=("a",), regex=pattern, action=Action.KEEP)

    assert (kept is not None) is (compile_regex(pattern).fullmatch(text) is not None)


LABELS = st.dictionaries(st.sampled_from(["a", "b", "__name__", "x.y"]), st.text(alphabet="ab1;ü", max_size=3))
RULES = st.builds(
    RelabelRule,
    source_labels=st.lists(st.sampled_from(["a", "b", "c"]), max_size=2).map(tuple),
    regex=st.sampled_from(["(.*)", "a(.*)", "(a|b)", "[^;]+;(.*)"]),
    modulus=st.just(7),
    target_label=st.sampled_from(["a", "t", "t_${1}"]),
    replacement=st.sampled_from(["$1", "", "x", "${1}y"]),
    action=st.sampled_from(Action),
)


@given(LABELS, st.lists(RULES, max_size=4))
def test_a_relabelled_set_is_sorted_and_has_no_empty_values(labels: dict[str, str], rules: list[RelabelRule]) -> None:
    after = apply(label_set(labels), rules)

    assert after is None or after == label_set(after)
