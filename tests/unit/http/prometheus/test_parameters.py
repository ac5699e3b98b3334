from __future__ import annotations

import math
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

import vedette.http.prometheus.parameters as parameters_module
from vedette.http.prometheus.parameters import (
    MAX_FIELDS,
    MAX_TIME_MS,
    MIN_TIME_MS,
    BadParameterError,
    Parameters,
    parse_expression,
    parse_time,
)
from vedette.model.errors import QueryError


def request(
    query: bytes = b"", *, body: bytes | None = None, kind: str = "application/x-www-form-urlencoded"
) -> Request:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body or b"", "more_body": False}

    headers = [(b"content-type", kind.encode())]
    method = "GET" if body is None else "POST"
    return Request({"type": "http", "method": method, "query_string": query, "headers": headers}, receive)


async def read(query: bytes = b"", **options: Any) -> Parameters:
    return await Parameters.of(request(query, **options))


async def test_parameters_come_from_the_query_string() -> None:
    parameters = await read(b"query=up%7Ba%3D%22b+c%22%7D&match[]=a&match%5B%5D=b&empty=")

    assert parameters.text("query") == 'up{a="b c"}'
    assert parameters.texts("match[]") == ["a", "b"]
    assert parameters.text("empty", "default") == ""
    assert parameters.text("missing", "default") == "default"
    assert parameters.texts("missing") == ()


async def test_a_forms_parameters_come_before_those_of_the_query_string() -> None:
    parameters = await read(b"a=1&b=2", body=b"a=3")

    assert list(parameters.texts("a")) == ["3", "1"]
    assert parameters.text("b") == "2"


async def test_a_body_that_is_no_form_is_left_alone() -> None:
    assert (await read(b"a=1", body=b"a=3", kind="application/json")).text("a") == "1"


async def test_text_may_be_written_without_escapes_as_curl_does() -> None:
    parameters = await read(b"", body='query=up{a="ä"}'.encode())

    assert parameters.text("query") == 'up{a="ä"}'


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(b"a=%ff", id="escapes that are no UTF-8"),
        pytest.param(b"a=\xff", id="bytes that are no UTF-8"),
        pytest.param(b"&".join([b"a=1"] * (MAX_FIELDS + 1)), id="too many fields"),
    ],
)
async def test_what_cannot_be_read_is_the_clients_mistake(query: bytes) -> None:
    with pytest.raises(QueryError, match="error parsing form values"):
        await read(query)


@given(st.binary(max_size=60), st.binary(max_size=60))
async def test_any_bytes_are_parameters_or_the_clients_mistake(query: bytes, body: bytes) -> None:
    try:
        parameters = await read(query, body=body)
        for text in ("a", "time", ""):
            parameters.text(text)
    except QueryError:
        pass


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("1435781451.781", 1_435_781_451_781, id="seconds"),
        pytest.param("1435781451", 1_435_781_451_000, id="whole seconds"),
        pytest.param("1.4357814517e9", 1_435_781_451_700, id="with an exponent"),
        pytest.param("-1.5", -1_500, id="before 1970"),
        pytest.param("1e300", MAX_TIME_MS, id="beyond all time"),
        pytest.param("-1e300", MIN_TIME_MS, id="before all time"),
        pytest.param("2015-07-01T20:10:51.781Z", 1_435_781_451_781, id="RFC 3339"),
        pytest.param("2015-07-01T22:10:51+02:00", 1_435_781_451_000, id="RFC 3339 with a zone"),
        pytest.param("2015-07-01t20:10:51z", 1_435_781_451_000, id="RFC 3339 in small letters"),
        pytest.param("2015-07-01T20:10:51.7819999Z", 1_435_781_451_781, id="finer than a millisecond"),
        pytest.param("2015-07-01T20:10:51.7Z", 1_435_781_451_700, id="one digit of a fraction"),
        pytest.param("-292273086-05-16T16:47:06Z", MIN_TIME_MS, id="Go's first time"),
        pytest.param("292277025-08-18T07:12:54.999999999Z", MAX_TIME_MS, id="Go's last time"),
    ],
)
def test_a_time_is_seconds_or_rfc_3339(text: str, expected: int) -> None:
    assert parse_time("time", text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "NaN",
        "Inf",
        "1_000",
        "\uff11",
        "2015-07-01",
        "2015-13-01T00:00:00Z",
        "2015-07-01T25:00:00Z",
        "5m",
        "0x10",
    ],
)
def test_other_texts_are_no_time_and_quoted(text: str) -> None:
    with pytest.raises(BadParameterError, match='invalid parameter "time": cannot parse') as caught:
        parse_time("time", text)

    assert f'"{text}"' in str(caught.value)


