"""Alerts as Alertmanager's API v2 takes them (`POST /api/v2/alerts`).

Source: Alertmanager's `api/v2/openapi.yaml` (`postableAlerts`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import orjson

from vedette.model.alerts import Alert


def encode_alerts(alerts: Sequence[Alert]) -> bytes:
    """The body of a request."""
    return orjson.dumps(
        [
            {
                "labels": dict(alert.labels),
                "annotations": dict(alert.annotations),
                "startsAt": _time(alert.starts_ms),
                "endsAt": _time(alert.ends_ms),
                "generatorURL": alert.generator_url,
            }
            for alert in alerts
        ]
    )


def _time(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
