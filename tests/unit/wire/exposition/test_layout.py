from __future__ import annotations

import random
import re
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.model.errors import DecodeError, LimitExceededError
from vedette.model.labels import LabelSet, label_set
from vedette.model.samples import Exemplar, Metadata, MetricType
from vedette.wire.exposition import NO_TIME, Format, LayoutParser, ParsedScrape, SampleEntry, read_entries

TEXT = b"""# HELP up Whether it is.
# TYPE up gauge
up{job="a"} 1
up{job="b"} 0 1700000000000
# TYPE latency histogram
latency_bucket{le="1"} 2
latency_bucket{le="+Inf"} 3
latency_count 3
"""

OPENMETRICS = b"""# TYPE up gauge
up{job="a"} 1
# TYPE wait_seconds histogram
# UNIT wait_seconds seconds
wait_seconds_bucket{le="1"} 2 1700000000.5 # {trace_id="abc"} 0.5 1700000000.25
wait_seconds_bucket{le="+Inf"} 3 # {trace_id="a\\"b",span_id=""} 7
wait_seconds_created 1700000000
# EOF
"""


def up(job: str) -> LabelSet:
    return label_set({"__name__": "up", "job": job})


class Reader:
    """A parser and what it has said of its rows."""

    def __init__(self, **options: int) -> None:
        self.parser = LayoutParser(**options)
        self.labels: dict[int, LabelSet] = {}

    def parse(self, body: bytes, exposition: Format = Format.TEXT) -> ParsedScrape:
        scrape = self.parser.parse(body, exposition)
        for row, labels in scrape.new_rows:
            assert row not in self.labels, "a row is given twice"
            self.labels[row] = labels
        return scrape

    def samples(self, scrape: ParsedScrape) -> list[tuple[LabelSet, bytes, int | None]]:
        return [
            (self.labels[row], struct.pack("<d", value), None if time_ms == NO_TIME else time_ms)
            for row, value, time_ms in zip(
                scrape.rows.tolist(), scrape.values.tolist(), scrape.times_ms.tolist(), strict=True
            )
        ]

    def exemplars(self, scrape: ParsedScrape) -> list[tuple[LabelSet, Exemplar]]:
        return [(self.labels[row], exemplar) for row, exemplar in scrape.exemplars]


def exact(
    body: bytes, exposition: Format
) -> tuple[list[tuple[LabelSet, bytes, int | None]], list[tuple[LabelSet, Exemplar]]] | str:
    """What the exact reader finds, or why it refuses."""
    assert exposition is not Format.PROTOBUF
    try:
        entries = [e for e in read_entries(body, exposition) if isinstance(e, SampleEntry)]
    except DecodeError as error:
        return str(error)
    samples = [(e.labels, struct.pack("<d", e.value), e.time_ms) for e in entries]
    return samples, [(e.labels, e.exemplar) for e in entries if e.exemplar is not None]


# Columns.


def test_a_first_body_gives_rows_values_times_and_labels() -> None:
    scrape = LayoutParser().parse(TEXT, Format.TEXT)

    assert scrape.rows.tolist() == [0, 1, 2, 3, 4]
    assert scrape.values.tolist() == [1, 0, 2, 3, 3]
    assert scrape.times_ms.tolist() == [NO_TIME, 1_700_000_000_000, NO_TIME, NO_TIME, NO_TIME]
    assert scrape.new_rows[:3] == (
        (0, up("a")),
        (1, up("b")),
        (2, label_set({"__name__": "latency_bucket", "le": "1.0"})),
    )
    assert scrape.metadata == (
        Metadata("up", MetricType.GAUGE, "", "Whether it is."),
        Metadata("latency", MetricType.HISTOGRAM, "", ""),
    )
    assert (scrape.rows.dtype, scrape.values.dtype, scrape.times_ms.dtype) == (np.int32, np.float64, np.int64)


