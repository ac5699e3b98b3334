from __future__ import annotations

from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from vedette.rules.unit_tests import CaseResult, FileResult, junit_xml

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_results_are_written_as_promtool_does() -> None:
    results = [
        FileResult("good.yml", (CaseResult("fine", ()),)),
        FileResult("bad.yml", (CaseResult('a "b" <c>', ("first\nsecond \x01", "third")), CaseResult("fine", ()))),
        FileResult("broken.yml", problems=("no such file",)),
    ]

    root = ET.fromstring(junit_xml(results, NOON))

    assert [dict(suite.attrib) for suite in root] == [
        {
            "name": "good.yml",
            "tests": "1",
            "failures": "0",
            "errors": "0",
            "skipped": "0",
            "timestamp": "2026-05-01T12:00:00",
        },
        {
            "name": "bad.yml",
            "tests": "2",
            "failures": "2",
            "errors": "0",
            "skipped": "0",
            "timestamp": "2026-05-01T12:00:00",
        },
        {"name": "broken.yml", "tests": "1", "failures": "0", "errors": "1", "skipped": "0", "timestamp": ""},
    ]
    assert [case.get("name") for case in root.iter("testcase")] == ["fine", 'a "b" <c>', "fine", "unknown"]
    assert [failure.text for failure in root.iter("failure")] == ["first\nsecond \ufffd", "third"]
    assert [error.text for error in root.iter("error")] == ["no such file"]
