from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from memory_source import MemorySource

from vedette.lang.promql import parse
from vedette.model.errors import (
    LimitExceededError,
    QueryCancelledError,
    QueryError,
    QueryExecutionError,
    QueryTimeoutError,
)
from vedette.model.samples import STALE
from vedette.query.promql import (
    EvalOptions,
    InstantResult,
    RangeResult,
    RangeVector,
    Scalar,
    String,
    Vector,
    evaluate_instant,
    evaluate_range,
)

MINUTE_MS = 60_000


def ups(count: int) -> MemorySource:
    source = MemorySource()
    for i in range(count):
        for minute in range(11):
            labels = (("__name__", "up"), ("instance", f"host-{i:03}"), ("job", "node"))
            source.add(labels, minute * MINUTE_MS, float(i))
    return source


def ask(source: MemorySource, text: str, options: EvalOptions | None = None) -> RangeResult:
    return evaluate_range(
        parse(text), start_ms=0, end_ms=10 * MINUTE_MS, step_ms=MINUTE_MS, source=source, options=options
    )


def ask_now(source: MemorySource, text: str, options: EvalOptions | None = None) -> InstantResult:
    return evaluate_instant(parse(text), at_ms=10 * MINUTE_MS, source=source, options=options)


def elements(result: InstantResult) -> dict[tuple[tuple[str, str], ...], float]:
    assert isinstance(result.value, Vector)
    return dict(zip(result.value.labels.label_sets(), result.value.values.tolist(), strict=True))


def test_a_scalar_becomes_one_series_without_labels() -> None:
    result = ask(ups(0), "1 + 1")

    assert result.matrix.labels.label_sets() == [()]
    assert result.matrix.values.tolist() == [[2.0] * 11]


def test_series_of_a_range_query_stand_in_the_order_of_their_labels() -> None:
    source = MemorySource.of(
        {
            (("__name__", "z"),): [(0, 1.0)],
            (("__name__", "a"), ("x", "2")): [(0, 1.0)],
            (("__name__", "a"), ("b", "9"), ("x", "1")): [(0, 1.0)],
            (("__name__", "a"),): [(0, 1.0)],
        }
    )

    result = ask(source, '{__name__=~".+"}')

    found = result.matrix.labels.label_sets()
    assert found == sorted(found)
    assert len(found) == 4


def test_a_string_is_an_answer_to_an_instant_query_only() -> None:
    assert ask_now(ups(0), '"hello"').value == String(10 * MINUTE_MS, "hello")
    with pytest.raises(QueryError, match='invalid expression type "string" for range query'):
        ask(ups(0), '"hello"')


def test_a_range_vector_holds_the_samples_of_its_window_without_stale_markers() -> None:
    source = MemorySource.of({"up": [(5 * MINUTE_MS, 1.0), (6 * MINUTE_MS, 2.0), (7 * MINUTE_MS, float(STALE))]})

    value = ask_now(source, "up[5m]").value

    assert isinstance(value, RangeVector)
    assert value.runs.times.tolist() == [6 * MINUTE_MS]
    assert value.runs.values.tolist() == [2.0]


def test_a_subquery_by_itself_holds_a_sample_for_each_of_its_steps() -> None:
    value = ask_now(ups(1), "up[3m:1m]").value

    assert isinstance(value, RangeVector)
    assert value.runs.times.tolist() == [8 * MINUTE_MS, 9 * MINUTE_MS, 10 * MINUTE_MS]


def test_more_steps_than_allowed_are_refused_with_the_options_name() -> None:
    with pytest.raises(LimitExceededError, match=r"query\.max_points"):
        ask(ups(1), "up", EvalOptions(max_points=10))


def test_more_series_than_allowed_are_refused() -> None:
    with pytest.raises(LimitExceededError, match=r"query\.max_series"):
        ask(ups(5), "up", EvalOptions(max_series=4))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("up", id="the result"),
        pytest.param("count_values('v', up + time())", id="rows made of values"),
        pytest.param("sum_over_time(up[1000d:1ms])", id="the steps of a subquery"),
        pytest.param("up + on (job) group_left () up", id="pairs of series"),
    ],
)
def test_more_samples_than_allowed_are_refused_before_they_fill_the_memory(text: str) -> None:
    source = ups(1) if "group_left" in text else ups(100)

    with pytest.raises(LimitExceededError, match=r"query\.max_samples"):
        ask(source, text, EvalOptions(max_samples=1_150 if "group_left" not in text else 20))


