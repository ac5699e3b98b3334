from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.model.labels import LabelSet, label_set
from vedette.model.samples import Exemplar, Metadata, MetricType
from vedette.wire.exposition import (
    Family,
    Format,
    MetadataEntry,
    Sample,
    SampleEntry,
    TextFormat,
    encode_openmetrics,
    encode_text,
    read_entries,
    untyped_families,
)

REQUESTS = Family(
    Metadata("http_requests_total", MetricType.COUNTER, "", 'Requests,\nall "of" them \\o/.'),
    (
        Sample(label_set({"__name__": "http_requests_total", "path": 'a\\b"c\nd'}), 1e6, 1_700_000_000_001),
        Sample(label_set({"__name__": "http_requests_total"}), 2.0, None, Exemplar((("trace_id", "x"),), 1.0, -1500)),
    ),
)


def test_text_is_written_with_its_escapes() -> None:
    assert encode_text([REQUESTS]).decode() == (
        '# HELP http_requests_total Requests,\\nall "of" them \\\\o/.\n'
        "# TYPE http_requests_total counter\n"
        'http_requests_total{path="a\\\\b\\"c\\nd"} 1e+06 1700000000001\n'
        "http_requests_total 2\n"
    )


def test_openmetrics_is_written_with_short_counter_names_and_exemplars() -> None:
    assert encode_openmetrics([REQUESTS]).decode() == (
        "# TYPE http_requests counter\n"
        '# HELP http_requests Requests,\\nall \\"of\\" them \\\\o/.\n'
        'http_requests_total{path="a\\\\b\\"c\\nd"} 1e+06 1700000000.001\n'
        'http_requests_total 2.0 # {trace_id="x"} 1.0 -1.500\n'
        "# EOF\n"
    )


def test_a_counter_without_total_is_of_unknown_type_in_openmetrics() -> None:
    family = Family(Metadata("hits", MetricType.COUNTER, "", ""), (Sample((("__name__", "hits"),), 1.0),))

    assert encode_openmetrics([family]) == b"# TYPE hits unknown\nhits 1.0\n# EOF\n"


def test_federation_groups_samples_by_name_without_types() -> None:
    families = untyped_families(
        Sample(label_set({"__name__": name, "n": n}), math.inf, 5) for name, n in (("b", "1"), ("a.b", "2"), ("b", "3"))
    )

    assert encode_text(families).decode() == (
        '# TYPE "a.b" untyped\n{"a.b",n="2"} +Inf 5\n# TYPE b untyped\nb{n="1"} +Inf 5\nb{n="3"} +Inf 5\n'
    )


def test_a_sample_without_a_name_is_a_bug_of_the_caller() -> None:
    with pytest.raises(ValueError, match="__name__"):
        untyped_families([Sample((("a", "b"),), 1.0)])


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
# A NUL is allowed in values only.
names = texts.filter(lambda text: "\x00" not in text)


def named(name: str, pairs: dict[str, str]) -> LabelSet:
    return label_set({**pairs, "__name__": name})


label_sets = st.builds(named, names, st.dictionaries(names, texts, max_size=3))
samples = st.builds(
    Sample,
    label_sets,
    st.floats(),
    st.none() | st.integers(0, 10**13),
    st.none()
    | st.builds(Exemplar, st.just((("trace_id", 'a"\\b'),)), st.floats(-1e9, 1e9), st.none() | st.integers(0, 10**12)),
)


def bits(value: float) -> bytes:
    # Zero is written without its sign, a NaN without its payload, as in Go.
    return b"nan" if math.isnan(value) else struct.pack("<d", value or 0.0)


def read_back(body: bytes, exposition: TextFormat) -> list[SampleEntry]:
    return [entry for entry in read_entries(body, exposition) if isinstance(entry, SampleEntry)]


def said(labels: LabelSet, value: float, time_ms: int | None) -> tuple[LabelSet, bytes, int | None]:
    return labels, bits(value), time_ms


@given(st.lists(samples, max_size=5))
def test_what_is_written_reads_back_the_same(written: list[Sample]) -> None:
    families = untyped_families(written)
    expected = [said(s.labels, s.value, s.time_ms) for family in families for s in family.samples]

    text = read_back(encode_text(families), Format.TEXT)
    openmetrics = read_back(encode_openmetrics(families), Format.OPENMETRICS)

    assert [said(e.labels, e.value, e.time_ms) for e in text] == expected
    assert [(labels, value) for labels, value, _ in expected] == [(e.labels, bits(e.value)) for e in openmetrics]
    for entry, (_, _, time_ms) in zip(openmetrics, expected, strict=True):
        # Seconds are floats to their readers, cut to milliseconds as in Prometheus.
        assert entry.time_ms is time_ms is None or abs((entry.time_ms or 0) - (time_ms or 0)) <= 1
    exemplars = [s.exemplar for family in families for s in family.samples]
    assert [e and e.labels for e in exemplars] == [e.exemplar and e.exemplar.labels for e in openmetrics]


@given(names, st.text(st.characters(exclude_categories=["Cs"]), max_size=10))
def test_a_help_text_reads_back_the_same(name: str, text: str) -> None:
    families = [Family(Metadata(name, MetricType.GAUGE, "", text), ())]

    openmetrics = read_entries(encode_openmetrics(families), Format.OPENMETRICS)
    plain = read_entries(encode_text(families), Format.TEXT)

    told = [(e.family, e.text) for e in openmetrics if isinstance(e, MetadataEntry) and e.field.value == "HELP"]
    assert told == ([(name, text)] if text else [])
    told = [(e.family, e.text) for e in plain if isinstance(e, MetadataEntry) and e.field.value == "HELP"]
    # Blanks in front of a help text are not part of it.
    assert told == ([(name, text.lstrip(" \t"))] if text else [])
