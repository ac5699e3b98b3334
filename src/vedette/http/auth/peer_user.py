"""Which user's process is at the other end of a loopback connection, as the kernel knows it.

Linux answers this for one connection through its socket diagnostics (`man 7 sock_diag`), without privileges
and in some tens of microseconds. Where it does not (another system, a sandbox), nobody is recognised.
"""

from __future__ import annotations

import socket
import struct

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST = 1
_ESTABLISHED = 1
_TIMEOUT_S = 0.2

_MESSAGE_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_REQUEST = struct.Struct("=BBBBI")  # family, protocol, extensions, padding, states
_PORTS = struct.Struct("!HH")
_INTERFACE_AND_COOKIE = struct.Struct("=III")
_NO_COOKIE = 0xFFFF_FFFF
_SOCKET_ID_BYTES = 48
# family, state, timer, retransmits; the socket's id; expires, receive queue, send queue, user, inode
_ANSWER = struct.Struct(f"=BBBB{_SOCKET_ID_BYTES}sIIIII")


def user_of_peer(client: tuple[str, int], server: tuple[str, int]) -> int | None:
    """The user id of the process that holds the client's end; None where it cannot be told.

    Args:
        client: address and port of the other end.
        server: address and port of ours.
    """
    try:
        request = _question(client, server)
        with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, _NETLINK_SOCK_DIAG) as kernel:
            kernel.settimeout(_TIMEOUT_S)
            kernel.send(request)
            answer = kernel.recv(4096)
    except (OSError, AttributeError):  # no such address family, no permission, or no such thing as netlink
        return None
    return _read(answer)


def _question(client: tuple[str, int], server: tuple[str, int]) -> bytes:
    family = socket.AF_INET6 if ":" in client[0] else socket.AF_INET
    body = (
        _REQUEST.pack(family, socket.IPPROTO_TCP, 0, 0, 1 << _ESTABLISHED)
        + _PORTS.pack(client[1], server[1])
        + socket.inet_pton(family, client[0]).ljust(16, b"\0")
        + socket.inet_pton(family, server[0]).ljust(16, b"\0")
        + _INTERFACE_AND_COOKIE.pack(0, _NO_COOKIE, _NO_COOKIE)
    )
    return _MESSAGE_HEADER.pack(_MESSAGE_HEADER.size + len(body), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 1, 0) + body


def _read(answer: bytes) -> int | None:
    if len(answer) < _MESSAGE_HEADER.size + _ANSWER.size:
        return None
    _, kind, _, _, _ = _MESSAGE_HEADER.unpack_from(answer)
    if kind != _SOCK_DIAG_BY_FAMILY:  # an error, such as "no such connection"
        return None
    _, state, _, _, _, _, _, _, user, inode = _ANSWER.unpack_from(answer, _MESSAGE_HEADER.size)
    # A socket that its process has closed already is reported as root's, without an inode.
    return user if state == _ESTABLISHED and inode else None
