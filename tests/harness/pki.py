"""Certificates for servers on loopback, and the authority that they are from."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"


@dataclass(frozen=True, slots=True)
class Authority:
    """An authority, and a server's certificate for 127.0.0.1."""

    folder: Path

    @property
    def ca_file(self) -> Path:
        return self.folder / "ca.crt"

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.crt", self.folder / "server.key")
        return context


def make_authority(folder: Path) -> Authority:
    """Make one; without OpenSSL, the test is skipped."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("there is no `openssl` on the path (Debian: apt install openssl)")

    def openssl(arguments: str) -> None:
        subprocess.run([program, *arguments.split()], cwd=folder, check=True, capture_output=True)

    openssl(
        f"req -x509 {_KEY} -days 2 -subj /CN=ca -keyout ca.key -out ca.crt "
        "-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign"
    )
    (folder / "extensions").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl(f"req {_KEY} -subj /CN=server -keyout server.key -out server.csr")
    openssl(
        "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out server.crt -extfile extensions"
    )
    return Authority(folder)
