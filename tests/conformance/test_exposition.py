"""Other projects' expositions, good and bad, with what they hold."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from vedette.model.errors import DecodeError
from vedette.model.labels import METRIC_NAME, LabelSet, label_set
from vedette.wire.exposition import (
    NO_TIME,
    Family,
    Format,
    LayoutParser,
    MetadataEntry,
    Sample,
    SampleEntry,
    ScrapeProtocol,
    choose_format,
    encode_openmetrics,
    encode_text,
    format_openmetrics_float,
    read_entries,
    read_families,
    untyped_families,
)

FOLDER = Path(os.environ.get("CONFORMANCE_DIR", Path(__file__).parents[2] / "../shared/conformance")) / "exposition"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no conformance data in {FOLDER}")

SUFFIXES = {".prom.txt": Format.TEXT, ".om.txt": Format.OPENMETRICS, ".protobuf": Format.PROTOBUF}


def documents(pattern: str) -> Iterator[tuple[str, Any]]:
    for path in sorted(FOLDER.glob(pattern)):
        yield path.stem, YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


def cases(pattern: str) -> list[Any]:
    return [
        pytest.param(case, Format.OPENMETRICS if "openmetrics" in stem else Format.TEXT, id=f"{stem}-{name}")
        for stem, document in documents(pattern)
        for number, case in enumerate(document["cases"], 1)
        for name in (case.get("name", number),)
    ]


def body_of(case: dict[str, Any]) -> bytes:
    text = case["text"]
    return text if isinstance(text, bytes) else text.encode()


def format_of(path: Path) -> Format:
    return next(exposition for suffix, exposition in SUFFIXES.items() if path.name.endswith(suffix))


def samples_of(body: bytes, exposition: Format) -> list[tuple[LabelSet, float, int | None]]:
    """What the quick parser makes of a body, having seen it before."""
    parser = LayoutParser()
    labels = dict(parser.parse(body, exposition).new_rows)
    scrape = parser.parse(body, exposition)
    assert not scrape.new_rows
    return [
        (labels[row], value, None if time_ms == NO_TIME else time_ms)
        for row, value, time_ms in zip(
            scrape.rows.tolist(), scrape.values.tolist(), scrape.times_ms.tolist(), strict=True
        )
    ]


def same(left: float, right: float) -> bool:
    return left == right or (math.isnan(left) and math.isnan(right))


# What Prometheus' scraper yields, entry by entry.


@pytest.mark.parametrize(
    ("document", "exposition"),
    [
        pytest.param(document, Format.OPENMETRICS if "openmetrics" in stem else Format.TEXT, id=stem)
        for stem, document in documents("entries_*.yaml")
    ],
)
def test_an_exposition_holds_the_entries_that_prometheus_finds(document: dict[str, Any], exposition: Format) -> None:
    body = body_of(document)
    assert exposition is not Format.PROTOBUF

    found = list(read_entries(body, exposition))

    expected = [entry for entry in document["entries"] if "comment" not in entry]
    # Where Prometheus reads `_created` lines as the start of their metric, it does not list them.
    listed = {entry["labels"][METRIC_NAME] for entry in expected if "series" in entry}
    samples = [e for e in found if isinstance(e, SampleEntry)]
    hidden = [e for e in samples if name_of(e).endswith("_created") and name_of(e) not in listed]
    created = {metric_of(e.labels): e.value for e in hidden}
    for entry, want in zip((e for e in found if e not in hidden), expected, strict=True):
        if isinstance(entry, MetadataEntry):
            assert want["metric"] == entry.family
            assert want[entry.field.value.lower()].replace("untyped", "unknown") == entry.text
        else:
            assert entry.labels == label_set(want["labels"])
            assert same(entry.value, want["value"])
            assert entry.time_ms == want.get("timestamp_ms")
            exemplars = [entry.exemplar] if entry.exemplar is not None else []
            for exemplar, expected_exemplar in zip(exemplars, want.get("exemplars", []), strict=True):
                assert exemplar.labels == label_set(expected_exemplar.get("labels", {}))
                assert same(exemplar.value, expected_exemplar["value"])
                assert exemplar.time_ms == expected_exemplar.get("timestamp_ms")
            if "created_ms" in want:
                assert int(created[metric_of(entry.labels)] * 1000) == want["created_ms"]
    assert samples_of(body, exposition) == [(e.labels, e.value, e.time_ms) for e in samples]


def name_of(entry: SampleEntry) -> str:
    return dict(entry.labels)[METRIC_NAME]


def metric_of(labels: LabelSet) -> LabelSet:
    pairs = {name: value for name, value in labels if name not in {"le", "quantile"}}
    return label_set({**pairs, METRIC_NAME: re.sub("_(created|total|sum|count|bucket)$", "", pairs[METRIC_NAME])})


# What Prometheus' scraper accepts and refuses.


@pytest.mark.parametrize(("case", "exposition"), cases("errors_*.yaml"))
def test_a_body_is_refused_exactly_where_prometheus_refuses_it(case: dict[str, Any], exposition: Format) -> None:
    body = body_of(case)

    if case["must_parse"]:
        LayoutParser().parse(body, exposition)
        return
    with pytest.raises(DecodeError) as caught:
        LayoutParser().parse(body, exposition)

    assert 1 <= caught.value.line <= body.count(b"\n") + 1
    stated = re.match("expected [a-z ]+(?=,)|invalid metric type|data does not end|unexpected data", case["error"])
    if stated and "comment" not in stated[0] and "new record" not in stated[0]:
        assert stated[0] in caught.value.problem


# The OpenMetrics suite. Its rules of meaning are not the scraper's: what breaks them may be accepted, as it stands.


@pytest.mark.parametrize(("case", "exposition"), cases("openmetrics_cases.yaml"))
def test_openmetrics_is_read_or_refused_and_never_misread(case: dict[str, Any], exposition: Format) -> None:
    body = body_of(case)

    refused: DecodeError | None = None
    samples: list[tuple[LabelSet, float, int | None]] = []
    try:
        samples = samples_of(body, exposition)
    except DecodeError as error:
        refused = error

    if refused is not None:
        assert not case["must_parse"], refused
        assert refused.line
        return
    written = [line for line in body.decode().split("\n") if line and not line.startswith("#")]
    found = [re.match(r"[^ {]*(?:\{(?:[^\"}]|\"(?:\\.|[^\"\\])*\")*\})? (\S+)", line) for line in written]
    assert all(found)
    assert len(samples) == len(written)
    for (_, value, _), match in zip(samples, found, strict=True):
        assert match is not None
        assert same(value, float(match[1]))


# Files: what Prometheus' library makes of them.


@pytest.mark.parametrize(("case", "exposition"), cases("text_families.yaml"))
def test_a_file_holds_the_families_that_prometheus_library_finds(case: dict[str, Any], exposition: Format) -> None:
    families = read_families(body_of(case))

    assert exposition is Format.TEXT
    expected = {family["name"]: expected_family(family) for family in case["families"]}
    assert {family.metadata.family: described(family) for family in families} == expected


def expected_family(family: dict[str, Any]) -> dict[str, Any]:
    metrics: list[Any] = []
    for metric in family["metrics"]:
        labels = label_set(metric.get("labels", {}))
        moment = metric.get("timestamp_ms")
        whole: dict[str, Any] = metric.get("histogram") or metric.get("summary") or {}
        name = family["name"]
        for suffix, label, key in (("_bucket", "le", "buckets"), ("", "quantile", "quantiles")):
            metrics += [
                (name + suffix, label_set([*labels, (label, repr(float(bound)))]), repr(float(value)), moment)
                for bound, value in whole.get(key, [])
            ]
        for suffix in ("sum", "count"):
            if suffix in whole:
                metrics.append((f"{name}_{suffix}", labels, repr(float(whole[suffix])), moment))
        if not whole:
            metrics.append((name, labels, repr(float(metric["value"])), moment))
    kind = {"untyped": "unknown", "gauge_histogram": "gaugehistogram"}.get(family["type"], family["type"])
    return {"name": family["name"], "type": kind, "help": family.get("help", ""), "metrics": sorted(metrics, key=repr)}


def described(family: Family) -> dict[str, Any]:
    metrics: list[Any] = []
    for sample in family.samples:
        labels = dict(sample.labels)
        name = labels.pop(METRIC_NAME)
        if family.metadata.type.value in {"histogram", "gaugehistogram", "summary"}:
            labels |= {bound: repr(float(labels[bound])) for bound in ("le", "quantile") if bound in labels}
        metrics.append((name, label_set(labels), repr(sample.value), sample.time_ms))
    told = family.metadata
    return {"name": told.family, "type": told.type.value, "help": told.help, "metrics": sorted(metrics, key=repr)}


@pytest.mark.parametrize(("case", "exposition"), cases("text_errors.yaml"))
def test_a_broken_file_is_refused_at_the_line_that_is_wrong(case: dict[str, Any], exposition: Format) -> None:
    body = body_of(case)
    assert exposition is Format.TEXT
    line = stated_line(case)
    if case.get("valid_with_utf8_names"):
        read_families(body)
    else:
        with pytest.raises(DecodeError) as caught:
            read_families(body)
        assert caught.value.line == line
    if "error_with_legacy_names" in case:
        with pytest.raises(DecodeError) as caught:
            read_families(body, legacy_names=True)
        assert caught.value.line == line


@pytest.mark.parametrize(("case", "exposition"), cases("text_errors.yaml"))
def test_the_scraper_refuses_a_broken_file_at_its_line_or_takes_it(case: dict[str, Any], exposition: Format) -> None:
    lines: list[int] = []

    try:
        LayoutParser().parse(body_of(case), exposition)
    except DecodeError as error:
        lines.append(error.line)

    assert lines in ([], [stated_line(case)])


def stated_line(case: dict[str, Any]) -> int:
    stated = re.search("line ([0-9]+)", case.get("error") or case["error_with_legacy_names"])
    assert stated is not None
    return int(stated[1])


@pytest.mark.parametrize(
    "expected", [pytest.param(path, id=path.stem) for path in sorted(FOLDER.glob("textfile/*.out"))]
)
def test_text_files_merge_into_what_node_exporter_makes_of_them(expected: Path) -> None:
    helps: dict[str, str] = {}
    files: list[list[Family]] = []
    for path in sorted((expected.parent / expected.stem).glob("*.prom")):
        families = read_families(path.read_bytes())
        # The collector, not the format, refuses files that state times or contradict another one's help.
        timed = any(sample.time_ms is not None for family in families for sample in family.samples)
        told = [family.metadata for family in families]
        if not timed and all(helps.setdefault(m.family, m.help) == m.help for m in told):
            files.append(families)
    out = [f for f in read_families(expected.read_bytes()) if not f.metadata.family.startswith("node_textfile_")]

    found = {(s.labels, s.value) for families in files for f in families for s in f.samples}

    assert found == {(s.labels, s.value) for f in out for s in f.samples}
    types = {f.metadata.family: f.metadata.type for families in files for f in families}
    assert types == {f.metadata.family: f.metadata.type for f in out}


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in sorted(FOLDER.glob("textfile/*.out"))])
def test_families_are_written_as_go_writes_them(path: Path) -> None:
    body = path.read_bytes()
    # Here an empty label is no label and bounds are written as floats, as everywhere in Prometheus 3.
    expected = re.sub(rb'[a-z]+="",?', b"", body).replace(b",}", b"}").replace(b"{}", b"")
    expected = re.sub(rb'\ble="([^"]+)"', lambda le: b'le="%b"' % normal(le[1].decode()).encode(), expected)

    assert encode_text(read_families(body)) == expected


def normal(bound: str) -> str:
    return format_openmetrics_float(float(bound))


# Which parser a response gets.


@pytest.mark.parametrize(("case", "exposition"), cases("content_types.yaml"))
def test_a_response_gets_the_parser_that_prometheus_gives_it(case: dict[str, Any], exposition: Format) -> None:
    fallback = case.get("fallback_scrape_protocol")
    protocol = ScrapeProtocol(fallback) if fallback else None

    if case["parser"] is None:
        with pytest.raises(DecodeError, match=case["error"]):
            choose_format(case["content_type"], protocol)
        return
    chosen = choose_format(case["content_type"], protocol)

    assert exposition is Format.TEXT  # the file is about all formats
    assert chosen.format.name.lower() == case["parser"]
    assert case.get("warning", "") in chosen.warning
    assert bool(chosen.warning) == ("warning" in case)


# Whole expositions of real programs.


def sample_files(*suffixes: str) -> list[Any]:
    paths = sorted(path for suffix in suffixes for path in FOLDER.glob(f"samples/*{suffix}"))
    return [pytest.param(path, id=path.name) for path in paths]


@pytest.mark.parametrize("path", sample_files(".prom.txt", ".om.txt"))
def test_the_quick_parser_reads_a_real_exposition_as_the_exact_one_does(path: Path) -> None:
    body = path.read_bytes()
    exposition = format_of(path)
    assert exposition is not Format.PROTOBUF

    found = samples_of(body, exposition)

    exact = [e for e in read_entries(body, exposition) if isinstance(e, SampleEntry)]
    assert repr(found) == repr([(e.labels, e.value, e.time_ms) for e in exact])
    lines = [line for line in body.decode().split("\n") if line.strip() and not line.startswith("#")]
    assert len(found) == len(lines)


@pytest.mark.parametrize("path", sample_files(".protobuf"))
def test_a_protobuf_exposition_says_what_the_text_says(path: Path) -> None:
    text = path.with_name(path.name.replace(".protobuf", ".prom.txt"))
    if not text.is_file():
        pytest.skip("there is no text of the same name")

    found = samples_of(path.read_bytes(), Format.PROTOBUF)

    assert sorted(map(repr, found)) == sorted(map(repr, samples_of(text.read_bytes(), Format.TEXT)))


@pytest.mark.parametrize("path", sample_files(".prom.txt", ".om.txt", ".protobuf"))
def test_what_is_written_again_reads_the_same(path: Path) -> None:
    samples = samples_of(path.read_bytes(), format_of(path))
    families = untyped_families(Sample(*sample) for sample in samples)

    text = encode_text(families)
    openmetrics = encode_openmetrics(families)

    assert sorted(map(repr, samples_of(text, Format.TEXT))) == sorted(map(repr, samples))
    assert sorted(map(repr, samples_of(openmetrics, Format.OPENMETRICS))) == sorted(map(repr, samples))
