"""What a configuration asks for and Vedette does not do: one line each, reported with its place.

A part that learns to do something removes its line here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from vedette.config.config import ConfigWarning
from vedette.config.discovery.registry import FOREIGN_KEYS
from vedette.config.document import Document, Value

_EACH: Final = "*"
_HISTOGRAMS: Final = "native histograms are not taken yet; the classic parts are"
_ALERTMANAGER: Final = ("alerting", "alertmanagers", _EACH)
_JOB: Final = ("scrape_configs", _EACH)
_WRITE: Final = ("remote_write", _EACH)
_TSDB: Final = ("storage", "tsdb")

_WITHOUT_EFFECT: Final[tuple[tuple[tuple[str, ...], str], ...]] = (
    ((*_ALERTMANAGER, "sigv4"), "requests cannot be signed for AWS; nothing is sent to these Alertmanagers"),
    (("remote_read",), "queries are answered from the own store only"),
    (("tracing",), "Vedette does not send traces of itself"),
    (("otlp",), "OTLP is not received yet"),
    (("runtime", "gogc"), "there is no Go runtime"),
    (("global", "query_log_file"), "no query log is written"),
    (("global", "scrape_failure_log_file"), "failed scrapes are in the log and under /api/v1/targets"),
    (("global", "scrape_native_histograms"), _HISTOGRAMS),
    (("global", "convert_classic_histograms_to_nhcb"), _HISTOGRAMS),
    ((*_JOB, "scrape_failure_log_file"), "failed scrapes are in the log and under /api/v1/targets"),
    ((*_JOB, "scrape_native_histograms"), _HISTOGRAMS),
    ((*_JOB, "convert_classic_histograms_to_nhcb"), _HISTOGRAMS),
    ((*_JOB, "native_histogram_bucket_limit"), _HISTOGRAMS),
    ((*_JOB, "native_histogram_min_bucket_factor"), _HISTOGRAMS),
    ((*_WRITE, "sigv4"), "requests cannot be signed for AWS; nothing is sent to this store"),
    ((*_WRITE, "azuread"), "requests cannot be authorised by Azure; nothing is sent to this store"),
    ((*_WRITE, "google_iam"), "requests cannot be authorised by Google; nothing is sent to this store"),
    ((*_WRITE, "send_native_histograms"), "native histograms are not stored yet, and none are sent"),
    ((*_WRITE, "round_robin_dns"), "the addresses of a host are tried in turn"),
    ((*_TSDB, "stale_series_compaction_threshold"), "the store has no such compaction"),
    ((*_TSDB, "retention", "size"), "data are kept by age; `storage.disk_reserve` protects the disk"),
    ((*_TSDB, "retention", "percentage"), "data are kept by age; `storage.disk_reserve` protects the disk"),
    ((*_TSDB, "chunk_encoding"), "the store encodes samples in its own way"),
)

_NOTHING: Final = frozenset({"false", "False", "FALSE", "no", "off", "0", "0s", ""})


def unsupported(document: Document) -> Iterator[ConfigWarning]:
    """Warnings for a document that is valid."""
    for path, text in _WITHOUT_EFFECT:
        for value in _found(document.root, path):
            if _says_something(value):
                at = document.at(value.key_line, value.key_column)
                yield ConfigWarning(at, f"`{'.'.join(path).replace('.*', '')}` has no effect: {text}")
    jobs = document.root.content.get("scrape_configs") if isinstance(document.root.content, dict) else None
    for job in _items(jobs):
        yield from _discovery(document, job)
        yield from _protocols(document, job)
    yield from _protocols(document, *_found(document.root, ("global",)))
    for section in _found(document.root, _ALERTMANAGER):
        yield from _undiscovered(document, section)
    for value in _found(document.root, (*_ALERTMANAGER, "api_version")):
        if value.content == "v1":
            at = document.at(value.line, value.column)
            yield ConfigWarning(at, "`api_version: v1` is no longer served by Alertmanager; it counts as v2")


def _discovery(document: Document, job: Value) -> Iterator[ConfigWarning]:
    entries = job.content if isinstance(job.content, dict) else {}
    name = entries["job_name"].content if "job_name" in entries else ""
    others = any(k not in FOREIGN_KEYS and (k.endswith("_sd_configs") or k == "static_configs") for k in entries)
    effect = "only its other targets are scraped" if others else "the job is inactive"
    for value, kind in _foreign(job):
        text = f"Vedette has no service discovery of the kind `{kind}` (job `{name}`): {effect}"
        yield ConfigWarning(document.at(value.key_line, value.key_column), text)


def _undiscovered(document: Document, section: Value) -> Iterator[ConfigWarning]:
    for value, kind in _foreign(section):
        text = f"Vedette has no service discovery of the kind `{kind}`: no alerts are sent to these Alertmanagers"
        yield ConfigWarning(document.at(value.key_line, value.key_column), text)


def _foreign(section: Value) -> Iterator[tuple[Value, str]]:
    entries = section.content if isinstance(section.content, dict) else {}
    for key, kind in FOREIGN_KEYS.items():
        value = entries.get(key)
        if value is not None and _says_something(value):
            yield value, kind


def _protocols(document: Document, *sections: Value) -> Iterator[ConfigWarning]:
    for section in sections:
        entries = section.content if isinstance(section.content, dict) else {}
        asked = _items(entries.get("scrape_protocols"))
        if "fallback_scrape_protocol" in entries:
            asked = [*asked, entries["fallback_scrape_protocol"]]
        for value in asked:
            if value.content == "PrometheusProto":
                at = document.at(value.line, value.column)
                yield ConfigWarning(at, "`PrometheusProto` has no effect: targets are asked for the text formats")


def _found(value: Value, path: tuple[str, ...]) -> Iterable[Value]:
    if not path:
        return [value]
    if path[0] == _EACH:
        return [found for item in _items(value) for found in _found(item, path[1:])]
    entries = value.content if isinstance(value.content, dict) else {}
    return _found(entries[path[0]], path[1:]) if path[0] in entries else []


def _items(value: Value | None) -> list[Value]:
    return value.content if value is not None and isinstance(value.content, list) else []


def _says_something(value: Value) -> bool:
    content = value.content
    return content not in _NOTHING if isinstance(content, str) else bool(content)