def test_a_body_with_a_known_layout_tells_nothing_but_its_numbers() -> None:
    reader = Reader()
    first = reader.parse(TEXT)

    second = reader.parse(TEXT.replace(b" 3\n", b" 12345.5\n"))

    assert second.rows.tolist() == first.rows.tolist()
    assert second.values.tolist() == [1, 0, 2, 12345.5, 12345.5]
    assert (second.new_rows, second.metadata, second.exemplars, second.notes) == ((), (), (), ())
    assert len(second.missing_rows) == len(second.forgotten_rows) == 0


def test_openmetrics_gives_exemplars_units_and_created_series() -> None:
    reader = Reader()

    scrape = reader.parse(OPENMETRICS, Format.OPENMETRICS)

    bucket = {"__name__": "wait_seconds_bucket"}
    assert reader.exemplars(scrape) == [
        (label_set({**bucket, "le": "1.0"}), Exemplar((("trace_id", "abc"),), 0.5, 1_700_000_000_250)),
        (label_set({**bucket, "le": "+Inf"}), Exemplar((("trace_id", 'a"b'),), 7.0, None)),
    ]
    assert Metadata("wait_seconds", MetricType.HISTOGRAM, "seconds", "") in scrape.metadata
    assert scrape.times_ms.tolist()[1] == 1_700_000_000_500
    assert (("__name__", "wait_seconds_created"),) in reader.labels.values()


def test_two_spellings_of_one_series_are_one_row() -> None:
    scrape = LayoutParser().parse(b'a{x="1",y="2"} 1\na { y="2" , x="1", } 2\n{"a",x="1",y="2",z=""} 3\n', Format.TEXT)

    assert scrape.rows.tolist() == [0, 0, 0]
    assert scrape.duplicates == 2


def test_the_formats_share_rows_but_not_what_they_allow() -> None:
    reader = Reader()
    reader.parse(b'a{x="1", y="2"} 1\nb 2\n')

    scrape = reader.parse(b"b 3\n# EOF\n", Format.OPENMETRICS)

    assert (scrape.rows.tolist(), scrape.new_rows) == ([1], ())
    with pytest.raises(DecodeError, match="expected label name"):
        reader.parse(b'a{x="1", y="2"} 1\n# EOF\n', Format.OPENMETRICS)


def test_bounds_follow_the_last_type_line() -> None:
    reader = Reader()

    reader.parse(b'# TYPE h histogram\nh_bucket{le="1"} 1\n')
    scrape = reader.parse(b'# TYPE h gauge\nh_bucket{le="1"} 1\n')

    assert reader.labels[int(scrape.rows[0])] == label_set({"__name__": "h_bucket", "le": "1"})
    assert scrape.missing_rows.tolist() == [0]


# Changes.


def test_rows_that_are_missing_are_told_once() -> None:
    reader = Reader()
    reader.parse(TEXT)

    second = reader.parse(TEXT.replace(b'up{job="a"} 1\n', b""))
    third = reader.parse(TEXT.replace(b'up{job="a"} 1\n', b""))

    assert second.missing_rows.tolist() == [0]
    assert third.missing_rows.tolist() == []


def test_a_series_that_comes_back_has_its_row() -> None:
    reader = Reader()
    reader.parse(TEXT)
    reader.parse(b"other 1\n")

    scrape = reader.parse(TEXT)

    assert scrape.rows.tolist() == [0, 1, 2, 3, 4]
    assert scrape.new_rows == ()


def test_lines_that_are_inserted_or_moved_leave_the_rows_alone() -> None:
    reader = Reader()
    reader.parse(TEXT)

    scrape = reader.parse(
        b"x 1\n\n# a comment\n" + TEXT.replace(b'up{job="b"}', b'up{job="c"} 5\nup{job="b"}') + b"y 2\n"
    )

    assert [row for row in scrape.rows.tolist() if row < 5] == [0, 1, 2, 3, 4]
    assert sorted(dict(scrape.new_rows).values()) == sorted([(("__name__", "x"),), (("__name__", "y"),), up("c")])


