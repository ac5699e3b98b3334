from __future__ import annotations

import pytest

from harness.intake import series
from vedette.ingest.limits import Drop, IngestLimits, refuse_labels
from vedette.model.labels import label_set

LIMITS = IngestLimits(max_labels=3, max_label_name_bytes=8, max_label_value_bytes=8)


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        pytest.param(series("up", a="1", b="2"), None, id="as many labels as allowed, the name among them"),
        pytest.param(series("up", a="1", b="2", c="3"), Drop.LABEL_COUNT, id="one label too many"),
        pytest.param(series("up", **{"12345678": "1"}), None, id="a name as long as allowed"),
        pytest.param(series("up", **{"123456789": "1"}), Drop.LABEL_NAME_LENGTH, id="a name too long"),
        pytest.param(series("up", äöüß="1"), None, id="a name of eight bytes and four characters"),
        pytest.param(series("up", äöüßx="1"), Drop.LABEL_NAME_LENGTH, id="a name of nine bytes"),
        pytest.param(series("up", a="12345678"), None, id="a value as long as allowed"),
        pytest.param(series("up", a="äöüßx"), Drop.LABEL_VALUE_LENGTH, id="a value of nine bytes"),
        pytest.param(series("123456789"), Drop.LABEL_VALUE_LENGTH, id="a metric name too long"),
        pytest.param(label_set({"a": "1"}), Drop.NO_METRIC_NAME, id="no metric name"),
        pytest.param((), Drop.NO_METRIC_NAME, id="no labels"),
        pytest.param(series("up", a="\ud800" * 3), Drop.LABEL_VALUE_LENGTH, id="surrogates count their bytes"),
    ],
)
def test_labels_are_measured_in_bytes_and_against_every_limit(
    labels: tuple[tuple[str, str], ...], reason: Drop | None
) -> None:
    refusal = refuse_labels(labels, LIMITS)

    assert (refusal and refusal[0]) == reason


def test_a_refusal_names_the_option_and_quotes_the_beginning_of_what_is_too_long() -> None:
    refusal = refuse_labels(series("up", path="/" + "x" * 100_000), IngestLimits())

    assert refusal
    assert "`limits.label_value_length`" in refusal[1]
    assert "'path'" in refusal[1]
    assert len(refusal[1]) < 200