def test_a_sum_over_many_series_needs_no_memory_for_their_rows() -> None:
    options = EvalOptions(max_samples=1_200)

    result = ask(ups(100), "sum(rate(up[5m]))", options)

    assert result.matrix.present.sum() == 10
    assert result.stats.samples_read == 1_100
    assert result.stats.series_selected == 100


@pytest.mark.parametrize("error", [QueryTimeoutError, QueryCancelledError])
def test_a_query_ends_where_its_check_says_so(error: type[Exception]) -> None:
    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls > 2:
            raise error("enough")

    with pytest.raises(error, match="enough"):
        ask(ups(3), "sum(up) + count(up)", EvalOptions(check=check))


def test_an_error_in_one_thread_is_the_querys_error() -> None:
    source = ups(300)
    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls > 3:
            raise QueryTimeoutError("enough")

    with ThreadPoolExecutor(2) as executor, pytest.raises(QueryTimeoutError):
        ask(source, "sum(up)", EvalOptions(check=check, executor=executor, workers=3))


def test_an_executor_that_is_busy_does_not_hold_up_a_query() -> None:
    release = threading.Event()
    with ThreadPoolExecutor(1) as executor:
        busy = executor.submit(release.wait)
        options = EvalOptions(executor=executor, workers=2)

        result = ask(ups(300), "sum(up)", options)

        release.set()
        busy.result()
    assert result.matrix.values[0, 0] == sum(range(300))


def test_names_go_at_once_unless_their_removal_is_delayed() -> None:
    source = MemorySource.of(
        {
            (("__name__", "a"),): [(0, 1.0), (10 * MINUTE_MS, 2.0)],
            (("__name__", "b"),): [(0, 1.0), (10 * MINUTE_MS, 2.0)],
        }
    )
    text = 'label_replace(max_over_time({__name__=~"a|b"}[5m]), "was", "$1", "__name__", "(.*)")'

    with pytest.raises(QueryExecutionError, match="same labelset"):
        ask_now(source, text)
    delayed = elements(ask_now(source, text, EvalOptions(delayed_name_removal=True)))

    assert delayed == {(("was", "a"),): 2.0, (("was", "b"),): 2.0}


def test_equal_parts_of_a_query_are_read_once() -> None:
    once = ask(ups(10), "rate(up[5m])").stats.samples_read

    twice = ask(ups(10), "rate(up[5m]) / rate(up[5m])").stats.samples_read

    assert twice == once


def test_a_remark_on_a_repeated_part_shows_the_last_place() -> None:
    result = ask(ups(1), "rate(up[5m]) + rate(up[5m])")

    _, infos = result.annotations.render("rate(up[5m]) + rate(up[5m])")

    text = "PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket"
    assert infos == [f'{text}: "up" (1:21)']


def test_a_remark_on_rows_that_an_aggregation_uses_up_is_made() -> None:
    result = ask(ups(2), "sum(rate(up[5m]))")

    assert [annotation.text[:45] for annotation in result.annotations] == [
        "PromQL info: metric might not be a counter, n"
    ]


def test_no_remark_is_made_on_series_without_result() -> None:
    result = ask(ups(2), "sum(rate(up[30s]))")

    assert len(result.annotations) == 0


def test_what_does_not_change_with_time_is_computed_for_one_step() -> None:
    seen: list[float] = []

    def clock() -> float:
        seen.append(0.0)
        return float(len(seen))

    result = ask(ups(3), "sum(up @ 60)", EvalOptions(clock_s=clock))

    assert result.matrix.values.tolist() == [[3.0] * 11]
    assert result.stats.samples_read == 33
    assert (0, 12) in result.stats.node_seconds


def test_an_instant_query_keeps_the_order_of_rank() -> None:
    value = ask_now(ups(5), "topk(3, up)").value

    assert isinstance(value, Vector)
    assert value.values.tolist() == [4.0, 3.0, 2.0]


def test_a_result_in_which_nothing_is_there_is_empty() -> None:
    assert elements(ask_now(ups(3), "up > 100")) == {}
    assert ask(ups(3), "up > 100").matrix.values.shape == (0, 11)


