"""Alerts."""

from __future__ import annotations

import pytest

from vedette.model.alerts import Alert, fingerprint
from vedette.model.labels import label_set


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        # The first is FNV-1a of nothing; the other was read off an Alertmanager.
        pytest.param({}, "cbf29ce484222325", id="an empty label set"),
        pytest.param(
            {"alertname": "DiskFull", "cluster": "eu1", "mountpoint": "/var/lib", "severity": "warning"},
            "5e26ecfb6c4d5f31",
            id="an alert",
        ),
    ],
)
def test_a_fingerprint_is_alertmanagers(labels: dict[str, str], expected: str) -> None:
    assert fingerprint(label_set(labels)) == expected


@pytest.mark.parametrize(
    ("now_ms", "resolved"),
    [pytest.param(1999, False, id="before its end"), pytest.param(2000, True, id="at its end")],
)
def test_an_alert_is_resolved_from_its_end_on(now_ms: int, *, resolved: bool) -> None:
    alert = Alert(label_set({"alertname": "Down"}), (), starts_ms=1000, ends_ms=2000, updated_ms=1000)

    assert alert.resolved_at(now_ms) is resolved
    assert alert.name == "Down"
