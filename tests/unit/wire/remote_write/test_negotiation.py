from __future__ import annotations

import pytest

from vedette.wire.compression import Encoding
from vedette.wire.remote_write import UnsupportedMediaError, Version, negotiate, request_headers, written_headers

V2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request"


@pytest.mark.parametrize(
    ("content_type", "content_encoding", "version_header", "version", "encoding"),
    [
        pytest.param("", "", "", Version.V1, Encoding.SNAPPY, id="no headers are version 1 in snappy"),
        pytest.param("application/x-protobuf", "snappy", "0.1.0", Version.V1, Encoding.SNAPPY, id="Prometheus 2"),
        pytest.param(V2, "snappy", "2.0.0", Version.V2, Encoding.SNAPPY, id="Prometheus 3"),
        pytest.param(V2, "", "", Version.V2, Encoding.SNAPPY, id="the message alone decides on the version"),
        pytest.param(
            "application/x-protobuf", "snappy", "2.0.0", Version.V1, Encoding.SNAPPY, id="without message it is 1"
        ),
        pytest.param("application/x-protobuf", "zstd", "", Version.V1, Encoding.ZSTD, id="vmagent"),
        pytest.param(
            'Application/X-Protobuf; proto="io.prometheus.write.v2.Request"',
            "Snappy",
            "2.0.0",
            Version.V2,
            Encoding.SNAPPY,
            id="case, spaces and quotes do not count",
        ),
        pytest.param(
            "application/x-protobuf; charset=x; proto=prometheus.WriteRequest",
            "gzip",
            "",
            Version.V1,
            Encoding.GZIP,
            id="other parameters do not count",
        ),
    ],
)
def test_headers_say_what_a_body_is(
    content_type: str, content_encoding: str, version_header: str, version: Version, encoding: Encoding
) -> None:
    found = negotiate(content_type, content_encoding, version_header)

    assert (found.version, found.encoding) == (version, encoding)


@pytest.mark.parametrize(
    ("content_type", "content_encoding", "version_header", "named"),
    [
        pytest.param("application/json", "snappy", "", "application/json", id="another media type"),
        pytest.param("application/x-protobuf;proto=foo.Bar", "snappy", "", "foo.Bar", id="another message"),
        pytest.param("application/x-protobuf", "br", "", "br", id="another encoding"),
        pytest.param("application/x-protobuf", "snappy", "3.0.0", "3.0.0", id="another version"),
    ],
)
def test_what_cannot_be_read_is_named(
    content_type: str, content_encoding: str, version_header: str, named: str
) -> None:
    with pytest.raises(UnsupportedMediaError, match=named):
        negotiate(content_type, content_encoding, version_header)


@pytest.mark.parametrize("version", Version)
def test_our_own_requests_are_understood(version: Version) -> None:
    headers = request_headers(version)

    found = negotiate(
        headers["Content-Type"], headers["Content-Encoding"], headers["X-Prometheus-Remote-Write-Version"]
    )

    assert (found.version, found.encoding) == (version, Encoding.SNAPPY)


def test_what_was_written_is_told_by_version_2_headers() -> None:
    assert written_headers(samples=3, histograms=0, exemplars=1) == {
        "X-Prometheus-Remote-Write-Samples-Written": "3",
        "X-Prometheus-Remote-Write-Histograms-Written": "0",
        "X-Prometheus-Remote-Write-Exemplars-Written": "1",
    }
