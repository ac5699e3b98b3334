from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from simulation import plan_of

from vedette.alerting import Route, explain
from vedette.model.labels import label_set

TREE = """
route:
  receiver: all
  group_by: [alertname]
  group_wait: 10s
  routes:
  - matchers: [team="db"]
    receiver: db
    group_by: ['...']
    hold_flapping: true
    labels: {tier: one}
    routes:
    - matchers: [severity="critical"]
      receiver: pager
      continue: true
      labels: {page: 'yes'}
    - matchers: [severity=~"critical|warning"]
      group_by: []
      mute_time_intervals: [never]
  - matchers: [team!=""]
    repeat_interval: 1h
time_intervals: [{name: never, time_intervals: [{years: ['1999']}]}]
receivers: [{name: all}, {name: db}, {name: pager}]
"""


def _root() -> Route:
    return plan_of(TREE).root


def test_a_route_inherits_what_it_does_not_say() -> None:
    pager, chat = _root().match({"team": "db", "severity": "critical"})

    assert (pager.receiver, pager.group_by_all, pager.group_wait_ms, pager.hold_flapping) == (
        "pager",
        True,
        10_000,
        True,
    )
    assert (chat.receiver, chat.group_by_all, chat.group_by) == ("db", False, ())
    assert dict(pager.labels) == {"tier": "one", "page": "yes"}


def test_mute_intervals_are_not_inherited() -> None:
    routes = {route.id: route for route in _root().walk()}

    assert [route.mute_intervals for route in routes.values()] == [(), (), (), ("never",), ()]


def test_ids_are_unique_where_keys_are_not() -> None:
    root = plan_of("""
route: {receiver: a, routes: [{matchers: [x=y], continue: true}, {matchers: [x=y]}]}
receivers: [{name: a}]
""").root

    assert len({route.key for route in root.walk()}) == 2
    assert [route.id for route in root.walk()] == ["{}", '{}/{x="y"}/0', '{}/{x="y"}/1']


def test_group_keys_quote_values_as_go_does() -> None:
    labels = label_set({"alertname": 'a"b\n', "z": "ü"})
    root = plan_of("route: {receiver: a, group_by: ['...']}\nreceivers: [{name: a}]").root

    assert root.group_key(root.group_labels(labels)) == '{}:{alertname="a\\"b\\n", z="ü"}'


def test_the_explanation_names_what_refused_an_alert_and_where_it_was_taken() -> None:
    steps = explain(_root(), {"team": "db", "severity": "warning"})

    shown = [(step.depth, step.matched, str(step.refused_by or ""), step.taken) for step in steps]
    assert shown == [
        (0, True, "", False),
        (1, True, "", False),
        (2, False, 'severity="critical"', False),
        (2, True, "", True),
    ]


def test_the_explanation_agrees_with_the_match() -> None:
    for labels in ({}, {"team": "x"}, {"team": "db"}, {"team": "db", "severity": "critical"}):
        taken = [step.route for step in explain(_root(), labels) if step.taken]

        assert taken == _root_match(taken, labels)


def _root_match(taken: list[Route], labels: dict[str, str]) -> list[Route]:
    by_id = {route.id: route for route in taken}
    return [by_id[route.id] for route in _root().match(labels)]


# Against a slow, obvious reference: routes as dicts, matched by the documentation's words.

_nodes: Any = st.recursive(
    st.fixed_dictionaries({"match": st.dictionaries(st.sampled_from("ab"), st.sampled_from("xy"), max_size=2),
                           "continue": st.booleans(), "routes": st.just([])}),
    lambda children: st.fixed_dictionaries(
        {"match": st.dictionaries(st.sampled_from("ab"), st.sampled_from("xy"), max_size=2),
         "continue": st.booleans(), "routes": st.lists(children, max_size=3)}),
    max_leaves=8,
)  # fmt: skip


def _reference(node: dict[str, Any], labels: dict[str, str], path: tuple[int, ...]) -> list[tuple[int, ...]]:
    """It traverses the child nodes; if `continue` is false, it stops after the first matching child."""
    if any(labels.get(name, "") != value for name, value in node["match"].items()):
        return []
    found: list[tuple[int, ...]] = []
    for index, child in enumerate(node["routes"]):
        below = _reference(child, labels, (*path, index))
        found.extend(below)
        if below and not child["continue"]:
            return found
    return found or [path]


def _written(node: dict[str, Any], path: tuple[int, ...]) -> str:
    match = "{" + ", ".join(f"{name}: {value}" for name, value in node["match"].items()) + "}"
    routes = ", ".join(_written(child, (*path, index)) for index, child in enumerate(node["routes"]))
    receiver = "r" + "".join(f"_{step}" for step in path)
    head = f"receiver: {receiver}, continue: {str(node['continue']).lower()}, match: {match}" if path else "receiver: r"
    return f"{{{head}, routes: [{routes}]}}"


def _paths(node: dict[str, Any], path: tuple[int, ...]) -> list[tuple[int, ...]]:
    return [path, *(p for index, child in enumerate(node["routes"]) for p in _paths(child, (*path, index)))]


@given(st.lists(_nodes, max_size=3), st.dictionaries(st.sampled_from("abc"), st.sampled_from("xyz"), max_size=3))
def test_routing_agrees_with_the_reference(children: list[Any], labels: dict[str, str]) -> None:
    root = {"match": {}, "continue": False, "routes": children}
    names = ["r" + "".join(f"_{step}" for step in path) for path in _paths(root, ())]
    receivers = ", ".join(f"{{name: {name}}}" for name in names)

    taken = plan_of(f"route: {_written(root, ())}\nreceivers: [{receivers}]").root.match(labels)

    expected = ["r" + "".join(f"_{step}" for step in path) for path in _reference(root, labels, ())]
    assert [route.receiver for route in taken] == expected
