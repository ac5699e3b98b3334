from __future__ import annotations

import pytest

from vedette.http.head import read_head
from vedette.http.security import Origin, request_origin, security_headers


@pytest.mark.parametrize(
    ("headers", "origin"),
    [
        pytest.param({}, Origin.UNKNOWN, id="a program sends neither header"),
        pytest.param({"sec-fetch-site": "same-origin"}, Origin.SAME, id="one of our own pages"),
        pytest.param({"sec-fetch-site": "none"}, Origin.SAME, id="typed into the address bar"),
        pytest.param({"sec-fetch-site": "same-site"}, Origin.FOREIGN, id="another port of this host is foreign"),
        pytest.param({"sec-fetch-site": "cross-site"}, Origin.FOREIGN, id="another site"),
        pytest.param({"sec-fetch-site": "whatever"}, Origin.FOREIGN, id="a value that is not known is foreign"),
        pytest.param({"origin": "http://localhost:7300"}, Origin.SAME, id="an older browser names our origin"),
        pytest.param({"origin": "https://localhost:7300"}, Origin.SAME, id="a proxy may speak https for us"),
        pytest.param({"origin": "HTTP://LOCALHOST:7300"}, Origin.SAME, id="case does not matter"),
        pytest.param({"origin": "http://localhost:3000"}, Origin.FOREIGN, id="another port"),
        pytest.param({"origin": "http://localhost:7300.evil.example"}, Origin.FOREIGN, id="a longer name"),
        pytest.param({"origin": "http://evil.example"}, Origin.FOREIGN, id="another host"),
        pytest.param({"origin": "null"}, Origin.FOREIGN, id="a sandboxed page"),
        pytest.param({"origin": "file://localhost:7300"}, Origin.FOREIGN, id="a file"),
        pytest.param({"origin": "http://["}, Origin.FOREIGN, id="nonsense"),
        pytest.param({"origin": ""}, Origin.FOREIGN, id="an empty origin"),
        pytest.param({"origin": "https://watch.example"}, Origin.SAME, id="the external URL's origin"),
        pytest.param({"origin": "http://watch.example"}, Origin.FOREIGN, id="but not by another scheme"),
        pytest.param(
            {"sec-fetch-site": "cross-site", "origin": "http://localhost:7300"},
            Origin.FOREIGN,
            id="Sec-Fetch-Site has the last word",
        ),
    ],
)
def test_where_a_request_began_is_told_from_its_headers(headers: dict[str, str], origin: Origin) -> None:
    raw = [(b"host", b"localhost:7300"), *((name.encode(), value.encode()) for name, value in headers.items())]
    head = read_head({"http_version": "1.1", "scheme": "http", "headers": raw, "client": ("127.0.0.1", 1)})

    assert request_origin(head, "https://watch.example/vedette") is origin


def test_strict_transport_security_is_said_over_https_only() -> None:
    assert b"strict-transport-security" in dict(security_headers(secure=True))
    assert b"strict-transport-security" not in dict(security_headers(secure=False))
