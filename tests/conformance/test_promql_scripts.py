from __future__ import annotations

import os
from pathlib import Path

import pytest
from promql_script import Eval, check, read_all, skip_reason

_ROOT = os.environ.get("CONFORMANCE_DIR")
_FOLDER = (Path(_ROOT) if _ROOT else Path(__file__).resolve().parents[3] / "shared" / "conformance") / "promql"
_CASES = read_all(_FOLDER) if _FOLDER.is_dir() else ()


@pytest.mark.skipif(not _CASES, reason=f"no PromQL scripts in {_FOLDER}")
@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in _CASES])
def test_a_script_gets_the_answers_that_prometheus_gives(case: Eval) -> None:
    reason = skip_reason(case)
    if reason is not None:
        pytest.skip(reason)

    check(case)
