"""`/federate`: the newest samples of chosen series, for another Prometheus to scrape.

As Prometheus does it: always in the text format, always untyped, the samples with their own times; external labels
are added to series that have not got them, and so is an empty `instance`, which keeps the scraping server from
adding its own. Names outside of the legacy character set are escaped, in the way that the client asks for.

Source: Prometheus 3, `web/federate.go`; prometheus/common, `expfmt.Negotiate`;
https://prometheus.io/docs/instrumenting/escaping_schemes/.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from vedette.http.limits import unless_disconnected
from vedette.http.prometheus.parameters import Parameters
from vedette.http.prometheus.write import render_plainly
from vedette.http.routing import Access, Route, Router
from vedette.lang.promql import describe_error, parse_selector
from vedette.model.errors import QueryError
from vedette.model.labels import METRIC_NAME, LabelSet, is_legacy_label_name, is_legacy_metric_name
from vedette.model.matchers import Matcher
from vedette.query.raw import RawReads, newest_samples
from vedette.wire.exposition import Sample, encode_text, untyped_families

_INSTANCE: Final = "instance"
_DEFAULT_SCHEME: Final = "underscores"
_SCHEMES: Final = ("allow-utf-8", "underscores", "dots", "values")
_ACCEPTED: Final = re.compile(r"text/plain\s*(;[^,]*)?", re.IGNORECASE)
_ESCAPING: Final = re.compile(r";\s*escaping\s*=\s*\"?([\w-]+)", re.IGNORECASE)


def federate_router(
    reads: RawReads,
    external_labels: Callable[[], LabelSet],
    *,
    now_ms: Callable[[], int],
    lookback_ms: Callable[[], int],
) -> Router:
    """The router of federation.

    Args:
        reads: reads what is stored.
        external_labels: see the module; asked for again with every request.
        now_ms: the clock.
        lookback_ms: how old a sample may be.
    """

    async def federate(request: Request) -> Response:
        parameters = await Parameters.of(request)
        selectors = [_parse(text) for text in parameters.texts("match[]")]
        scheme = _escaping(request.headers.get("accept", ""))
        at_ms, lookback = now_ms(), lookback_ms()
        outside = dict(external_labels())
        work = reads.run(
            lambda source, check: _encode(
                newest_samples(source, selectors, at_ms, lookback, max_series=reads.limits.max_series, check=check),
                {_INSTANCE: ""} | outside,
                scheme,
            )
        )
        body = await unless_disconnected(request, work)
        version = "1.0.0" if scheme == "allow-utf-8" else "0.0.4"
        kind = f"text/plain; version={version}; charset=utf-8; escaping={scheme}"
        return Response(body, headers={"Content-Type": kind})

    return Router("federation", (Route("/federate", ("GET",), federate, Access.READ),), render_plainly)


def _parse(text: str) -> tuple[Matcher, ...]:
    try:
        return parse_selector(text)
    except QueryError as exc:
        raise QueryError(describe_error(text, exc)) from exc


def _escaping(accept: str) -> str:
    """How the client wants names to be escaped."""
    for choice in accept.split(","):
        if not _ACCEPTED.match(choice.strip()):
            continue
        found = _ESCAPING.search(choice)
        if found and found[1].lower() in _SCHEMES:
            return found[1].lower()
    return _DEFAULT_SCHEME


def _encode(newest: Sequence[tuple[LabelSet, int, float]], external: dict[str, str], scheme: str) -> bytes:
    samples: list[Sample] = []
    for labels, time_ms, value in sorted(newest, key=lambda found: found[0]):
        own = dict(labels)
        if METRIC_NAME not in own:
            continue
        added = tuple((name, external[name]) for name in sorted(external) if name not in own)
        samples.append(Sample(_escaped((*labels, *added), scheme), value, time_ms))
    return encode_text(untyped_families(samples))


def _escaped(labels: LabelSet, scheme: str) -> LabelSet:
    if scheme == "allow-utf-8":
        return labels
    return tuple(
        (name, escape_name(value, scheme, legacy=is_legacy_metric_name(value)))
        if name == METRIC_NAME
        else (escape_name(name, scheme, legacy=is_legacy_label_name(name)), value)
        for name, value in labels
    )


def escape_name(name: str, scheme: str, *, legacy: bool) -> str:
    """A name in the legacy character set, where it is not in it already.

    Args:
        name: of a metric or a label.
        scheme: `underscores`, `dots` or `values`.
        legacy: whether it can be written as it is. With `dots` its underscores are doubled all the same.
    """
    match scheme:
        case "dots":
            return "".join(_DOTS.get(char) or (char if _is_legal(char, at) else "_") for at, char in enumerate(name))
        case _ if legacy:
            return name
        case "values":
            return "U__" + "".join(
                "__" if char == "_" else char if _is_legal(char, at) else f"_{ord(char):x}_"
                for at, char in enumerate(name)
            )
        case _:
            return "".join(char if _is_legal(char, at) else "_" for at, char in enumerate(name))


_DOTS: Final = {"_": "__", ".": "_dot_"}


def _is_legal(char: str, at: int) -> bool:
    return char.isascii() and (char.isalpha() or char in "_:" or (char.isdigit() and at > 0))