def test_the_options_decide_the_lookback_and_the_default_step() -> None:
    source = MemorySource.of({"up": [(6 * MINUTE_MS, 1.0)]})

    assert elements(ask_now(source, "up", EvalOptions(lookback_ms=4 * MINUTE_MS))) == {}
    assert len(elements(ask_now(source, "up", EvalOptions(lookback_ms=4 * MINUTE_MS + 1)))) == 1
    counted = ask_now(source, "count_over_time(vector(1)[10m:])", EvalOptions(default_step_ms=30_000))
    assert list(elements(counted).values()) == [20.0]


def test_a_steps_time_that_is_no_multiple_of_the_range_end_is_left_out() -> None:
    result = evaluate_range(parse("time()"), start_ms=0, end_ms=100, step_ms=30, source=ups(0))

    assert result.matrix.times.tolist() == [0, 30, 60, 90]
    assert np.isclose(result.matrix.values[0], [0, 0.03, 0.06, 0.09]).all()


@pytest.mark.parametrize(("start_ms", "end_ms", "step_ms"), [(0, 10, 0), (0, 10, -5), (10, 0, 5)])
def test_times_that_make_no_range_are_refused(start_ms: int, end_ms: int, step_ms: int) -> None:
    with pytest.raises(QueryError):
        evaluate_range(parse("up"), start_ms=start_ms, end_ms=end_ms, step_ms=step_ms, source=ups(0))


def test_a_scalar_answers_an_instant_query() -> None:
    assert ask_now(ups(0), "scalar(vector(7))").value == Scalar(10 * MINUTE_MS, 7.0)


def test_a_repeated_part_does_not_hurry_the_remarks_on_others() -> None:
    text = "sum(rate(up[5m]) * scalar(sum(up)) * scalar(sum(up)))"

    result = ask(ups(2), text)

    assert len(result.annotations) == 1
    assert result.annotations.render(text)[1][0].endswith('"up" (1:10)')


def test_many_small_groups_are_added_up_like_few_large_ones() -> None:
    source = MemorySource()
    for i in range(300):
        labels = (("__name__", "x"), ("group", str(i % 150)), ("series", str(i)))
        for minute in range(11):
            source.add(labels, minute * MINUTE_MS, float(i))

    with ThreadPoolExecutor(2) as executor:
        options = EvalOptions(executor=executor, workers=3)
        found = {
            op: elements(ask_now(source, f"{op} by (group) (x)", options)) for op in ("sum", "avg", "max", "stddev")
        }

    for i in range(150):
        key = (("group", str(i)),)
        assert found["sum"][key] == i + i + 150
        assert found["avg"][key] == i + 75
        assert found["max"][key] == i + 150
        assert found["stddev"][key] == 75


def test_an_average_that_would_overflow_is_a_running_mean_in_every_thread() -> None:
    source = MemorySource()
    for i in range(300):
        source.add((("__name__", "x"), ("series", str(i))), 10 * MINUTE_MS, 1e307 if i % 2 else 1.5e307)

    with ThreadPoolExecutor(2) as executor:
        options = EvalOptions(executor=executor, workers=3)
        (mean,) = elements(ask_now(source, "avg(x)", options)).values()
        (total,) = elements(ask_now(source, "sum(x)", options)).values()

    assert np.isclose(mean, 1.25e307, rtol=1e-12)
    assert total == np.inf


@pytest.mark.parametrize("op", ["topk", "bottomk"])
def test_ranking_in_several_threads_keeps_the_best_of_all(op: str) -> None:
    source = ups(300)

    with ThreadPoolExecutor(2) as executor:
        result = ask(source, f"{op} by (job) (3, up)", EvalOptions(executor=executor, workers=3))
        value = ask_now(source, f"{op}(2, up)", EvalOptions(executor=executor, workers=3)).value

    best = {297.0, 298.0, 299.0} if op == "topk" else {0.0, 1.0, 2.0}
    assert set(result.matrix.values[:, 0].tolist()) == best
    assert result.matrix.present.all()
    assert isinstance(value, Vector)
    assert value.values.tolist() == ([299.0, 298.0] if op == "topk" else [0.0, 1.0])


def test_ranking_more_than_there_are_keeps_all() -> None:
    assert ask(ups(7), "topk(100, up)").matrix.present.sum() == 77
    assert ask(ups(7), "topk(time() / 300, up)").matrix.present.sum() == 0 * 5 + 1 * 5 + 2
