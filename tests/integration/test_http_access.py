"""Who is let in where, on a real server: every route with every kind of caller, and local programs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from vedette.http import Access, AuthMode, AuthSettings, HttpSettings, ListenAddress, Route, Router
from vedette.http.auth.principals import principal_of
from vedette.http.testing import CALLERS, Site, open_site, verdicts
from vedette.http.testing.site import CHEAP_PASSWORDS
from vedette.store.state import Role, Scope

EVERYBODY = frozenset(CALLERS)
ADMINS = frozenset({"admin's session", "local token", "token for admin"})
PEOPLE = frozenset({"viewer's session", "editor's session", "admin's session"})
ACCOUNTS = ADMINS | PEOPLE
SESSIONS = PEOPLE | {"one-time link"}

API = "/api/vedette/v1"
EXPECTED = {
    ("GET", "/-/healthy"): EVERYBODY,
    ("GET", "/-/ready"): EVERYBODY,
    ("GET", "/"): EVERYBODY,
    ("GET", "/login"): EVERYBODY,
    ("POST", "/login"): EVERYBODY,
    ("POST", "/logout"): SESSIONS,
    ("GET", "/set-password"): SESSIONS,
    ("POST", "/set-password"): SESSIONS,
    ("GET", f"{API}/session"): EVERYBODY,
    ("POST", f"{API}/session"): EVERYBODY,
    ("DELETE", f"{API}/session"): SESSIONS,
    ("POST", f"{API}/session/password"): SESSIONS,
    ("GET", f"{API}/users"): ADMINS,
    ("POST", f"{API}/users"): ADMINS,
    ("PATCH", f"{API}/users/{{name}}"): ADMINS,
    ("DELETE", f"{API}/users/{{name}}"): ADMINS,
    ("POST", f"{API}/users/{{name}}/once-link"): ADMINS,
    ("GET", f"{API}/tokens"): ACCOUNTS,
    ("POST", f"{API}/tokens"): ACCOUNTS,
    ("DELETE", f"{API}/tokens/{{id}}"): ACCOUNTS,
    ("GET", f"{API}/audit"): ADMINS,
    ("GET", "/data"): PEOPLE | {"local program", "local token", "token for read", "token for edit", "token for admin"},
    ("POST", "/data"): {
        "editor's session",
        "admin's session",
        "local program",
        "local token",
        "token for write:metrics",
        "token for admin",
    },
    ("PUT", "/data"): {"editor's session", "admin's session", "local token", "token for edit", "token for admin"},
    ("DELETE", "/data"): ADMINS,
}


async def who(request: Request) -> Response:
    return PlainTextResponse(principal_of(request).proof.value)


DATA = Router(
    "data",
    (
        Route("/data", ("GET",), who, Access.READ),
        Route("/data", ("POST",), who, Access.WRITE_METRICS),
        Route("/data", ("PUT",), who, Access.EDIT),
        Route("/data", ("DELETE",), who, Access.ADMIN),
    ),
)


async def test_every_route_lets_in_whom_the_table_says(tmp_path: Path) -> None:
    async with open_site(tmp_path, [DATA]) as site:
        found = await verdicts(site.routers)

    assert found == EXPECTED


def auth(mode: AuthMode) -> AuthSettings:
    return AuthSettings(mode=mode, passwords=CHEAP_PASSWORDS)


async def ask(site: Site, method: str = "GET", path: str = "/data", **options: Any) -> httpx.Response:
    async with httpx.AsyncClient(base_url=site.url) as client:
        return await client.request(method, path, **options)


class TestLocalPrograms:
    async def test_a_program_of_our_user_reads_and_writes_without_a_token_and_no_more(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, [DATA]) as site:
            statuses = [(await ask(site, method)).status_code for method in ("GET", "POST", "PUT", "DELETE")]

        assert statuses == [200, 200, 401, 401]

    async def test_who_may_not_is_told_how_to_get_a_token_that_may(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, [DATA]) as site:
            nobody = await ask(site, "DELETE")
            reader = await ask(site, "DELETE", headers={"Authorization": f"Bearer {await site.token(Scope.READ)}"})

        assert (nobody.status_code, reader.status_code) == (401, 403)
        for refused in (nobody, reader):
            detail = refused.json()["detail"]
            assert "`vedette token create NAME --scope admin`" in detail
            assert "local-token" in detail
            assert "\n" not in detail

    @pytest.mark.parametrize(
        ("headers", "because"),
        [
            pytest.param({"X-Forwarded-For": "203.0.113.9"}, "through a proxy", id="a reverse proxy on this host"),
            pytest.param({"Host": "evil.example"}, "evil.example", id="DNS rebinding"),
            pytest.param({"Origin": "http://evil.example"}, "another site", id="a page of another site"),
            pytest.param({"Sec-Fetch-Site": "same-site"}, "another site", id="a page of another port"),
        ],
    )
    @pytest.mark.parametrize("method", ["GET", "POST"])
    async def test_what_only_looks_local_needs_a_token_and_is_told_why(
        self, tmp_path: Path, method: str, headers: dict[str, str], because: str
    ) -> None:
        async with open_site(tmp_path, [DATA]) as site:
            refused = await ask(site, method, headers=headers)

        assert refused.status_code in (401, 403)
        assert because in refused.json()["detail"]

    async def test_another_user_of_the_machine_needs_a_token(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, [DATA], find_user=lambda _client, _server: os.geteuid() + 1) as site:
            refused = await ask(site)

        assert refused.status_code == 401
        assert "same user" in refused.json()["detail"]

    async def test_the_kernel_is_asked_once_for_a_connection(self, tmp_path: Path) -> None:
        asked: list[object] = []

        def find_user(client: object, _server: object) -> int:
            asked.append(client)
            return os.geteuid()

        async with (
            open_site(tmp_path, [DATA], find_user=find_user) as site,
            httpx.AsyncClient(base_url=site.url) as client,
        ):
            for _ in range(3):
                assert (await client.get("/data")).status_code == 200

        assert len(asked) == 1

    async def test_nobody_is_local_where_tokens_are_required(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, [DATA], auth=auth(AuthMode.REQUIRED)) as site:
            assert (await ask(site)).status_code == 401
            assert (await ask(site, path="/-/healthy")).status_code == 200

    async def test_nobody_is_local_where_others_can_connect(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, [DATA], http=HttpSettings(listen=(ListenAddress("0.0.0.0", 0),))) as site:
            assert (await ask(site)).status_code == 401
            assert (await ask(site, path="/-/healthy")).status_code == 200

    async def test_a_wrong_token_is_not_overlooked(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, [DATA]) as site:
            refused = await ask(site, headers={"Authorization": "Bearer nonsense"})

        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Bearer")


class TestTokens:
    @pytest.fixture
    def required(self) -> AuthSettings:
        return auth(AuthMode.REQUIRED)

    async def test_a_token_is_taken_as_bearer_and_as_basic_password(
        self, tmp_path: Path, required: AuthSettings
    ) -> None:
        async with open_site(tmp_path, [DATA], auth=required) as site:
            token = await site.token(Scope.READ)
            answers = [
                await ask(site, headers={"Authorization": f"Bearer {token}"}),
                await ask(site, headers={"Authorization": f"bearer {token}"}),
                await ask(site, auth=("grafana", token)),
                await ask(site, auth=(token, "")),
            ]

        assert [answer.text for answer in answers] == ["token"] * 4

    @pytest.mark.parametrize(
        "authorization",
        [
            "",
            "Bearer",
            "Bearer vdt_aaaaaaaaaaaaaaaa_" + "a" * 32,
            "Bearer vdt_local_" + "a" * 32,
            "Basic",
            "Basic !!!",
            "Basic //8=",
            "Basic OnA=",
            "Digest x",
            "Bearer " + "a" * 5000,
        ],
    )
    async def test_what_is_no_good_token_is_refused(
        self, tmp_path: Path, required: AuthSettings, authorization: str
    ) -> None:
        async with open_site(tmp_path, [DATA], auth=required) as site:
            refused = await ask(site, headers={"Authorization": authorization})

        assert refused.status_code == 401

    async def test_a_token_with_another_secret_is_refused(self, tmp_path: Path, required: AuthSettings) -> None:
        async with open_site(tmp_path, [DATA], auth=required) as site:
            token = await site.token(Scope.READ)
            wrong = token[:-1] + ("a" if token[-1] != "a" else "b")

            assert (await ask(site, headers={"Authorization": f"Bearer {wrong}"})).status_code == 401

    async def test_a_revoked_token_is_refused_at_once(self, tmp_path: Path, required: AuthSettings) -> None:
        async with open_site(tmp_path, [DATA], auth=required) as site:
            headers = {"Authorization": f"Bearer {await site.token(Scope.READ)}"}
            admin = {"Authorization": f"Bearer {site.local_token}"}
            before = await ask(site, headers=headers)
            (listed,) = (await ask(site, path=f"{API}/tokens", headers=admin)).json()["tokens"]
            revoked = await ask(site, "DELETE", f"{API}/tokens/{listed['id']}", headers=admin)

            after = await ask(site, headers=headers)

        assert (before.status_code, revoked.status_code, after.status_code) == (200, 204, 401)

    async def test_a_token_that_has_expired_is_refused(self, tmp_path: Path, required: AuthSettings) -> None:
        async with open_site(tmp_path, [DATA], auth=required) as site:
            token = await site.token(Scope.READ, expires_ms=int((site.time.now_s + 10) * 1000))
            headers = {"Authorization": f"Bearer {token}"}
            before = await ask(site, headers=headers)
            site.time.advance(10)

            after = await ask(site, headers=headers)

        assert (before.status_code, after.status_code) == (200, 401)

    async def test_a_token_is_worth_no_more_than_its_owner(self, tmp_path: Path, required: AuthSettings) -> None:
        async with open_site(tmp_path, [DATA], auth=required) as site:
            admin = {"Authorization": f"Bearer {site.local_token}"}
            await ask(site, "POST", f"{API}/users", headers=admin, json={"name": "ada", "role": "editor"})
            headers = {"Authorization": f"Bearer {await site.token(Scope.WRITE_METRICS, owner='ada')}"}
            before = await ask(site, "POST", headers=headers)
            await ask(site, "PATCH", f"{API}/users/ada", headers=admin, json={"role": "viewer"})
            demoted = await ask(site, "POST", headers=headers)
            await ask(site, "PATCH", f"{API}/users/ada", headers=admin, json={"disabled": True})

            disabled = await ask(site, "POST", headers=headers)

        assert [before.status_code, demoted.status_code, disabled.status_code] == [200, 403, 401]

    async def test_the_last_use_of_a_token_is_written_down(self, tmp_path: Path, required: AuthSettings) -> None:
        async with open_site(tmp_path, [DATA], auth=required) as site:
            headers = {"Authorization": f"Bearer {await site.token(Scope.READ)}"}
            await ask(site, headers=headers)

            await site.accounts.authenticator.note_uses()

            ((token, _),) = await site.accounts.administration.tokens(CALLERS["local token"])
        assert token.last_used_ms == int(site.time.now_s * 1000)

    async def test_the_local_token_is_not_taken_through_a_proxy(self, tmp_path: Path, required: AuthSettings) -> None:
        async with open_site(tmp_path, [DATA], auth=required) as site:
            headers = {"Authorization": f"Bearer {site.local_token}"}
            here = await ask(site, "DELETE", headers=headers)
            elsewhere = await ask(site, "DELETE", headers={**headers, "X-Forwarded-For": "203.0.113.9"})

        assert (here.status_code, elsewhere.status_code) == (200, 401)

    async def test_a_page_of_another_site_cannot_use_basic_credentials_that_the_browser_remembers(
        self, tmp_path: Path, required: AuthSettings
    ) -> None:
        async with open_site(tmp_path, [DATA], auth=required) as site:
            token = await site.token(Scope.WRITE_METRICS)
            refused = await ask(site, "POST", auth=("x", token), headers={"Sec-Fetch-Site": "cross-site"})

        assert refused.status_code == 403


class TestUsersAndTokensApi:
    async def test_a_viewer_makes_tokens_within_its_own_rights_only(self, tmp_path: Path) -> None:
        async with open_site(tmp_path) as site:
            admin = {"Authorization": f"Bearer {site.local_token}"}
            made = await ask(site, "POST", f"{API}/users", headers=admin, json={"name": "ada", "role": "viewer"})
            async with httpx.AsyncClient(base_url=site.url, headers={"Origin": site.url}) as client:
                await client.get(made.json()["once_link"])
                await client.post(f"{API}/session/password", json={"new": "correct horse"})
                own = await client.post(f"{API}/tokens", json={"name": "mine", "scopes": ["read"]})
                more = await client.post(f"{API}/tokens", json={"name": "x", "scopes": ["write:metrics"]})
                others = await client.post(f"{API}/tokens", json={"name": "x", "scopes": ["read"], "user": "admin"})
                await site.token(Scope.READ)
                listed = await client.get(f"{API}/tokens")

        assert [own.status_code, more.status_code, others.status_code] == [201, 403, 403]
        assert [token["name"] for token in listed.json()["tokens"]] == ["mine"]
        assert "secret" not in listed.text
        assert own.json()["token"] not in listed.text

    async def test_a_viewer_does_not_revoke_the_tokens_of_others(self, tmp_path: Path) -> None:
        async with open_site(tmp_path) as site:
            users = site.accounts.administration
            await users.create_user("ada", Role.VIEWER, caller=CALLERS["local token"], address="")
            token = (await site.token(Scope.READ, owner="admin")).split("_")[1]
            theirs = await site.token(Scope.READ, owner="ada")
            refused = await ask(site, "DELETE", f"{API}/tokens/{token}", headers={"Authorization": f"Bearer {theirs}"})

        assert refused.status_code == 403

    @pytest.mark.parametrize(
        ("body", "problem"),
        [
            (b"", "the document"),
            (b"{", "the document"),
            (b"[]", "the document"),
            (b'{"name":"a"}', "role"),
            (b'{"name":"a","role":"root"}', "role"),
            (b'{"name":1,"role":"viewer"}', "name"),
            (b'{"name":"a","role":"viewer","id":"x"}', "id"),
            (b'{"name":"\xff","role":"viewer"}', "the document"),
            (b'{"name":"\\ud800","role":"viewer"}', "the document"),
            (b'{"name":' + b"[" * 10_000, "the document"),
            (b'{"name":"a b","role":"viewer"}', "'a b' cannot be a user's name"),
        ],
    )
    async def test_a_document_of_the_wrong_form_is_refused_by_its_place(
        self, tmp_path: Path, body: bytes, problem: str
    ) -> None:
        async with open_site(tmp_path) as site:
            headers = {"Authorization": f"Bearer {site.local_token}", "Content-Type": "application/json"}
            refused = await ask(site, "POST", f"{API}/users", headers=headers, content=body)

        assert refused.status_code in (422, 409)
        assert refused.headers["content-type"] == "application/problem+json"
        assert problem in refused.json()["detail"]

    async def test_a_form_is_no_document(self, tmp_path: Path) -> None:
        async with open_site(tmp_path) as site:
            headers = {"Authorization": f"Bearer {site.local_token}"}
            refused = await ask(site, "POST", f"{API}/users", headers=headers, data={"name": "ada"})

        assert refused.status_code == 415

    async def test_every_change_is_in_the_audit_trail_with_who_and_from_where(self, tmp_path: Path) -> None:
        async with open_site(tmp_path) as site:
            headers = {"Authorization": f"Bearer {site.local_token}"}
            await ask(site, "POST", f"{API}/users", headers=headers, json={"name": "ada", "role": "viewer"})
            await ask(site, "PATCH", f"{API}/users/ada", headers=headers, json={"role": "editor"})
            scopes = {"name": "ci", "scopes": ["read"], "user": "ada"}
            made = await ask(site, "POST", f"{API}/tokens", headers=headers, json=scopes)
            await ask(site, "DELETE", f"{API}/tokens/{made.json()['id']}", headers=headers)
            await ask(site, "DELETE", f"{API}/users/ada", headers=headers)

            trail = (await ask(site, path=f"{API}/audit?limit=6", headers=headers)).json()["records"]

        assert [(record["actor"], record["action"], record["target"]) for record in reversed(trail)] == [
            ("local", "user.create", "ada"),
            ("local", "once_link.create", "ada"),
            ("local", "user.change", "ada"),
            ("local", "token.create", "ci"),
            ("local", "token.revoke", "ci"),
            ("local", "user.delete", "ada"),
        ]
        assert {record["address"] for record in trail} == {"127.0.0.1"}

    @pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "limit=-1", "before=" + "9" * 5000])
    async def test_a_page_of_the_audit_trail_has_a_bound(self, tmp_path: Path, query: str) -> None:
        async with open_site(tmp_path) as site:
            headers = {"Authorization": f"Bearer {site.local_token}"}

            assert (await ask(site, path=f"{API}/audit?{query}", headers=headers)).status_code == 400


class TestOtherSitesPages:
    """Scripts of pages elsewhere, as `cors_origins` lets them in."""

    HTTP = HttpSettings(listen=(ListenAddress(port=0),), cors_origins=("https://dash.example",))

    async def test_no_page_elsewhere_reads_anything_unless_it_is_named(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, [DATA], http=self.HTTP) as site:
            headers = {"Authorization": f"Bearer {site.local_token}"}
            named = await ask(site, headers={**headers, "Origin": "https://dash.example"})
            other = await ask(site, headers={**headers, "Origin": "https://evil.example"})

        assert named.headers["access-control-allow-origin"] == "https://dash.example"
        assert "access-control-allow-origin" not in other.headers
        assert "access-control-allow-credentials" not in named.headers
        assert named.headers["vary"] == "Origin"

    async def test_a_preflight_is_answered_for_a_named_page_only(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, [DATA], http=self.HTTP) as site:
            asking = {"Access-Control-Request-Method": "POST"}
            named = await ask(site, "OPTIONS", headers={**asking, "Origin": "https://dash.example"})
            other = await ask(site, "OPTIONS", headers={**asking, "Origin": "https://evil.example"})

        assert (named.status_code, other.status_code) == (204, 405)
        assert "Authorization" in named.headers["access-control-allow-headers"]

    async def test_a_named_page_still_needs_a_token(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, [DATA], http=self.HTTP) as site:
            refused = await ask(site, headers={"Origin": "https://dash.example"})

        assert refused.status_code == 401

    async def test_by_default_no_answer_speaks_of_origins(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, [DATA]) as site:
            answer = await ask(site, headers={"Sec-Fetch-Site": "none"})

        assert [name for name in answer.headers if name.startswith("access-control")] == []


class TestHealth:
    async def test_ready_says_what_is_missing(self, tmp_path: Path) -> None:
        async with open_site(tmp_path) as site:
            up = await ask(site, path="/-/ready")
            site.readiness.not_ready("the engine is starting")
            down = await ask(site, path="/-/ready")
            alive = await ask(site, path="/-/healthy")

        assert (up.status_code, down.status_code, alive.status_code) == (200, 503, 200)
        assert "the engine is starting" in down.text
        assert "retry-after" in down.headers
