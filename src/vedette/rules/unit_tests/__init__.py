"""Unit tests of rules, in promtool's format: series written by hand, and what rules must make of them."""

from vedette.rules.unit_tests.junit import junit_xml
from vedette.rules.unit_tests.run import CaseResult, FileResult, RunOptions, run_file

__all__ = ["CaseResult", "FileResult", "RunOptions", "junit_xml", "run_file"]
