from __future__ import annotations

import pytest

from vedette.content import NoRunbookError, bundled_rules, runbook, runbook_names


def test_every_rule_file_and_every_runbook_can_be_read() -> None:
    assert all(path.read_text("utf-8") for path in bundled_rules())
    assert all(runbook(name) for name in runbook_names())


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("NoSuchAlert", id="a name that no alert has"),
        pytest.param("", id="nothing"),
        pytest.param("../rules/application", id="a way out of the folder"),
        pytest.param("..\\HighErrorRate", id="a way out with backslashes"),
        pytest.param("/etc/passwd", id="an absolute path"),
        pytest.param("HighErrorRate\x00", id="a zero byte"),
        pytest.param("HighErrorRate\n", id="a line end"),
        pytest.param("HighErrorRate.md", id="a file name"),
        pytest.param("A" * 100_000, id="a name without end"),
        pytest.param("Ünïcode", id="letters that no alert's name has"),
    ],
)
def test_what_is_no_alerts_name_has_no_runbook(name: str) -> None:
    with pytest.raises(NoRunbookError, match="there is no bundled runbook named") as caught:
        runbook(name)

    assert len(str(caught.value)) < 500
