from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vedette.alerting.inhibition import Inhibitor, InhibitRule, InhibitSource, build_inhibit_rules
from vedette.alerting.matchers import LabelMatcher, all_match, parse_matchers
from vedette.alerting.settings.inhibition import InhibitRuleSettings, InhibitSourceSettings
from vedette.model.matchers import MatchOp

NOW_MS = 1_000_000


def _rule(sources: str, targets: str, *equal: str) -> InhibitRule:
    return InhibitRule("r", (InhibitSource(parse_matchers(sources).matchers, equal),), parse_matchers(targets).matchers)


def _inhibited(rules: list[InhibitRule], firing: list[dict[str, str]], labels: dict[str, str]) -> bool:
    inhibitor = Inhibitor(rules)
    for number, one in enumerate(firing):
        inhibitor.put(str(number), one, NOW_MS + 1)
    return inhibitor.inhibited(inhibitor.targets(labels), NOW_MS) is not None


def test_labels_that_both_lack_are_equal() -> None:
    assert _inhibited([_rule("a=1", "b=1", "host")], [{"a": "1"}], {"b": "1"})
    assert not _inhibited([_rule("a=1", "b=1", "host")], [{"a": "1"}], {"b": "1", "host": "x"})


def test_an_alert_does_not_inhibit_itself() -> None:
    both = {"a": "1", "b": "1"}

    assert not _inhibited([_rule("a=1", "b=1")], [both], both)


def test_a_source_that_has_ended_does_not_inhibit() -> None:
    inhibitor = Inhibitor([_rule("a=1", "b=1")])
    inhibitor.put("x", {"a": "1"}, NOW_MS)

    assert inhibitor.inhibited(inhibitor.targets({"b": "1"}), NOW_MS) is None
    assert inhibitor.inhibited(inhibitor.targets({"b": "1"}), NOW_MS - 1) is not None


def test_a_source_that_was_dropped_does_not_inhibit() -> None:
    inhibitor = Inhibitor([_rule("a=1", "b=1")])
    inhibitor.put("x", {"a": "1"}, NOW_MS + 1)
    inhibitor.drop("x", {"a": "1"})

    assert inhibitor.inhibited(inhibitor.targets({"b": "1"}), NOW_MS) is None


def test_of_many_sources_only_some_are_named() -> None:
    inhibitor = Inhibitor([_rule("a=1", "b=1")])
    for number in range(1000):
        inhibitor.put(str(number), {"a": "1"}, NOW_MS + 1)

    found = inhibitor.inhibited(inhibitor.targets({"b": "1"}), NOW_MS)

    assert found is not None
    assert len(found.sources) == 5


def test_of_a_rule_with_several_sources_all_have_to_fire() -> None:
    rules = build_inhibit_rules([
        InhibitRuleSettings(
            sources=(
                InhibitSourceSettings(matchers=('alertname="A"',), equal=("host",)),
                InhibitSourceSettings(matchers=('alertname="B"',)),
            ),
            target_matchers=('alertname="C"',),
        )
    ])  # fmt: skip
    a, b, c = {"alertname": "A", "host": "x"}, {"alertname": "B"}, {"alertname": "C", "host": "x"}

    assert _inhibited(list(rules), [a, b], c)
    assert not _inhibited(list(rules), [a], c)
    assert not _inhibited(list(rules), [{**a, "host": "y"}, b], c)


def test_older_forms_mean_the_same() -> None:
    (rule,) = build_inhibit_rules([InhibitRuleSettings(source_match=(("a", "1"),), source_match_re=(("b", "x|y"),))])

    assert [str(one) for one in rule.sources[0].matchers] == ['a="1"', 'b=~"^(?:x|y)$"']
    assert rule.name == "rule 1"


_labels = st.dictionaries(st.sampled_from("abc"), st.sampled_from("12"), max_size=3)
_matcher = st.builds(
    LabelMatcher,
    st.sampled_from("abc"),
    st.sampled_from([MatchOp.EQUAL, MatchOp.NOT_EQUAL]),
    st.sampled_from(["", "1", "2"]),
)
_rules = st.builds(
    lambda sources, targets, equal: InhibitRule("r", (InhibitSource(tuple(sources), tuple(equal)),), tuple(targets)),
    st.lists(_matcher, min_size=1, max_size=2),
    st.lists(_matcher, min_size=1, max_size=2),
    st.lists(st.sampled_from("abc"), max_size=2, unique=True),
)


@given(st.lists(_rules, max_size=3), st.lists(_labels, max_size=5), _labels)
def test_inhibition_agrees_with_the_reference(
    rules: list[InhibitRule], firing: list[dict[str, str]], labels: dict[str, str]
) -> None:
    expected = any(
        all_match(rule.targets, labels)
        and all_match(source.matchers, other)
        and all(labels.get(name, "") == other.get(name, "") for name in source.equal)
        and not (all_match(source.matchers, labels) and all_match(rule.targets, other))
        for rule in rules
        for source in rule.sources
        for other in firing
    )

    assert _inhibited(rules, firing, labels) is expected
