"""Targets that want to be sure who asks, and that prove who they are: https, passwords and tokens."""

from __future__ import annotations

import base64
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.exposition_server import Asked, ExpositionServer, Page, serve_expositions
from harness.vedette_server import QUIET, Servers, VedetteServer, eventually


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that is its own authority; its key is beside it."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("there is no `openssl` on the path (Debian: apt install openssl)")
    folder = tmp_path_factory.mktemp("tls")
    command = [program, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=target", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "c.pem"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "c.pem"


@pytest.fixture
def secure_target(certificate: Path) -> Iterator[ExpositionServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    with serve_expositions(context) as pages:
        pages.show("level 1\n")
        yield pages


def start(servers: Servers, target: ExpositionServer, *options: str) -> VedetteServer:
    lines = "".join(f"    {option}\n" for option in options)
    return servers.start(
        f"{QUIET}\nscrape_configs:\n  - job_name: shop\n    scrape_interval: 500ms\n    scrape_timeout: 500ms\n"
        f"    static_configs: [{{targets: ['{target.address}']}}]\n{lines}"
    )


def test_a_target_whose_authority_is_trusted_is_scraped_by_https(
    servers: Servers, secure_target: ExpositionServer, certificate: Path
) -> None:
    server = start(servers, secure_target, "scheme: https", f"tls_config: {{ca_file: '{certificate}'}}")

    eventually(lambda: server.value("level") == 1)

    assert server.target("shop")["scrapeUrl"] == f"{secure_target.url}/metrics"
    server.stop()


@pytest.mark.parametrize(
    "options",
    [
        pytest.param((), id="nobody vouches for it"),
        pytest.param(("tls_config: {{ca_file: '{ca}', server_name: other.example.com}}",), id="it is another one"),
    ],
)
def test_a_target_that_cannot_prove_who_it_is_is_not_asked(
    servers: Servers, secure_target: ExpositionServer, certificate: Path, options: tuple[str, ...]
) -> None:
    server = start(servers, secure_target, "scheme: https", *(option.format(ca=certificate) for option in options))

    error = eventually(lambda: server.target("shop")["lastError"])

    assert "certificate" in error.lower()
    assert server.value("up") == 0
    assert secure_target.asked() == []
    server.stop()


def test_a_target_is_asked_with_a_password_and_neither_api_nor_log_shows_it(
    servers: Servers, target: ExpositionServer, tmp_path: Path
) -> None:
    wanted = "Basic " + base64.b64encode(b"ann:geheim").decode()

    def answer(asked: Asked) -> Page:
        return Page(b"level 1\n") if asked.headers.get("authorization") == wanted else Page(b"", status=401)

    target.answer(answer)
    password = tmp_path / "password"
    password.write_text("wrong")
    server = start(servers, target, f"basic_auth: {{username: ann, password_file: '{password}'}}")
    eventually(lambda: "401" in server.target("shop")["lastError"])

    password.write_text("geheim\n")

    eventually(lambda: server.value("level") == 1)
    server.configure(
        f"{QUIET}\nscrape_configs:\n  - job_name: shop\n    scrape_interval: 500ms\n    scrape_timeout: 500ms\n"
        f"    static_configs: [{{targets: ['{target.address}']}}]\n"
        "    basic_auth: {username: ann, password: geheim}\n"
    )
    assert server.client.post("/-/reload").status_code == 200
    target.wait_until_asked(2)
    assert server.value("level") == 1
    assert "geheim" not in server.data("status/config")["yaml"]
    assert "geheim" not in str(server.data("targets"))
    assert "geheim" not in server.log_end(1 << 20)
    server.stop()


def test_a_target_is_asked_with_a_token(servers: Servers, target: ExpositionServer) -> None:
    target.show("level 1\n")
    server = start(servers, target, "authorization: {credentials: abc}")

    (asked, *_) = target.wait_until_asked()

    assert asked.headers["authorization"] == "Bearer abc"
    server.stop()