@given(st.integers(-(10**11), 10**11))
def test_a_time_written_in_milliseconds_is_read_to_the_millisecond(time_ms: int) -> None:
    assert parse_time("time", f"{time_ms / 1000:.3f}") == time_ms


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_the_clients_mistake(text: str) -> None:
    try:
        time_ms = parse_time("time", text)
    except BadParameterError:
        return
    assert MIN_TIME_MS <= time_ms <= MAX_TIME_MS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("15", 15_000, id="seconds"),
        pytest.param("0.25", 250, id="a part of a second"),
        pytest.param("1h30m", 5_400_000, id="a duration"),
        pytest.param("-5", -5_000, id="negative; who needs more refuses it"),
    ],
)
def test_a_duration_is_seconds_or_written_out(text: str, expected: int) -> None:
    assert Parameters({"step": [text]}).duration_ms("step") == expected


@pytest.mark.parametrize("text", ["", "soon", "1e30", "NaN", "5 m", "1_0"])
def test_other_texts_are_no_duration(text: str) -> None:
    with pytest.raises(BadParameterError, match="valid duration"):
        Parameters({"step": [text]}).duration_ms("step")


def test_missing_times_and_durations_have_their_defaults() -> None:
    assert Parameters({}).time_ms("time", 7) == 7
    assert Parameters({}).duration_ms("step", 8) == 8
    with pytest.raises(BadParameterError):
        Parameters({}).time_ms("start", None)


@pytest.mark.parametrize(("text", "expected"), [("", 0), ("0", 0), ("7", 7), ("9" * 18, 10**18 - 1)])
def test_a_limit_is_a_number_and_none_is_no_limit(text: str, expected: int) -> None:
    assert Parameters({"limit": [text]}).limit() == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [("-1", "non-negative"), ("x", "to a number"), ("1.5", "to a number"), ("9" * 19, "to a number"), ("²", "number")],
)
def test_other_texts_are_no_limit(text: str, problem: str) -> None:
    with pytest.raises(BadParameterError, match=problem):
        Parameters({"limit": [text]}).limit()


def test_selectors_are_parsed_each_by_itself() -> None:
    first, second = Parameters({"match[]": ["up", '{a=~"x.*", b!="y"}']}).selectors()

    assert [(m.name, m.value) for m in first] == [("__name__", "up")]
    assert [(m.name, m.value) for m in second] == [("a", "x.*"), ("b", "y")]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("up + 1", "parse error", id="an expression"),
        pytest.param("{", "parse error", id="half a selector"),
        pytest.param("", "parse error", id="nothing"),
        pytest.param("{}", "at least one non-empty matcher", id="everything"),
        pytest.param('{a=~".*", b!="x"}', "at least one non-empty matcher", id="everything, in other words"),
    ],
)
def test_other_texts_are_no_selector(text: str, problem: str) -> None:
    with pytest.raises(BadParameterError, match=problem):
        Parameters({"match[]": ["up", text]}).selectors()


def test_an_expression_comes_with_its_text_and_an_error_with_its_place() -> None:
    text, _ = Parameters({"query": ["1 + 1"]}).expression()

    assert text == "1 + 1"
    with pytest.raises(BadParameterError, match=r'invalid parameter "query": 1:5: parse error'):
        Parameters({"query": ["sum("]}).expression()
    assert math.isfinite(MAX_TIME_MS)


@given(
    st.binary(max_size=60)
    | st.lists(st.sampled_from([b"&", b"=", b"%", b"+", b"%4", b"%7B", b"a", b"%c3%a4"])).map(b"".join)
)
def test_a_query_string_is_read_as_pythons_own_parser_reads_it(text: bytes) -> None:
    try:
        expected = parse_qs(text.decode(), keep_blank_values=True, errors="strict")
    except ValueError:
        with pytest.raises(QueryError, match="error parsing form values"):
            Parameters.read(text, b"")
        return

    parameters = Parameters.read(text, b"")

    assert {name: parameters.texts(name) for name in expected} == expected


def test_expressions_that_come_again_are_parsed_once_and_not_kept_for_ever() -> None:
    kept = parameters_module._parse_again

    assert parse_expression("query", "up{a='again'}") is parse_expression("query", "up{a='again'}")
    for number in range(2_000):
        parse_expression("query", f"up{{a='{number}'}}")
    size = kept.cache_info().currsize
    parse_expression("query", "a" * 100_000)

    assert size == kept.cache_info().currsize <= 512
