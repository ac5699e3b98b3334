from __future__ import annotations

import pytest

from vedette.lang.promql import parse
from vedette.query.smallness import Judgements, most_steps


@pytest.mark.parametrize(
    ("query", "steps", "expected"),
    [
        pytest.param('up{instance="a"}', 1, True, id="exact labels"),
        pytest.param("1 + time()", 1, True, id="no series at all"),
        pytest.param('rate(x{instance="a"}[5m])', 361, True, id="six hours of a panel"),
        pytest.param('rate(x{instance="a"}[1h])', 361, False, id="long windows, many of them"),
        pytest.param('rate(x{instance="a"}[1h])', 1, True, id="one long window"),
        pytest.param('up{instance=~"a"}', 1, False, id="a pattern may be run over any number of values"),
        pytest.param('up{instance!="a"}', 1, False, id="what is not excluded may be much"),
        pytest.param('up{instance=""}', 1, False, id="nor is an absent label found by name"),
        pytest.param('max_over_time(up{instance="a"}[5m:1m])', 1, False, id="a subquery"),
        pytest.param('rate(x{instance="a"}[step()])', 1, False, id="a window whose length is yet to be found"),
        pytest.param('info(up{instance="a"})', 1, False, id="a function that looks for other series"),
        pytest.param('up{instance="a"}', 10_000, False, id="very many steps"),
        pytest.param(" + ".join(['up{instance="a"}'] * 40), 1, False, id="a long expression"),
    ],
)
def test_a_query_is_small_if_it_names_its_series_and_looks_at_little(query: str, steps: int, *, expected: bool) -> None:
    assert (steps <= most_steps(parse(query))) is expected


def test_judgements_are_those_of_the_expression_and_are_not_kept_for_ever() -> None:
    judgements = Judgements()
    small, large = parse('up{instance="a"}'), parse("up[5m:1m]")

    for _ in range(2):
        assert judgements.most_steps(small) == most_steps(small) > 0
        assert judgements.most_steps(large) == 0
    for number in range(2_000):
        judgements.most_steps(parse(f"up{{instance='{number}'}}"))

    assert len(judgements._known) <= 512
