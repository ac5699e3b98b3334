"""How Vedette speaks HTTP to others: credentials, TLS, proxies and headers.

One set of options for scraping, discovery and remote write, named and checked as in Prometheus
(prometheus/common's HTTPClientConfig). Secrets can be read from files, which are read again at each use,
so that they can be rotated.
"""

# ruff: noqa: RUF009 - the defaults are frozen
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

from vedette.config.fields import (
    FileName,
    Flag,
    MappingOf,
    SecretLists,
    SecretOption,
    Secrets,
    Texts,
    Url,
    choice,
)
from vedette.config.secrets import Secret
from vedette.config.settings import Problem, Settings

RESERVED_HEADERS: Final = frozenset(
    {
        "host",
        "content-encoding",
        "content-length",
        "content-type",
        "user-agent",
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "www-authenticate",
        "accept-encoding",
        "x-prometheus-remote-write-version",
        "x-prometheus-remote-read-version",
        "x-prometheus-scrape-timeout-seconds",
        "x-amz-date",
        "x-amz-security-token",
        "x-amz-content-sha256",
    }
)
"""Headers that are set by the protocol or by other options."""


class TlsVersion(StrEnum):
    """Versions of TLS, as Prometheus writes them."""

    TLS10 = "TLS10"
    TLS11 = "TLS11"
    TLS12 = "TLS12"
    TLS13 = "TLS13"


