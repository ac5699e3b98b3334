from __future__ import annotations

import pytest

from vedette.model.errors import DecodeError
from vedette.wire.exposition import Format, ScrapeProtocol, accept_header, choose_format


def test_the_accept_header_is_prometheus_own() -> None:
    assert accept_header() == (
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
        "application/openmetrics-text;version=0.0.1;q=0.5,"
        "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
        "text/plain;version=0.0.4;q=0.3,"
        "*/*;q=0.2"
    )


def test_the_accept_header_asks_for_protobuf_where_it_is_configured() -> None:
    header = accept_header([ScrapeProtocol.PROTOBUF, ScrapeProtocol.TEXT_1_0_0], escaping="underscores")

    assert header == (
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,"
        "text/plain;version=1.0.0;escaping=underscores;q=0.5,*/*;q=0.4"
    )


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        pytest.param("text/plain; version=0.0.4; charset=utf-8", Format.TEXT, id="as exporters say it"),
        pytest.param("Text/Plain;", Format.TEXT, id="any case, a semicolon left over"),
        pytest.param('text/plain; charset="utf-8"; charset=utf-8', Format.TEXT, id="the same said twice"),
        pytest.param("application/openmetrics-text; version=1.0.0", Format.OPENMETRICS, id="openmetrics"),
    ],
)
def test_a_content_type_names_its_format(content_type: str, expected: Format) -> None:
    chosen = choose_format(content_type, ScrapeProtocol.PROTOBUF)

    assert (chosen.format, chosen.warning) == (expected, "")


@pytest.mark.parametrize(
    "content_type", ["", "text", "text/html", "text/plain; =x", "text/plain; a", "a b/c", "text plain"]
)
def test_a_content_type_that_says_nothing_needs_a_fallback(content_type: str) -> None:
    chosen = choose_format(content_type, ScrapeProtocol.OPENMETRICS_0_0_1)

    assert chosen.format is Format.OPENMETRICS
    assert 'using fallback_scrape_protocol "application/openmetrics-text"' in chosen.warning
    with pytest.raises(DecodeError, match="no fallback_scrape_protocol"):
        choose_format(content_type, None)
