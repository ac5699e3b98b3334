"""Results as JUnit XML, in promtool's form, for the services that run tests.

Source: Prometheus' `util/junitxml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from html import escape
from typing import Final

from vedette.rules.unit_tests.run import CaseResult, FileResult

_NOT_IN_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(results: Sequence[FileResult], now: datetime) -> str:
    """The document: a suite for each file, with a case for each of its tests."""
    return "".join(["<testsuites>", *(part for result in results for part in _suite(result, now)), "</testsuites>"])


def _suite(result: FileResult, now: datetime) -> Iterator[str]:
    # A file that could not be run has one case, as in promtool.
    cases = result.cases or ((CaseResult("unknown", ()),) if result.problems else ())
    failures = sum(len(case.failures) for case in result.cases)
    counts = f'tests="{len(cases)}" failures="{failures}" errors="{len(result.problems)}" skipped="0"'
    stamp = "" if result.problems else now.strftime("%Y-%m-%dT%H:%M:%S")
    yield f'<testsuite name="{_text(result.file)}" {counts} timestamp="{stamp}">'
    for number, case in enumerate(cases):
        yield f'<testcase name="{_text(case.name)}">'
        for failure in case.failures:
            yield f"<failure>{_text(failure)}</failure>"
        if number == len(cases) - 1 and result.problems:
            yield f"<error>{_text(chr(10).join(result.problems))}</error>"
        yield "</testcase>"
    yield "</testsuite>"


def _text(text: str) -> str:
    return escape(_NOT_IN_XML.sub("\ufffd", text)).replace("\n", "&#10;")
