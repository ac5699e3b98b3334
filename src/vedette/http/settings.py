"""How the HTTP surface listens, what it bears, and who may log in. Durations are in seconds."""

from __future__ import annotations

import enum
import ssl
from dataclasses import dataclass, field
from pathlib import Path

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """Where to listen: an address or a name, and a port (0 lets the system choose one)."""

    host: str = "127.0.0.1"
    port: int = 7300


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """Files in PEM form.

    Attributes:
        certificate: with those between it and its authority.
        client_ca: authorities; a client must show a certificate of one of them. None: none is asked for.
    """

    certificate: Path
    key: Path
    client_ca: Path | None = None
    min_version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Listening and limits.

    Attributes:
        external_url: the URL that people use where it is not the one listened on (a reverse proxy).
        trusted_proxies: networks of the reverse proxies whose `X-Forwarded-*` headers are believed.
        cors_origins: origins of web pages whose scripts may call the API with a token; `*` for any.
        max_connections: open connections; more are answered 503 and closed.
        max_requests: requests being answered at one time; more are answered 503 with Retry-After.
        max_body_bytes: of a request, where its route does not say otherwise.
        max_head_bytes: of the request line and headers together.
        head_timeout_s: from a request's first byte to the end of its headers.
        body_timeout_s: for a request's whole body.
        body_idle_timeout_s: between two pieces of it.
        send_stall_timeout_s: how long a client may refuse to read its answer.
        keep_alive_s: how long a connection may be idle between requests.
        drain_s: how long requests may go on when the server stops.
        compress_min_bytes: answers from this size on are compressed for clients that accept gzip.
        access_log: one log line per request.
    """

    listen: tuple[ListenAddress, ...] = (ListenAddress(),)
    tls: TlsSettings | None = None
    external_url: str = ""
    trusted_proxies: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()
    max_connections: int = 1024
    max_requests: int = 256
    max_body_bytes: int = MIB
    max_head_bytes: int = 32 * KIB
    max_headers: int = 100
    head_timeout_s: float = 10.0
    body_timeout_s: float = 60.0
    body_idle_timeout_s: float = 15.0
    send_stall_timeout_s: float = 30.0
    keep_alive_s: float = 75.0
    drain_s: float = 10.0
    compress_min_bytes: int = 1400
    access_log: bool = True


class AuthMode(enum.Enum):
    """Who needs a token.

    AUTO: everybody, except programs of the user that runs Vedette on the same machine, as long as it
        listens on loopback only (docs/guide/security.md says what is checked). REQUIRED: everybody.
    """

    AUTO = "auto"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class PasswordSettings:
    """What a password must be, and the cost of guessing one (argon2id).

    Attributes:
        memory_kib: used by each hashing; `concurrency` of them run at a time.
        max_waiting: logins that may wait for their turn; more are answered 503.
    """

    min_length: int = 10
    time_cost: int = 3
    memory_kib: int = 32 * KIB
    parallelism: int = 1
    concurrency: int = 2
    max_waiting: int = 32


@dataclass(frozen=True, slots=True)
class ThrottleSettings:
    """How failed logins slow down further ones.

    After `free_failures` each further failure doubles the delay, from `first_delay_s` up to `max_delay_s`. A key
    is forgotten `forget_s` after its last failure. At most `max_keys` are remembered.
    """

    first_delay_s: float = 1.0
    account_free_failures: int = 5
    account_max_delay_s: float = 60.0
    address_free_failures: int = 20
    address_max_delay_s: float = 900.0
    forget_s: float = 3600.0
    max_keys: int = 10_000


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """Login, sessions and tokens.

    Attributes:
        session_idle_s: a session ends when it was not used for so long,
        session_max_s: and after this time in any case.
        once_link_s: how long a one-time link is good; it also ends with the process.
        verified_for_s: how long a token or session that was looked up is believed without looking again.
            Changes made through this process count at once; those of another instance after this time.
        audit_keep_s: how long the audit trail goes back, and
        audit_keep_records: how many records it holds at most, half of them failures.
    """

    mode: AuthMode = AuthMode.AUTO
    passwords: PasswordSettings = field(default_factory=PasswordSettings)
    throttle: ThrottleSettings = field(default_factory=ThrottleSettings)
    session_cookie: str = "vedette_session"
    session_idle_s: float = 12 * 3600.0
    session_max_s: float = 7 * 86_400.0
    once_link_s: float = 86_400.0
    verified_for_s: float = 30.0
    audit_keep_s: float = 365 * 86_400.0
    audit_keep_records: int = 100_000
