"""The functions of Prometheus' templates, apart from those of one expansion (`expand`).

Source: Prometheus' `template/template.go` (https://prometheus.io/docs/prometheus/latest/configuration/template_reference/).
"""

from __future__ import annotations

import ipaddress
from typing import Any, Final

from vedette.lang.gotemplate import (
    ANY,
    BY_CHARACTER,
    DURATION,
    FLOAT64,
    MAP_STRING,
    STRING,
    TIME,
    Field,
    Function,
    FunctionError,
    Functions,
    GoType,
    Kind,
    Typed,
    pointer_to,
    string_map,
    time,
)
from vedette.lang.gotemplate.builtins import escape_query
from vedette.lang.gotemplate.humanize import (
    float_of,
    humanize,
    humanize_1024,
    humanize_duration,
    humanize_percentage,
    humanize_timestamp,
    instant_of,
)
from vedette.lang.gotemplate.letters import title
from vedette.lang.gotemplate.literals import MAX_INT, MIN_INT
from vedette.lang.gotemplate.text import to_bytes
from vedette.lang.gotemplate.text_functions import TEXT_FUNCTIONS
from vedette.model.durations import parse_duration
from vedette.model.labels import LabelSet

_SAMPLE: Final = GoType(
    "template.sample", Kind.STRUCT, fields=(Field("Labels", MAP_STRING), Field("Value", FLOAT64)), comparable=False
)
SAMPLE: Final = pointer_to(_SAMPLE)
RESULT: Final = GoType("template.queryResult", Kind.SLICE, underlying="[]*template.sample", elem=SAMPLE)
_TIME_POINTER: Final = pointer_to(TIME)
_DURATION_POINTER: Final = pointer_to(DURATION)


def sample(labels: LabelSet, value: float) -> Typed:
    """A sample of a query's answer."""
    return Typed(SAMPLE, Typed(_SAMPLE, {"Labels": string_map(labels), "Value": value}))


def _of(one: Typed, field: str) -> Any:
    if one.value is None:
        raise FunctionError("runtime error: invalid memory address or nil pointer dereference")
    return one.value.value[field]


def _label_of(one: Typed, name: str) -> str:
    return _of(one, "Labels").value.get(name, "")


def _first(result: Typed) -> Typed:
    if not result.value:
        raise FunctionError("first() called on vector with no elements")
    return result.value[0]


def _sort_by_label(name: str, result: Typed) -> Typed:
    return Typed(RESULT, tuple(sorted(result.value or (), key=lambda one: to_bytes(_label_of(one, name)))))


def _args(*values: Any) -> dict[str, Any]:
    return {f"arg{number}": value for number, value in enumerate(values)}


def _to_time(value: Any) -> Typed:
    return Typed(_TIME_POINTER, time(instant_of(float_of(value)).ns))


def _to_duration(value: Any) -> Typed:
    ns = float_of(value) * 1e9
    fits = float(MIN_INT) <= ns < float(MAX_INT)
    return Typed(_DURATION_POINTER, Typed(DURATION, int(ns) if fits else MIN_INT))


def _parse_duration(text: str) -> float:
    try:
        return parse_duration(text, allow_negative=True) / 1000
    except ValueError as exc:
        raise FunctionError(str(exc)) from exc


def _split_host_port(text: str) -> tuple[str, str] | None:
    """Host and port of `host:port`; None if it does not have this form, as Go's `net.SplitHostPort` sees it."""
    host, colon, port = text.rpartition(":")
    if not colon:
        return None
    if text.startswith("["):
        close = text.find("]")
        if close < 0 or close + 1 != len(host):
            return None
        host = text[1:close]
        if "[" in host:
            return None
    elif ":" in host or "[" in text:
        return None
    if "]" in (text[len(host) + 2 :] if text.startswith("[") else text):
        return None
    return host, port


def _strip_port(text: str) -> str:
    found = _split_host_port(text)
    return text if found is None else found[0]


def _strip_domain(text: str) -> str:
    found = _split_host_port(text)
    host, port = found or (text, "")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return text
    host = host.partition(".")[0]
    if not port:
        return host
    return f"[{host}]:{port}" if ":" in host or "%" in host else f"{host}:{port}"


def _graph_link(expression: str) -> str:
    return f"/graph?g0.expr={escape_query(expression)}&g0.tab=0"


def _table_link(expression: str) -> str:
    return f"/graph?g0.expr={escape_query(expression)}&g0.tab=1"


def _label(name: str, one: Typed) -> str:
    return _label_of(one, name)


def _string_value(one: Typed) -> str:
    return _label_of(one, "__value__")


def _value(one: Typed) -> float:
    return _of(one, "Value")


FUNCTIONS: Final[Functions] = {
    **TEXT_FUNCTIONS,
    "args": Function(_args, variadic=ANY),
    "first": Function(_first, (RESULT,)),
    "graphLink": Function(_graph_link, (STRING,)),
    "humanize": Function(humanize, (ANY,)),
    "humanize1024": Function(humanize_1024, (ANY,)),
    "humanizeDuration": Function(humanize_duration, (ANY,)),
    "humanizePercentage": Function(humanize_percentage, (ANY,)),
    "humanizeTimestamp": Function(humanize_timestamp, (ANY,)),
    "label": Function(_label, (STRING, SAMPLE)),
    "parseDuration": Function(_parse_duration, (STRING,)),
    "sortByLabel": Function(_sort_by_label, (STRING, RESULT)),
    "stripDomain": Function(_strip_domain, (STRING,)),
    "stripPort": Function(_strip_port, (STRING,)),
    "strvalue": Function(_string_value, (SAMPLE,)),
    "tableLink": Function(_table_link, (STRING,)),
    "title": Function(title, (STRING,), effort=BY_CHARACTER),
    "toDuration": Function(_to_duration, (ANY,)),
    "toTime": Function(_to_time, (ANY,)),
    "urlQueryEscape": Function(escape_query, (STRING,)),
    "value": Function(_value, (SAMPLE,)),
}
