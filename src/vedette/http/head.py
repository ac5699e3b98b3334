"""A request's head, read once: the headers that decide who is asking, from where and through what.

Behind a reverse proxy the peer of the connection is not the client. A proxy that is listed in
`trusted_proxies` is believed; any other sign of one makes the request a remote one, whatever address the
connection comes from.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from starlette.types import Scope

from vedette.http.connection import CONNECTION, ConnectionFacts
from vedette.http.errors import ProblemError

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_SINGLE = frozenset({b"host", b"authorization", b"origin", b"sec-fetch-site", b"content-type", b"content-length"})
# Headers that only something between the client and us adds.
_FORWARDING = frozenset(
    {
        b"forwarded",
        b"via",
        b"x-real-ip",
        b"x-client-ip",
        b"x-cluster-client-ip",
        b"x-original-host",
        b"x-original-forwarded-for",
        b"x-envoy-external-address",
        b"true-client-ip",
        b"fastly-client-ip",
        b"cf-connecting-ip",
        b"cf-ray",
        b"cdn-loop",
        b"x-amzn-trace-id",
        b"x-azure-clientip",
        b"x-appengine-user-ip",
    }
)
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~-]+)(?::(\d{1,5}))?")
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_MAX_KEPT_BYTES = 4096
_LONGEST_ADDRESS = 64


@dataclass(frozen=True, slots=True)
class RequestHead:
    """What the headers say.

    Attributes:
        fields: values by lower-case name; repeated ones are joined.
        authority: the Host header, lower-case, `name` or `name:port`; empty only in HTTP/1.0.
        peer: address of the connection's other end; None where it has none.
        address: the client's address, as far as it can be trusted; for the audit trail and throttling.
        secure: whether the client speaks https (to us, or to a proxy that we trust).
        forwarded: whether something between the client and us can be seen.
    """

    fields: dict[bytes, bytes]
    authority: str
    peer: IpAddress | None
    address: str
    secure: bool
    forwarded: bool

    def get(self, name: bytes) -> str:
        """A header's value; empty where it is absent."""
        return self.fields.get(name, b"").decode("latin-1")

    @property
    def host(self) -> str:
        """The name or address in the Host header, without its port and brackets."""
        return split_authority(self.authority)


def parse_networks(networks: Iterable[str]) -> tuple[IpNetwork, ...]:
    """Read `trusted_proxies`.

    Raises:
        ValueError: one is neither an address nor a network.
    """
    return tuple(ipaddress.ip_network(network, strict=False) for network in networks)


def read_head(scope: Scope, trusted_proxies: Sequence[IpNetwork] = ()) -> RequestHead:
    """Read and check the head of a request.

    Raises:
        ProblemError: the request is malformed.
    """
    facts: ConnectionFacts | None = scope.get(CONNECTION)
    made_of = (scope["http_version"], scope["headers"])
    if facts is not None and facts.head is not None and facts.head_of == made_of:
        _check_path(scope)
        return facts.head
    head = _read(scope, trusted_proxies)
    if facts is not None:
        kept = sum(len(name) + len(value) for name, value in scope["headers"]) <= _MAX_KEPT_BYTES
        facts.head, facts.head_of = (head, made_of) if kept else (None, None)
    return head


def split_authority(authority: str) -> str:
    """The host of `host:port`, without brackets."""
    host = authority if authority.endswith("]") else authority.rpartition(":")[0] or authority
    return host.strip("[]")


def parse_address(text: str) -> IpAddress | None:
    """An IP address; an IPv4 address in IPv6 clothing is the IPv4 address."""
    return _parse_address(text) if len(text) <= _LONGEST_ADDRESS else None


def _read(scope: Scope, trusted_proxies: Sequence[IpNetwork]) -> RequestHead:
    fields: dict[bytes, bytes] = {}
    forwarded = False
    for name, value in scope["headers"]:
        if name in fields:
            if name in _SINGLE:
                raise _malformed(f"the header {name.decode('latin-1')} must not be repeated")
            fields[name] = fields[name] + (b"; " if name == b"cookie" else b", ") + value
        else:
            fields[name] = value
            if name in _FORWARDING or name.startswith(b"x-forwarded-"):
                forwarded = True
    authority = _authority(fields.get(b"host"), http_version=scope["http_version"])
    _check_path(scope)
    peer = _peer(scope)
    secure = scope["scheme"] == "https"
    address = str(peer) if peer else ""
    if peer is not None and trusted_proxies and _within(peer, trusted_proxies):
        forwarded = True
        address = _client_behind(fields.get(b"x-forwarded-for", b"").decode("latin-1"), peer, trusted_proxies)
        proto = fields.get(b"x-forwarded-proto")
        if proto is not None:
            secure = proto.rpartition(b",")[2].strip().lower() == b"https"
    return RequestHead(fields, authority, peer, address, secure, forwarded)


@functools.lru_cache(maxsize=256)
def _parse_address(text: str) -> IpAddress | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _authority(value: bytes | None, *, http_version: str) -> str:
    if value is None:
        if http_version == "1.0":
            return ""
        raise _malformed("a Host header is needed")
    text = value.decode("latin-1").lower()
    match = _AUTHORITY.fullmatch(text)
    if match is None:
        raise _malformed(f"the Host header {text[:80]!r} is not `name` or `name:port`")
    return text


def _check_path(scope: Scope) -> None:
    raw: bytes = scope.get("raw_path") or b""
    if b"%" not in raw:
        return
    path = unquote_to_bytes(raw)
    try:
        path.decode()
    except UnicodeDecodeError as exc:
        raise _malformed("the path is not UTF-8") from exc
    if _CONTROL.search(path):
        raise _malformed("the path holds control characters")


def _peer(scope: Scope) -> IpAddress | None:
    client = scope.get("client")
    # A zone (`fe80::1%eth0`) names the interface, not the address.
    return parse_address(str(client[0]).partition("%")[0]) if client else None


def _within(address: IpAddress, networks: Sequence[IpNetwork]) -> bool:
    return any(address in network for network in networks)


def _client_behind(forwarded_for: str, peer: IpAddress, trusted: Sequence[IpNetwork]) -> str:
    """The last address in the chain that a trusted proxy has vouched for."""
    client = peer
    for hop in reversed(forwarded_for.split(",")):
        address = parse_address(_without_port(hop.strip()))
        if address is None:
            break
        client = address
        if not _within(address, trusted):
            break
    return str(client)


def _without_port(hop: str) -> str:
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _malformed(detail: str) -> ProblemError:
    return ProblemError(400, detail, kind="malformed-request", headers={"Connection": "close"})
