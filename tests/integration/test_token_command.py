from __future__ import annotations

import json
import subprocess

import httpx
import pytest

from harness.vedette_server import VEDETTE, Servers, VedetteServer


@pytest.fixture
def server(servers: Servers) -> VedetteServer:
    return servers.start()


def vedette(server: VedetteServer, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(VEDETTE), *arguments, "--data", str(server.data_dir)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def ask(server: VedetteServer, token: str, path: str, method: str = "GET") -> int:
    return httpx.request(method, f"{server.url}{path}", headers={"Authorization": f"Bearer {token}"}).status_code


def test_a_token_allows_what_its_scope_says_until_it_is_revoked(server: VedetteServer) -> None:
    token = vedette(server, "token", "create", "grafana", "--scope", "read").stdout.strip()

    may_read, may_reload = ask(server, token, "/api/v1/labels"), ask(server, token, "/-/reload", "POST")
    [listed] = json.loads(vedette(server, "token", "list", "--output", "json").stdout)["tokens"]
    revoked = vedette(server, "token", "revoke", listed["id"])

    assert (may_read, may_reload) == (200, 403)
    assert (listed["name"], listed["scopes"], listed["expires_ms"]) == ("grafana", ["read"], None)
    assert revoked.returncode == 0
    assert ask(server, token, "/api/v1/labels") == 401


def test_only_the_token_itself_goes_to_standard_output(server: VedetteServer) -> None:
    made = vedette(server, "token", "create", "agent", "--scope", "write:metrics", "--expires", "90d")

    assert made.stdout.count("\n") == 1
    assert made.stdout.startswith("vdt_")
    assert made.stdout.strip() not in made.stderr


def test_a_wrong_time_to_expire_says_how_to_write_it(server: VedetteServer) -> None:
    made = vedette(server, "token", "create", "agent", "--expires", "soon")

    assert made.returncode != 0
    assert "90d" in made.stderr
    assert "Traceback" not in made.stderr
