"""Alertmanager's cases of inhibition."""

from __future__ import annotations

from typing import Any

import pytest
from alertmanager_data import cases

from vedette.alerting import parse_alerting
from vedette.alerting.inhibition import Inhibitor, build_inhibit_rules

_NOW_MS = 1_700_000_000_000


@pytest.mark.parametrize("case", cases("inhibition*.y*ml"))
def test_an_alert_is_inhibited_as_in_alertmanager(case: dict[str, Any]) -> None:
    rules = "\n".join(f"  {line}" for line in case["file"]["inhibit_rules"].splitlines())
    config = parse_alerting(f"route: {{receiver: a}}\nreceivers: [{{name: a}}]\ninhibit_rules:\n{rules}", file="a.yml")
    inhibitor = Inhibitor(build_inhibit_rules(config.file.inhibit_rules))
    for number, alert in enumerate(case["file"]["active_alerts"]):
        inhibitor.put(str(number), alert["labels"], _NOW_MS + 60_000)

    found = inhibitor.inhibited(inhibitor.targets(case["labels"]), _NOW_MS)

    assert (found is not None) is case["inhibited"]
