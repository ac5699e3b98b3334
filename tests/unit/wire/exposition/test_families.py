from __future__ import annotations

import pytest

from vedette.model.errors import DecodeError
from vedette.model.samples import MetricType
from vedette.wire.exposition import read_families

BACKUP = b"""# HELP backup_seconds How long it took.
# TYPE backup_seconds summary
backup_seconds{quantile="0.5"} 1
backup_seconds_sum 2
backup_seconds_count 3
backup_seconds_total 4
# TYPE nothing gauge
"""


def test_the_lines_of_a_summary_are_one_family() -> None:
    families = read_families(BACKUP)

    assert [(f.metadata.family, f.metadata.type, len(f.samples)) for f in families] == [
        ("backup_seconds", MetricType.SUMMARY, 3),
        ("backup_seconds_total", MetricType.UNKNOWN, 1),
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        pytest.param(b"# HELP backup_seconds Again.", "second HELP line", id="HELP twice"),
        pytest.param(b"# TYPE backup_seconds gauge", "second TYPE line", id="TYPE twice"),
        pytest.param(b"# TYPE backup_seconds_total counter", "TYPE reported after samples", id="TYPE behind samples"),
        pytest.param(b'backup_seconds{quantile="x"} 1', "expected float", id="a quantile that is no number"),
        pytest.param(b'a{b="C:\\temp"} 1', "invalid escape sequence", id="a path of Windows"),
        pytest.param(b'a{b="c\nd"} 1', "unescaped new-line", id="a line break in a value"),
        pytest.param(b"# HELP a \\x", "invalid escape sequence", id="an unknown escape in a help text"),
    ],
)
def test_a_contradiction_is_refused_at_its_line(line: bytes, problem: str) -> None:
    with pytest.raises(DecodeError, match=problem) as caught:
        read_families(BACKUP + line + b"\n")

    assert caught.value.line == 8


def test_names_may_be_restricted_to_the_legacy_characters() -> None:
    body = b'{"a.b",c="d"} 1\n'

    assert len(read_families(body)) == 1
    with pytest.raises(DecodeError, match=r'invalid metric name "a\.b"'):
        read_families(body, legacy_names=True)
    with pytest.raises(DecodeError, match=r'invalid label name "c\.d"'):
        read_families(b'a{"c.d"="e"} 1\n', legacy_names=True)
