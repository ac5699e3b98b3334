from __future__ import annotations

import ssl
from pathlib import Path

from vedette.app.wiring import auth_settings, http_settings
from vedette.config import Config, load_text
from vedette.http import AuthSettings, TlsSettings


def read(text: str) -> Config:
    return load_text(text, file="/etc/vedette/v.yml", env={}).config


def test_without_a_configuration_logins_are_throttled_by_the_defaults() -> None:
    assert auth_settings(read("")).throttle == AuthSettings().throttle


def test_every_option_of_the_throttle_arrives() -> None:
    text = (
        "auth: {login_throttle: {first_delay: 2s, account_free_failures: 1, account_max_delay: 3s,"
        " address_free_failures: 4, address_max_delay: 5s, forget_after: 6s}}"
    )

    throttle = auth_settings(read(text)).throttle

    assert throttle.first_delay_s == 2
    assert (throttle.account_free_failures, throttle.account_max_delay_s) == (1, 3)
    assert (throttle.address_free_failures, throttle.address_max_delay_s) == (4, 5)
    assert throttle.forget_s == 6


def test_what_is_asked_of_clients_certificates_arrives() -> None:
    text = "http: {tls: {cert_file: c.pem, key_file: k.pem, client_ca_file: ca.pem, min_version: TLS13}}"

    tls = http_settings(read(text), None).tls

    folder = Path("/etc/vedette")
    assert tls == TlsSettings(folder / "c.pem", folder / "k.pem", folder / "ca.pem", ssl.TLSVersion.TLSv1_3)


def test_without_an_authority_no_certificate_is_asked_for() -> None:
    tls = http_settings(read("http: {tls: {cert_file: c.pem, key_file: k.pem}}"), None).tls

    assert tls is not None
    assert tls.client_ca is None
    assert tls.min_version is ssl.TLSVersion.TLSv1_2
