from __future__ import annotations

import os
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.http.auth.local_access import LocalAccess, local_access
from vedette.http.auth.peer_user import user_of_peer
from vedette.http.connection import CONNECTION, ConnectionFacts
from vedette.http.head import read_head
from vedette.http.settings import AuthMode, ListenAddress

OURS = os.geteuid()


def refusal(
    *headers: tuple[str, str],
    host: str = "localhost:7300",
    peer: str = "127.0.0.1",
    server: str = "127.0.0.1",
    version: str = "1.1",
    user: int | None = OURS,
    facts: bool = True,
) -> str:
    scope: dict[str, Any] = {
        "http_version": version,
        "scheme": "http",
        "headers": [(b"host", host.encode()), *((name.encode(), value.encode()) for name, value in headers)],
        "client": (peer, 5000),
        "server": (server, 7300),
        **({CONNECTION: ConnectionFacts()} if facts else {}),
    }
    return LocalAccess(enabled=True, find_user=lambda _client, _server: user).refusal(read_head(scope), scope)


@pytest.mark.parametrize("host", ["localhost", "localhost:7300", "127.0.0.1:9999", "[::1]:7300", "127.1.2.3"])
def test_a_local_program_of_our_user_is_trusted(host: str) -> None:
    assert refusal(host=host) == ""


def test_our_own_pages_and_typed_addresses_are_trusted() -> None:
    assert refusal(("sec-fetch-site", "same-origin")) == ""
    assert refusal(("sec-fetch-site", "none")) == ""
    assert refusal(("origin", "http://localhost:7300")) == ""


@pytest.mark.parametrize(
    ("arguments", "because"),
    [
        pytest.param({"peer": "192.0.2.1"}, "not come from this machine", id="another machine"),
        pytest.param({"server": "192.0.2.5"}, "not come from this machine", id="an address others reach too"),
        pytest.param({"host": "evil.example"}, "not a name of this machine", id="DNS rebinding"),
        pytest.param({"host": "localhost.evil.example"}, "not a name", id="a name that begins like loopback"),
        pytest.param({"host": "127.0.0.1.evil.example"}, "not a name", id="a name that begins like an address"),
        pytest.param({"host": "watch.example"}, "not a name", id="a proxy that passes the name on"),
        pytest.param({"host": "0.0.0.0:7300"}, "not a name", id="the unspecified address"),
        pytest.param({"version": "1.0"}, "HTTP/1.0", id="nginx with its defaults"),
        pytest.param({"user": OURS + 1}, "not run as the same user", id="another user of the machine"),
        pytest.param({"user": None}, "not run as the same user", id="a kernel that does not tell"),
        pytest.param({"facts": False}, "not run as the same user", id="a server that does not ask the kernel"),
    ],
)
def test_who_only_looks_local_is_not_trusted(arguments: dict[str, Any], because: str) -> None:
    assert because in refusal(**arguments)


@pytest.mark.parametrize(
    ("header", "because"),
    [
        (("x-forwarded-for", "203.0.113.9"), "through a proxy"),
        (("x-forwarded-host", "watch.example"), "through a proxy"),
        (("forwarded", "for=203.0.113.9"), "through a proxy"),
        (("x-real-ip", "203.0.113.9"), "through a proxy"),
        (("via", "1.1 proxy"), "through a proxy"),
        (("sec-fetch-site", "cross-site"), "another site's page"),
        (("sec-fetch-site", "same-site"), "another site's page"),
        (("origin", "http://localhost:3000"), "another site's page"),
        (("origin", "null"), "another site's page"),
    ],
)
def test_proxies_and_other_sites_pages_are_not_trusted(header: tuple[str, str], because: str) -> None:
    assert because in refusal(header)


@pytest.mark.parametrize(
    ("mode", "hosts", "enabled"),
    [
        pytest.param(AuthMode.AUTO, ["127.0.0.1"], True, id="loopback only"),
        pytest.param(AuthMode.AUTO, ["localhost", "::1"], True, id="all of several are loopback"),
        pytest.param(AuthMode.AUTO, ["127.0.0.1", "192.0.2.1"], False, id="one of several is not"),
        pytest.param(AuthMode.AUTO, ["0.0.0.0"], False, id="everywhere"),
        pytest.param(AuthMode.AUTO, ["::"], False, id="everywhere, in IPv6"),
        pytest.param(AuthMode.AUTO, ["example.org"], False, id="a name could mean anything"),
        pytest.param(AuthMode.REQUIRED, ["127.0.0.1"], False, id="required is required"),
    ],
)
def test_nobody_is_trusted_once_the_outside_can_connect(mode: AuthMode, hosts: list[str], enabled: bool) -> None:  # noqa: FBT001
    assert local_access(mode, [ListenAddress(host) for host in hosts]).enabled is enabled


@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_the_kernel_knows_whose_the_other_end_is(family: int, address: str) -> None:
    try:
        listener = socket.create_server((address, 0), family=family)
    except OSError:
        pytest.skip(f"there is no {address} here")
    with listener, socket.create_connection(listener.getsockname()[:2]) as client:
        accepted, _ = listener.accept()
        with accepted:
            peer, ours = client.getsockname()[:2], accepted.getsockname()[:2]

            assert user_of_peer(peer, ours) == OURS
            client.close()
            # root's is what the kernel says of a socket that has no process any more
            assert user_of_peer(peer, ours) is None


def test_a_connection_that_does_not_exist_is_nobodys() -> None:
    assert user_of_peer(("127.0.0.1", 1), ("127.0.0.1", 2)) is None
    assert user_of_peer(("not an address", 1), ("127.0.0.1", 2)) is None


_HEADERS = st.lists(
    st.sampled_from(
        [
            (b"host", b"evil.example"),
            (b"x-forwarded-for", b"203.0.113.9"),
            (b"origin", b"http://evil.example"),
            (b"authorization", b"Bearer x"),
            (b"accept", b"*/*"),
            (b"x-long", b"x" * 5000),
        ]
    ),
    max_size=3,
    unique_by=lambda header: header[0],
).map(lambda some: some if any(name == b"host" for name, _ in some) else [(b"host", b"localhost"), *some])


@given(st.lists(st.tuples(_HEADERS, st.sampled_from(["1.0", "1.1"])), max_size=8))
def test_each_request_of_a_connection_is_judged_by_its_own_headers(
    requests: list[tuple[list[tuple[bytes, bytes]], str]],
) -> None:
    access = LocalAccess(enabled=True, find_user=lambda _client, _server: OURS)
    facts = ConnectionFacts()

    for headers, version in requests:
        scope = {
            "http_version": version,
            "scheme": "http",
            "headers": headers,
            "client": ("127.0.0.1", 5000),
            "server": ("127.0.0.1", 7300),
        }
        alone = {**scope, CONNECTION: ConnectionFacts()}
        together = {**scope, "headers": list(headers), CONNECTION: facts}
        head = read_head(together)
        assert head == read_head(alone)
        assert access.refusal(head, together) == access.refusal(read_head(alone), alone)
