"""PromQL as Prometheus' own tests have it: what parses, how it is printed, durations, the notation of series."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from vedette.lang.promql import (
    describe_error,
    format_expr,
    parse,
    prettify,
    to_tree,
    walk,
)
from vedette.lang.promql.series_notation import parse_series
from vedette.model.durations import format_duration, parse_duration
from vedette.model.errors import QueryError
from vedette.model.samples import STALE_BITS

DATA = Path(os.environ.get("CONFORMANCE_DIR", Path(__file__).parents[3] / "shared" / "conformance"))
FOLDER = DATA / "promql"
EVAL = re.compile(
    r"eval(?P<old>_\w+)?\s+(?:instant\s+at\s+\S+|range\s+from\s+\S+\s+to\s+\S+\s+step\s+\S+)\s+(?P<expr>.*)",
    re.IGNORECASE,
)

START_TIMES = re.compile(r"[^ ]*?(\{.*?\})?@st\s")

Case = Mapping[str, Any]


def yaml_cases(*keys: str) -> list[Any]:
    """Cases that have these keys, from every file; all scalars are text, so that `5.` stays what it is."""
    found: list[Any] = []
    for path in sorted(FOLDER.glob("**/*.yaml")):
        document = YAML(typ="base").load(path)
        cases = document.get("cases", []) if isinstance(document, dict) else []
        found += [
            pytest.param(case, id=f"{path.stem}-{number}")
            for number, case in enumerate(cases)
            if all(key in case for key in keys)
        ]
    return found or [pytest.param({}, marks=pytest.mark.skip(reason=f"no such cases in {FOLDER}"))]


def script_lines(kind: str) -> Iterator[tuple[str, int, str]]:
    """Lines of test scripts: the commands `eval`, or the series that `load` is followed by."""
    for path in sorted(FOLDER.glob("**/*.test")):
        loading = False
        for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            line = raw.strip()
            word = line.split(maxsplit=1)[0].lower() if line else ""
            if not line or line.startswith("#") or word.startswith("eval") or word == "clear":
                loading = False
                if kind == "eval" and word.startswith("eval"):
                    yield path.stem, number, line
            elif word.startswith("load"):
                loading = True
            # Start timestamps are no samples, and the notation has nothing to do with them.
            elif loading and kind == "series" and not START_TIMES.match(line):
                yield path.stem, number, line


def script_cases(kind: str) -> list[Any]:
    found = [pytest.param(line, id=f"{stem}-{number}") for stem, number, line in script_lines(kind)]
    return found or [pytest.param("", marks=pytest.mark.skip(reason=f"no scripts in {FOLDER}"))]


def rule_expressions() -> list[Any]:
    """Expressions of rule files, but for those in files whose names say that they are bad."""
    found: list[Any] = []
    for path in sorted((DATA / "rules").glob("**/*.y*ml")):
        if "bad" in path.stem:
            continue
        try:
            documents = list(YAML(typ="base").load_all(path))
        except YAMLError:
            continue
        found += [pytest.param(text, id=f"{path.stem}-{n}") for n, text in enumerate(expressions(documents))]
    return found or [pytest.param("", marks=pytest.mark.skip(reason=f"no rules in {DATA}"))]


def expressions(document: Any) -> Iterator[str]:
    if isinstance(document, dict):
        for key, value in document.items():
            if key == "expr" and isinstance(value, str):
                yield value
            else:
                yield from expressions(value)
    elif isinstance(document, list):
        for value in document:
            yield from expressions(value)


@pytest.mark.parametrize("case", yaml_cases("query", "valid"))
def test_a_query_parses_exactly_when_prometheus_parses_it(case: Case) -> None:
    try:
        parse(case["query"])
    except QueryError as exc:
        assert case["valid"] == "false", describe_error(case["query"], exc)  # noqa: PT017 - either outcome may be right
    else:
        assert case["valid"] == "true"


@pytest.mark.parametrize("case", yaml_cases("query", "errors"))
def test_a_wrong_query_is_blamed_on_the_place_and_reason_that_prometheus_gives(case: Case) -> None:
    with pytest.raises(QueryError) as caught:
        parse(case["query"])

    expected = case["errors"][0]
    # The words of RE2's and of Go's regular expressions differ.
    assert caught.value.problem == expected or "error parsing regexp" in expected
    assert caught.value.span is not None
    assert 0 <= caught.value.span.start <= len(case["query"])


@pytest.mark.parametrize("case", yaml_cases("query", "formatted"))
def test_an_expression_is_printed_in_prometheus_normal_form(case: Case) -> None:
    assert format_expr(parse(case["query"])) == case["formatted"]


@pytest.mark.parametrize("case", yaml_cases("series", "valid"))
def test_a_series_in_notation_expands_to_its_samples(case: Case) -> None:
    if case["valid"] == "false":
        with pytest.raises(QueryError):
            parse_series(case["series"])
        return

    series = parse_series(case["series"])

    assert dict(series.labels) == dict(case["labels"] or {})
    assert [shown(value) for value in series.values] == [
        text if text in ("_", "stale") else float(text) for text in case["values"]
    ]


def shown(value: object) -> object:
    if value is None:
        return "_"
    if isinstance(value, float) and value != value:  # noqa: PLR0124 - NaN
        return "stale" if np.float64(value).view(np.uint64) == STALE_BITS else "NaN"
    return value


@pytest.mark.parametrize("case", yaml_cases("text", "only_where_negative_allowed"))
def test_a_duration_means_so_many_seconds_and_is_printed_again(case: Case) -> None:
    negative = case["only_where_negative_allowed"] == "true"

    duration_ms = parse_duration(case["text"], allow_negative=negative)

    assert duration_ms == float(case["seconds"]) * 1000
    assert format_duration(duration_ms) == case["printed"]
    if negative:
        with pytest.raises(ValueError, match="not a valid duration"):
            parse_duration(case["text"])


@pytest.mark.parametrize(
    "case", [case for case in yaml_cases("text", "valid") if case.marks or case.values[0]["valid"] == "false"]
)
def test_what_is_no_duration_is_refused(case: Case) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(case["text"], allow_negative=True)


@pytest.mark.parametrize("line", script_cases("eval"))
def test_an_expression_of_a_script_parses_and_its_printed_forms_mean_the_same(line: str) -> None:
    command = EVAL.match(line)
    assert command is not None

    expr = parse(command["expr"])

    printed = format_expr(expr)
    assert format_expr(parse(printed)) == printed
    assert format_expr(parse(prettify(expr))) == printed
    assert to_tree(expr)["type"]
    for node in walk(expr):
        assert 0 <= node.span.start < node.span.end <= len(command["expr"])


@pytest.mark.parametrize("line", script_cases("series"))
def test_a_loaded_series_is_read(line: str) -> None:
    assert parse_series(line).values


@pytest.mark.parametrize("text", rule_expressions())
def test_an_expression_of_a_rule_parses_and_its_printed_forms_mean_the_same(text: str) -> None:
    printed = format_expr(parse(text))

    assert format_expr(parse(printed)) == printed
    assert format_expr(parse(prettify(parse(text)))) == printed