def test_metadata_are_told_when_they_change() -> None:
    reader = Reader()
    reader.parse(TEXT)

    changed = reader.parse(TEXT.replace(b"Whether it is.", b"Another."))
    back = reader.parse(TEXT)

    assert changed.metadata == (Metadata("up", MetricType.GAUGE, "", "Another."),)
    assert back.metadata == (Metadata("up", MetricType.GAUGE, "", "Whether it is."),)


def test_a_lapse_makes_all_rows_missing_and_the_next_body_none() -> None:
    reader = Reader()
    reader.parse(TEXT)

    missing = reader.parser.lapse()
    scrape = reader.parse(TEXT)

    assert missing.tolist() == [0, 1, 2, 3, 4]
    assert scrape.rows.tolist() == [0, 1, 2, 3, 4]
    assert scrape.missing_rows.tolist() == []


def test_a_series_that_stays_away_is_forgotten_and_its_row_given_to_another() -> None:
    reader = Reader(forget_after=3)
    reader.parse(b"a 1\nb 1\n")
    forgotten = [reader.parse(b"a 1\n").forgotten_rows.tolist() for _ in range(6)]

    scrape = reader.parser.parse(b"a 1\nc 1\n", Format.TEXT)

    assert [rows for rows in forgotten if rows] == [[1]]
    assert scrape.new_rows == ((1, (("__name__", "c"),)),)


def test_memory_is_bounded_for_a_target_that_changes_all_its_series_each_time() -> None:
    parser = LayoutParser(forget_after=5)

    for body in range(100):
        parser.parse(b"".join(b's{n="%d-%d"} 1\n' % (body, n) for n in range(50)), Format.TEXT)

    assert parser.remembered <= 50 * 11


# Refusals.


@pytest.mark.parametrize(
    ("body", "line"),
    [
        pytest.param(TEXT + b"oops\n", 9, id="no value"),
        pytest.param(TEXT + b'new{x="1"} 1\nnew{x=1} 1\n', 10, id="bad label behind a new series"),
        pytest.param(b'new{x="\xff"} 1\n' + TEXT + b"oops\n", 1, id="the first of two errors"),
        pytest.param(TEXT + b'x{a="1",a="2"} 1\n', 9, id="a label twice"),
        pytest.param(TEXT + b"up 1e999\n", 9, id="out of range"),
        pytest.param(TEXT + b"# TYPE up meh\n", 9, id="unknown type"),
    ],
)
def test_a_bad_body_is_refused_as_a_whole_and_leaves_no_trace(body: bytes, line: int) -> None:
    reader = Reader()
    reader.parse(TEXT)

    with pytest.raises(DecodeError) as caught:
        reader.parse(body)
    scrape = reader.parse(b"brand_new 1\n" + TEXT)

    assert caught.value.line == line
    assert scrape.new_rows == ((5, (("__name__", "brand_new"),)),)
    assert scrape.metadata == ()
    assert scrape.missing_rows.tolist() == []


def test_too_many_samples_are_refused() -> None:
    parser = LayoutParser(max_series=3)
    body = b"".join(b"s%d 1\n" % n for n in range(4))

    with pytest.raises(LimitExceededError, match="max_series"):
        parser.parse(body, Format.TEXT)
    scrape = parser.parse(body[:-5], Format.TEXT)

    assert len(scrape.rows) == 3


def test_too_many_metadata_lines_are_refused() -> None:
    body = b"".join(b"# HELP s%d x\n" % n for n in range(100))

    with pytest.raises(LimitExceededError, match="max_series"):
        LayoutParser(max_series=3).parse(body, Format.TEXT)


@pytest.mark.parametrize("exposition", list(Format))
@pytest.mark.parametrize("length", range(0, 40, 3))
def test_a_body_cut_off_anywhere_is_read_or_refused(exposition: Format, length: int) -> None:
    parser = LayoutParser()

    for body in (TEXT, OPENMETRICS):
        for cut in range(length, len(body), 40):
            try:
                parser.parse(body[:cut], exposition)
            except DecodeError:
                continue


