"""What there is: series, label names and values, metadata, exemplars.

Source: Prometheus 3, `web/api/v1/api.go`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import orjson
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response

from vedette.http.prometheus.answers import answer
from vedette.http.prometheus.parameters import (
    MAX_TIME_MS,
    MIN_TIME_MS,
    BadParameterError,
    Parameters,
)
from vedette.ingest.metadata import MetadataStore
from vedette.lang.promql import selectors
from vedette.model.errors import QueryError
from vedette.model.matchers import Matcher
from vedette.model.samples import Exemplar
from vedette.query.exemplars import ExemplarReads
from vedette.store.head import SeriesIndex
from vedette.wire.prometheus_json import point_json

Int64s = NDArray[np.int64]

_TRUNCATED: Final = "results truncated due to limit"
_ESCAPED: Final = "U__"


@dataclass(frozen=True, slots=True)
class SeriesApi:
    """The handlers."""

    index: SeriesIndex
    metadata: MetadataStore
    exemplars: ExemplarReads

    async def series(self, request: Request) -> Response:
        """`/api/v1/series`: the label sets that some selectors find."""
        parameters = await Parameters.of(request)
        selectors = parameters.selectors()
        if not selectors:
            raise QueryError("no match[] parameter provided")
        slots = self._select(parameters, selectors)
        limit = parameters.limit()
        shown = slots[:limit] if limit else slots
        frame = self.index.frame(shown, self.index.symbols.overlay())
        warnings = [_TRUNCATED] if len(shown) < len(slots) else []
        return answer([dict(labels) for labels in frame.label_sets()], warnings=warnings)

    async def label_names(self, request: Request) -> Response:
        """`/api/v1/labels`: the names of labels."""
        parameters = await Parameters.of(request)
        slots = self._select(parameters, parameters.selectors())
        return _limited(self.index.label_names(slots), parameters)

    async def label_values(self, request: Request) -> Response:
        """`/api/v1/label/{name}/values`: the values of one label."""
        parameters = await Parameters.of(request)
        name = unescape_label_name(request.path_params["name"])
        slots = self._select(parameters, parameters.selectors())
        return _limited(self.index.label_values(name, slots), parameters)

    async def family_metadata(self, request: Request) -> Response:
        """`/api/v1/metadata`: type, help and unit of metrics."""
        parameters = await Parameters.of(request)
        limit = parameters.limit()
        per_metric = parameters.limit("limit_per_metric")
        found: dict[str, list[dict[str, str]]] = {}
        for family, entries in self.metadata.families(parameters.text("metric") or None):
            if limit and len(found) == limit:
                break
            shown = entries[:per_metric] if per_metric else entries
            found[family] = [{"type": e.type.value, "unit": e.unit, "help": e.help} for e in shown]
        return answer(found)

    async def query_exemplars(self, request: Request) -> Response:
        """`/api/v1/query_exemplars`: links from the samples of a query's selectors to traces."""
        parameters = await Parameters.of(request)
        start_ms = parameters.time_ms("start", MIN_TIME_MS)
        end_ms = parameters.time_ms("end", MAX_TIME_MS)
        if end_ms < start_ms:
            raise QueryError("end timestamp must not be before start timestamp")
        _, expr = parameters.expression()
        slots = sorted({slot for s in selectors(expr) for slot in self.index.select(s.matchers).tolist()})
        found = await self.exemplars.of(slots, start_ms, end_ms)
        return answer(
            [
                {
                    "seriesLabels": dict(self.index.labels(slot)),
                    "exemplars": [_shown(exemplar) for exemplar in exemplars],
                }
                for slot, exemplars in found
            ]
        )

    def _select(self, parameters: Parameters, selectors: Sequence[tuple[Matcher, ...]]) -> Int64s:
        start_ms = parameters.time_ms("start", MIN_TIME_MS)
        end_ms = parameters.time_ms("end", MAX_TIME_MS)
        if end_ms < start_ms:
            raise BadParameterError("end", "end timestamp must not be before start timestamp")
        # Until a sample has come a series has no times, and is not there.
        found = [self.index.select(m, start_ms=start_ms, end_ms=end_ms) for m in (selectors or [()])]
        return found[0] if len(found) == 1 else np.unique(np.concatenate(found))


def unescape_label_name(name: str) -> str:
    """A label's name as paths carry it: others than the legacy ones may be escaped as `U__foo_2e_bar`.

    Source: Prometheus' escaping schemes, `values` (prometheus/common, model/metric.go).
    """
    if not name.startswith(_ESCAPED):
        return name
    rest = name.removeprefix(_ESCAPED)
    out: list[str] = []
    at = 0
    while at < len(rest):
        if rest[at] != "_":
            out.append(rest[at])
            at += 1
        elif rest[at + 1 : at + 2] == "_":
            out.append("_")
            at += 2
        else:
            end = rest.find("_", at + 1)
            code = rest[at + 1 : end] if end > 0 else ""
            if not 0 < len(code) <= 6 or any(c not in "0123456789abcdefABCDEF" for c in code):
                return name
            if int(code, 16) > 0x10FFFF:
                return name
            out.append(chr(int(code, 16)))
            at = end + 1
    return "".join(out)


def _shown(exemplar: Exemplar) -> dict[str, object]:
    timestamp, value = orjson.loads(point_json(exemplar.time_ms or 0, exemplar.value))
    return {"labels": dict(exemplar.labels), "value": value, "timestamp": timestamp}


def _limited(texts: list[str], parameters: Parameters) -> Response:
    limit = parameters.limit()
    if limit and len(texts) > limit:
        return answer(texts[:limit], warnings=[_TRUNCATED])
    return answer(texts)
