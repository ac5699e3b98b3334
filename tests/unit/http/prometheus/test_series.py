from __future__ import annotations

import json
import math
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from harness.intake import NOW_MS, Intake, series
from vedette.http.prometheus.series import SeriesApi, unescape_label_name
from vedette.model.errors import QueryError
from vedette.model.labels import label_set
from vedette.model.samples import Exemplar, Metadata, MetricType
from vedette.query.exemplars import ExemplarReads

NOW_S = NOW_MS / 1000


def request(parameters: dict[str, Any] | None = None, **path: str) -> Request:
    query = urlencode(parameters or {}, doseq=True).encode()
    return Request({"type": "http", "method": "GET", "query_string": query, "headers": [], "path_params": path})


def answered(response: Any) -> Any:
    return json.loads(response.body)


@pytest.fixture
def intake() -> Intake:
    """Three series with a sample each, a minute apart; and one without any."""
    intake = Intake()
    named = [series("a", x="1"), series("a", x="2"), series("b", y="ü"), series("empty", z="1")]
    slots, _ = intake.writer.resolve("test", named)
    times = NOW_MS - 60_000 * np.arange(3)
    intake.writer.take("test", slots[:3], times, np.ones(3), patience_ms=1)
    return intake


@pytest.fixture
def api(intake: Intake) -> SeriesApi:
    return SeriesApi(intake.index, intake.metadata, ExemplarReads(intake.index, intake.exemplars, None))


async def test_series_of_several_selectors_are_found_once(api: SeriesApi) -> None:
    found = answered(await api.series(request({"match[]": ["a", '{x="1"}']})))

    assert found["data"] == [{"__name__": "a", "x": "1"}, {"__name__": "a", "x": "2"}]


async def test_a_series_without_samples_is_not_there(api: SeriesApi) -> None:
    assert answered(await api.series(request({"match[]": "empty"})))["data"] == []
    assert "z" not in answered(await api.label_names(request()))["data"]


async def test_series_are_found_by_time(api: SeriesApi) -> None:
    times = {"start": NOW_S - 70, "end": NOW_S - 30}

    assert answered(await api.series(request({"match[]": "a", **times})))["data"] == [{"__name__": "a", "x": "2"}]
    assert answered(await api.label_names(request(times)))["data"] == ["__name__", "x"]
    assert answered(await api.label_values(request(times, name="x")))["data"] == ["2"]


async def test_a_limit_cuts_what_is_found_and_says_so_only_then(api: SeriesApi) -> None:
    cut = answered(await api.series(request({"match[]": "a", "limit": 1})))
    whole = answered(await api.series(request({"match[]": "a", "limit": 2})))

    assert len(cut["data"]) == 1
    assert cut["warnings"] == ["results truncated due to limit"]
    assert len(whole["data"]) == 2
    assert "warnings" not in whole
    values = answered(await api.label_values(request({"limit": 1}, name="x")))
    assert values == {"status": "success", "data": ["1"], "warnings": ["results truncated due to limit"]}


async def test_times_the_wrong_way_round_are_refused(api: SeriesApi) -> None:
    with pytest.raises(QueryError, match="end timestamp must not be before start"):
        await api.series(request({"match[]": "a", "start": 2, "end": 1}))
    with pytest.raises(QueryError, match="end timestamp must not be before start"):
        await api.query_exemplars(request({"query": "a", "start": 2, "end": 1}))


async def test_metadata_is_limited_by_family_and_entry(api: SeriesApi, intake: Intake) -> None:
    intake.metadata.describe([Metadata("a", MetricType.GAUGE, "", text) for text in ("1", "2")])
    intake.metadata.describe([Metadata("b", MetricType.GAUGE_HISTOGRAM, "s", "")])

    assert list(answered(await api.family_metadata(request({"limit": 1})))["data"]) == ["a"]
    one = answered(await api.family_metadata(request({"limit_per_metric": 1})))["data"]
    assert one == {
        "a": [{"type": "gauge", "unit": "", "help": "2"}],
        "b": [{"type": "gaugehistogram", "unit": "s", "help": ""}],
    }
    assert answered(await api.family_metadata(request({"metric": "nope"})))["data"] == {}


@pytest.mark.parametrize(
    ("value", "text"), [(0.43, "0.43"), (math.inf, "+Inf"), (math.nan, "NaN"), (1e21, "1e+21"), (1e20, "1" + "0" * 20)]
)
async def test_exemplars_are_written_as_samples_are(api: SeriesApi, intake: Intake, value: float, text: str) -> None:
    (slot,) = intake.slots("b")
    intake.exemplars.add(slot, Exemplar(label_set({"trace_id": "t"}), value, NOW_MS + 1), sample_time_ms=0)

    found = answered(await api.query_exemplars(request({"query": "sum(b) + rate(a[5m])"})))["data"]

    assert found == [
        {
            "seriesLabels": {"__name__": "b", "y": "ü"},
            "exemplars": [{"labels": {"trace_id": "t"}, "value": text, "timestamp": (NOW_MS + 1) / 1000}],
        }
    ]


@pytest.mark.parametrize(
    ("escaped", "plain"),
    [
        pytest.param("job", "job", id="nothing to unescape"),
        pytest.param("U__http_2e_status", "http.status", id="a point"),
        pytest.param("U__a__b", "a_b", id="an underscore"),
        pytest.param("U__l_e4_bel", "läbel", id="a letter beyond ASCII"),
        pytest.param("U___1F600_", "😀", id="a character beyond the first plane"),
        pytest.param("U__", "", id="nothing"),
        pytest.param("U__a_2e", "U__a_2e", id="an escape without an end"),
        pytest.param("U__a_zz_", "U__a_zz_", id="not hexadecimal"),
        pytest.param("U__a_110000_", "U__a_110000_", id="beyond Unicode"),
        pytest.param("U__a_0000002e_", "U__a_0000002e_", id="too many digits"),
    ],
)
def test_names_in_paths_are_unescaped_where_they_are_escaped_well(escaped: str, plain: str) -> None:
    assert unescape_label_name(escaped) == plain


@given(st.text(max_size=20))
def test_any_name_in_a_path_is_a_name(name: str) -> None:
    unescape_label_name("U__" + name)