# Both paths agree on anything.

PIECES = [
    *(bytes([byte]) for byte in b'\n \t{}"\\\x00#,=a1-+.e_:\xff'),
    *(
        b'a{b="c"} 1\n',
        b"# TYPE h histogram\n",
        b"# TYPE h summary\n",
        b"# TYPE h gauge\n",
        b"# HELP h x\\n\n",
        b"# EOF\n",
    ),
    *(
        b'h_bucket{le="1"} ',
        b'h{quantile="0"} ',
        b"NaN",
        b"+Inf",
        b"1e5",
        b"0.30000000000000004",
        b" # {",
        b"# UNIT a_b b\n",
    ),
    *(
        b'{"u.v",w="\\"x\\\\"} 2 ',
        b' # {t="u"} 1 2\n',
        b"1700000000000",
        b"\xc3\xa9",
        b'"',
        b"9007199254740993",
        b"5e-324",
    ),
]
soups = st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join)


@given(st.lists(st.tuples(soups, st.sampled_from([Format.TEXT, Format.OPENMETRICS])), min_size=1, max_size=6))
def test_the_quick_path_reads_any_bytes_as_the_exact_one_does(bodies: list[tuple[bytes, Format]]) -> None:
    reader = Reader(forget_after=2)
    last: set[int] = set()
    for body, exposition in [*bodies, *bodies]:
        expected = exact(body, exposition)
        if isinstance(expected, str):
            with pytest.raises(DecodeError, match=re.escape(expected)):
                reader.parse(body, exposition)
            continue
        scrape = reader.parse(body, exposition)
        assert repr((reader.samples(scrape), reader.exemplars(scrape))) == repr(expected)
        rows = set(scrape.rows.tolist())
        assert set(scrape.missing_rows.tolist()) == last - rows
        assert scrape.duplicates == len(scrape.rows) - len(rows)
        for row in scrape.forgotten_rows.tolist():
            assert row not in rows
            del reader.labels[row]
        last = rows


@given(st.randoms(use_true_random=False), st.sampled_from([(TEXT, Format.TEXT), (OPENMETRICS, Format.OPENMETRICS)]))
def test_mutated_bodies_are_read_or_refused_as_the_exact_path_does(
    rng: random.Random, seed: tuple[bytes, Format]
) -> None:
    reader = Reader(forget_after=3)
    body, exposition = seed
    for _ in range(20):
        mutated = bytearray(body)
        for _ in range(rng.choice([0, 1, 1, 3])):
            at = rng.randrange(len(mutated) + 1)
            kind = rng.randrange(4)
            if kind == 0:
                mutated[at:at] = rng.choice(PIECES)
            elif kind == 1:
                del mutated[at : at + rng.choice([1, 2, 9])]
            elif kind == 2:
                mutated[at : at + 1] = bytes([rng.randrange(256)])
            else:
                lines = bytes(mutated).split(b"\n")
                lines.insert(rng.randrange(len(lines)), rng.choice(lines))
                mutated = bytearray(b"\n".join(lines))
        expected = exact(bytes(mutated), exposition)
        if isinstance(expected, str):
            with pytest.raises(DecodeError, match=re.escape(expected)):
                reader.parse(bytes(mutated), exposition)
            continue
        scrape = reader.parse(bytes(mutated), exposition)
        assert repr((reader.samples(scrape), reader.exemplars(scrape))) == repr(expected)
        for row in scrape.forgotten_rows.tolist():
            del reader.labels[row]


def test_spellings_that_differ_in_one_byte_and_the_format_are_told_apart() -> None:
    # `i` and `m` differ in the bit by which the contexts of the two formats differ.
    for _ in range(50):
        reader = Reader()
        reader.parse(b'ietric{a="1", b="2"} 1\n')

        with pytest.raises(DecodeError, match="expected label name"):
            reader.parse(b'metric{a="1", b="2"} 1\n# EOF\n', Format.OPENMETRICS)
