"""Which proxy a request takes: `proxy_url`, `no_proxy` and the environment.

Pure, but for the environment, which is read once. The rules of `no_proxy` are Go's
(golang.org/x/net/http/httpproxy), because it is Prometheus' users who wrote the lists: a name stands for
itself and what is below it, `.name` for what is below it only, `*` for everything, and addresses,
networks (CIDR) and ports work as one expects. Where such a list is in force, this host is never proxied.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from yarl import URL

from vedette.config.http_client import ProxyConfig

ProxyRule = Callable[[URL], URL | None]
"""The proxy for a URL; None where it is reached directly."""

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def proxy_rule(config: ProxyConfig, environment: Mapping[str, str]) -> ProxyRule:
    """The rule that the options state.

    Raises:
        ValueError: a proxy's URL is none.
    """
    if config.proxy_from_environment:
        by_scheme = {scheme: _environment_proxy(environment, f"{scheme}_proxy") for scheme in ("http", "https")}
        return _with_exceptions(by_scheme, _variable(environment, "no_proxy"))
    if not config.proxy_url:
        return lambda _: None
    proxy = _proxy_url(config.proxy_url)
    if config.no_proxy:
        return _with_exceptions({"http": proxy, "https": proxy}, config.no_proxy)
    return lambda _: proxy


def _with_exceptions(by_scheme: Mapping[str, URL | None], no_proxy: str) -> ProxyRule:
    exceptions = [_exception(text.strip().lower()) for text in no_proxy.split(",") if text.strip()]

    def rule(url: URL) -> URL | None:
        host = (url.host or "").lower().rstrip(".")
        port = url.port or _DEFAULT_PORTS.get(url.scheme, 0)
        address = _address(host)
        if host == "localhost" or (address is not None and address.is_loopback):
            return None
        if any(exception.covers(host, address, port) for exception in exceptions):
            return None
        return by_scheme.get(url.scheme)

    return rule


_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class _Exception:
    """One entry of `no_proxy`. What is None or empty is not looked at."""

    everything: bool = False
    network: _Network | None = None
    host: str = ""
    below: str = ""
    port: int | None = None

    def covers(self, host: str, address: _Address | None, port: int) -> bool:
        """Whether the entry is about this host."""
        if self.everything:
            return True
        if self.port is not None and self.port != port:
            return False
        if address is not None:
            if self.network is None or self.network.version != address.version:
                return False
            return address in self.network
        return bool((self.host and host == self.host) or (self.below and host.endswith(self.below)))


def _exception(text: str) -> _Exception:
    if text == "*":
        return _Exception(everything=True)
    network = _network(text)
    if network is not None:
        return _Exception(network=network)
    host, colon, port_text = text.rpartition(":")
    port = int(port_text) if colon and port_text.isdigit() else None
    if port is None:
        host = text
    address = _network(host.strip("[]"))
    if address is not None:
        return _Exception(network=address, port=port)
    if host.startswith(("*.", ".")):
        return _Exception(below="." + host.lstrip("*."), port=port)
    return _Exception(host=host, below="." + host, port=port)


def _network(text: str) -> _Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _address(text: str) -> _Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _environment_proxy(environment: Mapping[str, str], name: str) -> URL | None:
    text = _variable(environment, name)
    return _proxy_url(text) if text else None


def _variable(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name.upper()) or environment.get(name) or ""


def _proxy_url(text: str) -> URL:
    """A proxy's URL; one without a scheme speaks HTTP."""
    url = URL(text if "://" in text else f"http://{text}")
    if not url.host or url.scheme not in ("http", "https", "socks5", "socks5h"):
        raise ValueError("a proxy's URL starts with http://, https:// or socks5:// and names a host")
    return url