class GrantType(StrEnum):
    """How an OAuth 2.0 token is asked for."""

    CLIENT_CREDENTIALS = "client_credentials"
    JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class SignatureAlgorithm(StrEnum):
    """How a JWT is signed."""

    RS256 = "RS256"
    RS384 = "RS384"
    RS512 = "RS512"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsConfig(Settings):
    """TLS towards a server."""

    ca: str = ""
    """Certificates of the authorities to trust, as PEM text. Without one: those of the system."""
    ca_file: FileName = ""
    """File with the certificates of the authorities to trust."""
    cert: str = ""
    """Client certificate, as PEM text."""
    cert_file: FileName = ""
    """File with the client certificate."""
    key: SecretOption = Secret()
    """Key of the client certificate, as PEM text."""
    key_file: FileName = ""
    """File with the key of the client certificate."""
    server_name: str = ""
    """Name expected in the server's certificate, where it is not the host of the URL."""
    insecure_skip_verify: Flag = False
    """Accept any certificate. Anybody in between can then read and answer."""
    min_version: Annotated[TlsVersion | None, choice(TlsVersion)] = None
    """Lowest version of TLS to accept; TLS 1.2 where it is not set."""
    max_version: Annotated[TlsVersion | None, choice(TlsVersion)] = None
    """Highest version of TLS to accept."""

    def problems(self) -> Iterable[Problem]:
        """At most one source for each, and a certificate only with its key."""
        if self.ca and self.ca_file:
            yield Problem(("ca_file",), "at most one of ca & ca_file must be configured", "Remove one.")
        if self.cert and self.cert_file:
            yield Problem(("cert_file",), "at most one of cert & cert_file must be configured", "Remove one.")
        if self.key and self.key_file:
            yield Problem(("key_file",), "at most one of key & key_file must be configured", "Remove one.")
        cert, key = bool(self.cert or self.cert_file), bool(self.key or self.key_file)
        if cert and not key:
            yield Problem((), "a client certificate is configured without its key", "Add `key_file` (or `key`).")
        if key and not cert:
            yield Problem((), "a client key is configured without its certificate", "Add `cert_file` (or `cert`).")
        if self.min_version and self.max_version and self.max_version < self.min_version:
            yield Problem(("max_version",), "max_version is lower than min_version")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyConfig(Settings):
    """Which proxy to use."""

    proxy_url: Url = ""
    """Proxy for all requests: http://, https:// or socks5://."""
    no_proxy: str = ""
    """Hosts, domains, addresses and networks to reach without the proxy, separated by commas."""
    proxy_from_environment: Flag = False
    """Take the proxy from HTTP_PROXY, HTTPS_PROXY and NO_PROXY."""
    proxy_connect_header: SecretLists = ()
    """Headers for the proxy, sent with CONNECT."""

    def proxy_problems(self) -> Iterable[Problem]:
        """Options that contradict each other."""
        remove = "Remove one of the two."
        if self.proxy_connect_header and not (self.proxy_url or self.proxy_from_environment):
            text = "if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured"
            yield Problem(("proxy_connect_header",), text)
        if self.proxy_from_environment and self.proxy_url:
            text = "if proxy_from_environment is configured, proxy_url must not be configured"
            yield Problem(("proxy_url",), text, remove)
        if self.proxy_from_environment and self.no_proxy:
            text = "if proxy_from_environment is configured, no_proxy must not be configured"
            yield Problem(("no_proxy",), text, remove)
        if self.no_proxy and not self.proxy_url and not self.proxy_from_environment:
            yield Problem(("no_proxy",), "if no_proxy is configured, proxy_url must also be configured")

    def problems(self) -> Iterable[Problem]:
        """See `proxy_problems`."""
        return self.proxy_problems()


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicAuth(Settings):
    """A user name and a password."""

    username: str = ""
    """User name."""
    username_file: FileName = ""
    """File with the user name."""
    password: SecretOption = Secret()
    """Password."""
    password_file: FileName = ""
    """File with the password."""

    def problems(self) -> Iterable[Problem]:
        """At most one source for each."""
        if self.username and self.username_file:
            text = "at most one of basic_auth username & username_file must be configured"
            yield Problem(("username_file",), text, "Remove one.")
        if self.password and self.password_file:
            text = "at most one of basic_auth password & password_file must be configured"
            yield Problem(("password_file",), text, "Remove one.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization(Settings):
    """The Authorization header."""

    type: str = "Bearer"
    """What stands before the credentials."""
    credentials: SecretOption = Secret()
    """The credentials, e.g. a token."""
    credentials_file: FileName = ""
    """File with the credentials."""

    def problems(self) -> Iterable[Problem]:
        """At most one source; basic authentication has its own section."""
        if self.credentials and self.credentials_file:
            text = "at most one of authorization credentials & credentials_file must be configured"
            yield Problem(("credentials_file",), text, "Remove one.")
        if self.type.strip().lower() == "basic":
            yield Problem(("type",), 'authorization type cannot be set to "basic"', "Use `basic_auth` instead.")


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth2(ProxyConfig):
    """A token fetched from an OAuth 2.0 server."""

    client_id: str = ""
    """Name of the client. Required."""
    grant_type: Annotated[GrantType, choice(GrantType)] = GrantType.CLIENT_CREDENTIALS
    """How to ask for the token."""
    client_secret: SecretOption = Secret()
    """Secret of the client."""
    client_secret_file: FileName = ""
    """File with the secret of the client."""
    client_certificate_key: SecretOption = Secret()
    """Key that signs the JWT of the grant type jwt-bearer."""
    client_certificate_key_file: FileName = ""
    """File with the key that signs the JWT."""
    client_certificate_key_id: str = ""
    """The `kid` in the JWT's header."""
    signature_algorithm: Annotated[SignatureAlgorithm, choice(SignatureAlgorithm)] = SignatureAlgorithm.RS256
    """How the JWT is signed."""
    iss: str = ""
    """Issuer of the JWT; the client's name where it is not set."""
    audience: str = ""
    """Audience of the JWT; the token URL where it is not set."""
    claims: Texts = ()
    """Further claims of the JWT."""
    scopes: tuple[str, ...] = ()
    """Scopes to ask for."""
    token_url: str = ""
    """Where to fetch the token. Required."""
    endpoint_params: Secrets = ()
    """Further parameters of the token request."""
    tls_config: TlsConfig = TlsConfig()
    """TLS towards the token URL."""

    def problems(self) -> Iterable[Problem]:
        """What is required, and at most one source for each secret."""
        yield from self.proxy_problems()
        if not self.client_id:
            yield Problem((), "oauth2 client_id must be configured", "Add `client_id`.")
        if not self.token_url:
            yield Problem((), "oauth2 token_url must be configured", "Add `token_url`.")
        if self.client_secret and self.client_secret_file:
            text = "at most one of oauth2 client_secret & client_secret_file must be configured"
            yield Problem(("client_secret_file",), text, "Remove one.")
        if self.client_certificate_key and self.client_certificate_key_file:
            text = "at most one of oauth2 client_certificate_key & client_certificate_key_file must be configured"
            yield Problem(("client_certificate_key_file",), text, "Remove one.")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderValues(Settings):
    """The values of one header."""

    values: tuple[str, ...] = ()
    """Values that may be shown."""
    secrets: tuple[SecretOption, ...] = ()
    """Values that are not shown."""
    files: tuple[FileName, ...] = ()
    """Files with values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpClient(ProxyConfig):
    """HTTP requests to others."""

    basic_auth: BasicAuth | None = None
    """User name and password."""
    authorization: Authorization | None = None
    """The Authorization header."""
    oauth2: OAuth2 | None = None
    """A token fetched from an OAuth 2.0 server."""
    bearer_token: SecretOption = Secret()
    """Short for `authorization` with `credentials`."""
    bearer_token_file: FileName = ""
    """Short for `authorization` with `credentials_file`."""
    tls_config: TlsConfig = TlsConfig()
    """TLS of https:// URLs."""
    follow_redirects: Flag = True
    """Follow redirects."""
    enable_http2: Flag = True
    """Offer HTTP/2."""
    http_headers: Annotated[tuple[tuple[str, HeaderValues], ...], MappingOf(HeaderValues)] = ()
    """Further headers."""

    def problems(self) -> Iterable[Problem]:
        """See `client_problems`."""
        return self.client_problems()

    def client_problems(self) -> Iterable[Problem]:
        """At most one way to authenticate; headers that nobody else sets."""
        bearer = "bearer_token_file" if self.bearer_token_file else "bearer_token" if self.bearer_token else ""
        if self.bearer_token and self.bearer_token_file:
            text = "at most one of bearer_token & bearer_token_file must be configured"
            yield Problem(("bearer_token_file",), text, "Remove one.")
        if (self.basic_auth or self.oauth2) and bearer:
            text = "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured"
            yield Problem((bearer,), text, "Remove all but one.")
        if self.authorization and bearer:
            text = "authorization is not compatible with bearer_token & bearer_token_file"
            yield Problem((bearer,), text, "Move the token to `authorization`.")
        if sum(map(bool, (self.basic_auth, self.oauth2, self.authorization))) > 1:
            last = "authorization" if self.authorization else "oauth2"
            text = "at most one of basic_auth, oauth2 & authorization must be configured"
            yield Problem((last,), text, "Remove all but one.")
        yield from self.proxy_problems()
        for name, _ in self.http_headers:
            if name.lower() in RESERVED_HEADERS | {"authorization"}:
                yield Problem(("http_headers", name), f'setting header "{name}" is not allowed', "Remove it.")

    def credentials(self) -> Authorization | None:
        """The Authorization header to send, written by `authorization` or by `bearer_token`."""
        if self.authorization is not None:
            return self.authorization
        if self.bearer_token or self.bearer_token_file:
            return Authorization(credentials=self.bearer_token, credentials_file=self.bearer_token_file)
        return None


def header_problems(headers: tuple[tuple[str, Secret], ...]) -> Iterable[Problem]:
    """Headers of remote write, remote read and tracing that other options set."""
    for name, _ in headers:
        if name.lower() == "authorization":
            text = "the authorization header must be set by the basic_auth, authorization or oauth2 option"
            yield Problem(("headers", name), text, "Use one of those.")
        elif name.lower() in RESERVED_HEADERS:
            yield Problem(("headers", name), f"{name} is a reserved header. It must not be changed", "Remove it.")
