from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.http.connection import CONNECTION, ConnectionFacts
from vedette.http.errors import ProblemError
from vedette.http.head import parse_address, parse_networks, read_head, split_authority


def scope(*headers: tuple[str, str], peer: str = "127.0.0.1", raw_path: bytes = b"/", **more: Any) -> dict[str, Any]:
    named = headers if any(name == "host" for name, _ in headers) else (("host", "localhost"), *headers)
    return {
        "type": "http",
        "http_version": "1.1",
        "scheme": "http",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in named],
        "client": (peer, 5000),
        "raw_path": raw_path,
        **more,
    }


def test_a_request_without_host_is_malformed_in_http_1_1_only() -> None:
    with pytest.raises(ProblemError, match="Host header is needed"):
        read_head({**scope(), "headers": []})

    assert read_head({**scope(http_version="1.0"), "headers": []}).authority == ""


@pytest.mark.parametrize("name", ["host", "authorization", "origin", "sec-fetch-site", "content-length"])
def test_a_header_that_decides_something_must_not_be_repeated(name: str) -> None:
    with pytest.raises(ProblemError, match="must not be repeated"):
        read_head(scope((name, "a"), (name, "b")))


@pytest.mark.parametrize("host", ["", "a b", "a/b", "user@host", "host:port", "[::1", "a,b", "h\xf6st", "a:1:2"])
def test_a_host_that_is_no_authority_is_malformed(host: str) -> None:
    with pytest.raises(ProblemError, match="Host header"):
        read_head(scope(("host", host)))


@pytest.mark.parametrize(
    ("authority", "host"),
    [("localhost", "localhost"), ("localhost:7300", "localhost"), ("[::1]:7300", "::1"), ("[::1]", "::1")],
)
def test_the_host_is_the_authority_without_its_port(authority: str, host: str) -> None:
    assert split_authority(authority) == host


@pytest.mark.parametrize("raw_path", [b"/%ff", b"/%c0%af", b"/a%00b", b"/a%0d%0ab", b"/%ed%a0%80"])
def test_a_path_with_bytes_that_are_no_text_is_malformed(raw_path: bytes) -> None:
    with pytest.raises(ProblemError, match="path"):
        read_head(scope(raw_path=raw_path))


@pytest.mark.parametrize(
    "header",
    ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-anything", "forwarded", "via", "x-real-ip", "cf-ray"],
)
def test_any_sign_of_a_proxy_makes_the_request_a_forwarded_one(header: str) -> None:
    assert read_head(scope((header, ""))).forwarded


def test_an_untrusted_proxy_is_not_believed() -> None:
    head = read_head(scope(("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "https")))

    assert (head.address, head.secure) == ("127.0.0.1", False)


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        pytest.param("203.0.113.9", "203.0.113.9", id="one proxy names the client"),
        pytest.param("198.51.100.1, 203.0.113.9", "203.0.113.9", id="what the client claims before it is ignored"),
        pytest.param("203.0.113.9, 10.0.0.7", "203.0.113.9", id="a trusted hop is passed over"),
        pytest.param("203.0.113.9:4711", "203.0.113.9", id="a port is dropped"),
        pytest.param("[2001:db8::1]:4711", "2001:db8::1", id="so is one after an IPv6 address"),
        pytest.param("::ffff:203.0.113.9", "203.0.113.9", id="a mapped address is the IPv4 address"),
        pytest.param("203.0.113.9, <script>", "10.0.0.1", id="a hop that is no address ends the chain"),
        pytest.param("", "10.0.0.1", id="no chain leaves the proxy"),
    ],
)
def test_a_trusted_proxy_names_the_client(chain: str, client: str) -> None:
    trusted = parse_networks(["10.0.0.0/8"])

    head = read_head(scope(("x-forwarded-for", chain), ("x-forwarded-proto", "https"), peer="10.0.0.1"), trusted)

    assert (head.address, head.secure, head.forwarded) == (client, True, True)


def test_a_trusted_proxy_on_loopback_is_never_a_local_client() -> None:
    assert read_head(scope(), parse_networks(["127.0.0.1"])).forwarded


@given(st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=40)), max_size=10), st.binary(max_size=40))
def test_no_header_makes_reading_fail_otherwise_than_as_malformed(
    headers: list[tuple[bytes, bytes]], raw_path: bytes
) -> None:
    hostile = {**scope(raw_path=raw_path), "headers": [(b"host", b"localhost"), *headers]}

    try:
        head = read_head(hostile, parse_networks(["127.0.0.0/8"]))
    except ProblemError as refused:
        assert refused.problem.status == 400  # noqa: PT017 - either outcome is fine
    else:
        assert head.authority == "localhost"


def test_the_head_of_equal_headers_is_made_once_for_a_connection_and_their_path_checked_every_time() -> None:
    facts = ConnectionFacts()
    first = read_head(scope(("accept", "a"), **{CONNECTION: facts}))

    assert read_head(scope(("accept", "a"), **{CONNECTION: facts})) is first
    assert read_head(scope(("accept", "b"), **{CONNECTION: facts})).get(b"accept") == "b"
    with pytest.raises(ProblemError, match="UTF-8"):
        read_head(scope(("accept", "b"), raw_path=b"/%ff", **{CONNECTION: facts}))


def test_large_heads_are_not_kept() -> None:
    facts = ConnectionFacts()

    read_head(scope(("x", "a" * 10_000), **{CONNECTION: facts}))

    assert facts.head is None
    assert facts.head_of is None


def test_a_text_too_long_for_an_address_is_none() -> None:
    assert parse_address("::1") is not None
    assert parse_address("0" * 10_000 + "::1") is None
