from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.delivering import config_of
from vedette.alerting.delivery.attempts import Exchange
from vedette.alerting.delivery.faults import DeliveryError
from vedette.alerting.delivery.redaction import Redactor, Secrets
from vedette.alerting.receivers import Integration


def settings_of(kind: str, options: str) -> Integration:
    return next(iter(config_of(kind, options).receivers[0].entries())).settings


@given(st.text(min_size=4, alphabet=st.characters(exclude_categories=("Cs",))), st.text(), st.text())
def test_a_secret_is_in_no_text(secret: str, before: str, after: str) -> None:
    redactor = Redactor()
    redactor.learn(secret)

    cleaned = redactor.clean(f"{before}{secret}{after}")

    assert secret in {"<secret>", "secret"} or secret not in cleaned or secret in "<secret>" or "{{" in secret


@pytest.mark.parametrize(
    "text",
    [
        "https://hooks.example.org/services/T0/B0/abcdef?x=1",
        "cannot post to /services/T0/B0/abcdef",
        "https%3A%2F%2Fhooks.example.org%2Fservices%2FT0%2FB0%2Fabcdef%3Fx%3D1",
    ],
)
def test_a_webhook_is_taken_out_in_all_forms_in_which_it_travels(text: str) -> None:
    settings = settings_of("slack", "api_url: 'https://hooks.example.org/services/T0/B0/abcdef?x=1'")

    assert "abcdef" not in Redactor(settings).clean(text)


def test_secrets_of_the_http_options_are_known() -> None:
    settings = settings_of("webhook", "url: 'http://x', http_config: {basic_auth: {username: u, password: letmein}}")

    assert Redactor(settings).clean("said letmein") == "said <secret>"


def test_passwords_in_urls_are_taken_out() -> None:
    assert Redactor().clean("http://user:password@host/") == "http://user:xxxxx@host/"


def test_a_secret_from_a_file_is_read_again_and_known(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("firstkey\n")
    settings = settings_of("opsgenie", f"api_key_file: '{file}'")
    redactor = Redactor(settings)
    secrets = Secrets(settings, redactor)

    first = secrets.read("api_key")
    file.write_text("another one\n")

    assert (first, secrets.read("api_key")) == ("firstkey", "another one")
    assert redactor.clean("firstkey, another one") == "<secret>, <secret>"


def test_a_file_that_is_not_there_may_come_back() -> None:
    settings = settings_of("opsgenie", "api_key_file: /nowhere/key")

    with pytest.raises(DeliveryError, match="api_key_file /nowhere/key cannot be read") as caught:
        Secrets(settings, Redactor(settings)).read("api_key")

    assert not caught.value.permanent


def test_a_secret_at_the_end_of_what_is_kept_is_not_kept_in_part() -> None:
    redactor = Redactor()
    redactor.learn("topsecret")
    exchange = Exchange(kept_bytes=8)

    exchange.sends(b"key: topsecret, and more")

    assert exchange.body(redactor.clean) == "key: <se"
