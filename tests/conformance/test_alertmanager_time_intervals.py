"""Alertmanager's cases of time intervals: what they contain, and what is none."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from alertmanager_data import cases

from vedette.alerting import AlertingConfig, parse_alerting
from vedette.alerting.intervals import TimeInterval
from vedette.model.errors import ConfigErrors


def _config(text: str) -> AlertingConfig:
    body = "\n".join(f"    {line}" for line in text.splitlines() if line.strip() != "---")
    head = "route: {receiver: a}\nreceivers: [{name: a}]\ntime_intervals:\n- name: x\n  time_intervals:\n"
    return parse_alerting(head + body, file="intervals.yml")


def _at_ms(text: str) -> int:
    return int(datetime.strptime(text, "%d %b %y %H:%M %z").timestamp() * 1000)


@pytest.mark.parametrize("case", cases("time_intervals*.y*ml"))
def test_time_intervals_are_those_of_alertmanager(case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(ConfigErrors) as refused:
            _config(case["yaml"])
        assert case["error"] in str(refused.value)
        assert all(error.at.line for error in refused.value.errors)
        return

    intervals: list[TimeInterval] = [one.interval() for one in _config(case["yaml"]).intervals["x"].time_intervals]

    for text in case.get("contains", ()):
        assert any(one.contains(_at_ms(text)) for one in intervals), text
    for text in case.get("excludes", ()):
        assert not any(one.contains(_at_ms(text)) for one in intervals), text
