"""Conformance tests: other projects' own test data, from the folder that CONFORMANCE_DIR names."""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

_HERE = Path(__file__).resolve().parent
# Test modules are imported one by one; the runners they share are found here.
for folder in (_HERE, _HERE.parent / "unit" / "query" / "promql"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

_SCRIPT_CASE = re.compile(r"test_promql_scripts\.py::.*\[(?P<file>[^\[\]]+):\d+\]$")
_counts: dict[str, Counter[str]] = defaultdict(Counter)


@pytest.hookimpl
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    found = _SCRIPT_CASE.search(report.nodeid)
    if found is None:
        return
    if report.when == "call" or report.outcome == "skipped":
        _counts[found["file"]][report.outcome] += 1


@pytest.hookimpl
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _counts:
        return
    terminalreporter.section("PromQL scripts")
    total: Counter[str] = Counter()
    for file, counts in sorted(_counts.items()):
        total.update(counts)
        terminalreporter.write_line(_line(file, counts))
    terminalreporter.write_line(_line("all", total))


def _line(name: str, counts: Counter[str]) -> str:
    return f"{name:28} {counts['passed']:5} passed {counts['failed']:5} failed {counts['skipped']:5} skipped"
