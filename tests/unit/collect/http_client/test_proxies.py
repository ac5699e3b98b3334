from __future__ import annotations

import pytest
from yarl import URL

from vedette.collect.http_client.proxies import proxy_rule
from vedette.config import ProxyConfig

PROXY = "http://proxy:3128"


@pytest.mark.parametrize(
    ("url", "no_proxy", "proxied"),
    [
        pytest.param("http://app.example:9100/", "", True, id="without exceptions"),
        pytest.param("http://127.0.0.1:9100/", "", True, id="loopback too, without exceptions"),
        pytest.param("http://127.0.0.1:9100/", "other", False, id="never loopback, with exceptions"),
        pytest.param("http://localhost:9100/", "other", False, id="never localhost, with exceptions"),
        pytest.param("http://[::1]:9100/", "other", False, id="never IPv6 loopback, with exceptions"),
        pytest.param("http://app.example/", "app.example", False, id="a name stands for itself"),
        pytest.param("http://a.app.example/", "app.example", False, id="a name stands for what is below it"),
        pytest.param("http://myapp.example/", "app.example", True, id="a name does not stand for what ends like it"),
        pytest.param("http://app.example/", ".app.example", True, id="a dot excludes the name itself"),
        pytest.param("http://a.app.example/", ".app.example", False, id="a dot includes what is below"),
        pytest.param("http://a.app.example/", "*.app.example", False, id="a star is a dot"),
        pytest.param("http://app.example:9100/", "app.example:9100", False, id="the port fits"),
        pytest.param("http://app.example:9101/", "app.example:9100", True, id="the port does not fit"),
        pytest.param("https://app.example/", "app.example:443", False, id="the default port fits"),
        pytest.param("http://10.1.2.3/", "10.0.0.0/8", False, id="a network"),
        pytest.param("http://11.1.2.3/", "10.0.0.0/8", True, id="another network"),
        pytest.param("http://10.1.2.3/", "10.1.2.3", False, id="an address"),
        pytest.param("http://10.1.2.3:9100/", "10.1.2.3:9100", False, id="an address with its port"),
        pytest.param("http://10.1.2.3:9101/", "10.1.2.3:9100", True, id="an address with another port"),
        pytest.param("http://[fd00::5]/", "fd00::/8", False, id="an IPv6 network"),
        pytest.param("http://[fd00::5]:9100/", "[fd00::5]:9100", False, id="an IPv6 address with its port"),
        pytest.param("http://app.example/", "a, , App.Example ,b", False, id="blanks, empty entries and upper case"),
        pytest.param("http://app.example/", "*", False, id="a star alone is everything"),
    ],
)
def test_no_proxy_says_which_hosts_are_reached_directly(url: str, no_proxy: str, proxied: bool) -> None:  # noqa: FBT001
    rule = proxy_rule(ProxyConfig(proxy_url=PROXY, no_proxy=no_proxy), {})

    assert rule(URL(url)) == (URL(PROXY) if proxied else None)


def test_the_environment_says_which_proxy_by_the_targets_scheme() -> None:
    environment = {"HTTP_PROXY": "plain:1", "https_proxy": "http://secure:2", "NO_PROXY": "direct.example"}

    rule = proxy_rule(ProxyConfig(proxy_from_environment=True), environment)

    assert rule(URL("http://a.example")) == URL("http://plain:1")
    assert rule(URL("https://a.example")) == URL("http://secure:2")
    assert rule(URL("https://direct.example")) is None


def test_the_environment_is_not_asked_unless_it_is_wanted() -> None:
    assert proxy_rule(ProxyConfig(), {"HTTP_PROXY": "plain:1"})(URL("http://a.example")) is None


@pytest.mark.parametrize("proxy", ["ftp://proxy", "http://", "socks4://proxy:1"])
def test_a_proxy_that_is_none_is_refused(proxy: str) -> None:
    with pytest.raises(ValueError, match="proxy"):
        proxy_rule(ProxyConfig(proxy_url=proxy), {})
