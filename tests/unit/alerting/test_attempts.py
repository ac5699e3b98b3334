from __future__ import annotations

from vedette.alerting import Address
from vedette.alerting.attempts import AttemptLog, decode_attempt
from vedette.alerting.delivery import Attempt
from vedette.store.state import AttemptRow


def test_an_attempt_comes_back_from_its_row_as_it_was() -> None:
    attempt = Attempt(
        message=7,
        address=Address("team", "slack", 2),
        group_key='{}:{alertname="Down"}',
        reason="first notification",
        number=3,
        at_ms=1_000,
        latency_ms=20,
        status=500,
        error="server error",
        permanent=True,
        note="odd",
        body_bytes=9,
        body='{"ü": 1}',
    )
    rows: list[AttemptRow] = []

    class Notes:
        def note_attempt(self, row: AttemptRow) -> None:
            rows.append(row)

    AttemptLog(Notes()).record(attempt)

    (row,) = rows
    assert (row.at_ms, row.message, row.receiver) == (1_000, 7, "team")
    assert decode_attempt(row) == attempt
