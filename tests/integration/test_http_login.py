"""Logging in with a browser's means on a real server: links, passwords, sessions, and attacks on them."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import structlog
from structlog.testing import capture_logs

from vedette.http import AuthMode, AuthSettings, HttpSettings, ListenAddress
from vedette.http.testing import Site, open_site
from vedette.http.testing.site import CHEAP_PASSWORDS

API = "/api/vedette/v1"
PASSWORD = "correct horse battery"
AUTH = AuthSettings(mode=AuthMode.REQUIRED, passwords=CHEAP_PASSWORDS)
BEHIND_PROXY = HttpSettings(listen=(ListenAddress(port=0),), trusted_proxies=("127.0.0.1",))


@asynccontextmanager
async def browser(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """A client that sends what a browser does on the site's own pages."""
    headers = {"Origin": site.url, "Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
    async with httpx.AsyncClient(base_url=site.url, headers=headers) as client:
        yield client


async def set_up(site: Site, client: httpx.AsyncClient) -> None:
    """Follow the first link and set the administrator's password."""
    await client.get(f"/login?once={site.accounts.first_link}")
    done = await client.post("/set-password", data={"new": PASSWORD, "again": PASSWORD})
    assert done.status_code == 303, done.text


async def log_in(
    client: httpx.AsyncClient, password: str = PASSWORD, name: str = "admin", **headers: str
) -> httpx.Response:
    return await client.post("/login", data={"username": name, "password": password}, headers=headers)


async def me(client: httpx.AsyncClient) -> dict[str, object]:
    found: dict[str, object] = (await client.get(f"{API}/session")).json()
    return found


class TestFirstStart:
    async def test_the_link_leads_to_a_password_and_the_password_to_everything(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, auth=AUTH) as site, browser(site) as client:
            followed = await client.get(f"/login?once={site.accounts.first_link}")
            before = await me(client)
            refused = await client.get(f"{API}/users")
            await client.post("/set-password", data={"new": PASSWORD, "again": PASSWORD})
            after = await me(client)

        assert (followed.status_code, followed.headers["location"]) == (303, "/set-password")
        assert (before["scopes"], before["password_needed"]) == ([], True)
        assert refused.status_code == 403
        assert (after["name"], after["password_needed"]) == ("admin", False)
        assert "admin" in str(after["scopes"])

    async def test_the_link_is_good_once(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, auth=AUTH) as site, browser(site) as first, browser(site) as second:
            await first.get(f"/login?once={site.accounts.first_link}")
            replayed = await second.get(f"/login?once={site.accounts.first_link}")

            assert replayed.status_code == 403
            assert "set-cookie" not in replayed.headers
            assert not (await me(second))["authenticated"]

    async def test_the_link_expires(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, auth=AUTH) as site, browser(site) as client:
            site.time.advance(AUTH.once_link_s)

            assert (await client.get(f"/login?once={site.accounts.first_link}")).status_code == 403

    async def test_a_browser_that_fetches_ahead_does_not_use_the_link_up(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, auth=AUTH) as site, browser(site) as client:
            link = f"/login?once={site.accounts.first_link}"
            await client.get(link, headers={"Sec-Purpose": "prefetch"})
            await client.head(link)

            assert (await client.get(link)).status_code == 303

    async def test_each_start_makes_a_new_link_until_there_is_a_password(self, tmp_path: Path) -> None:
        links: list[str | None] = []
        for _ in range(2):
            async with open_site(tmp_path, auth=AUTH) as site, browser(site) as client:
                if links:
                    assert (await client.get(f"/login?once={links[0]}")).status_code == 403
                    await set_up(site, client)
                links.append(site.accounts.first_link)
        async with open_site(tmp_path, auth=AUTH) as site:
            links.append(site.accounts.first_link)

        assert links[0] != links[1]
        assert links[2] is None

    async def test_no_secret_is_in_the_log_or_the_database(self, tmp_path: Path) -> None:
        with capture_logs() as logs:
            structlog.get_logger().info("the log is captured")
            async with open_site(tmp_path, auth=AUTH) as site, browser(site) as client:
                await client.get(f"/login?once={site.accounts.first_link}&next=/")
                session = client.cookies["vedette_session"]
                await client.post("/set-password", data={"new": PASSWORD, "again": PASSWORD})
                await log_in(client, "wrong password")
                await client.get(f"/nothing/{site.local_token}?token={site.local_token}")
                secrets = [str(site.accounts.first_link), session, client.cookies["vedette_session"], PASSWORD]
                secrets.append(site.local_token)
            written = repr(logs) + "".join(sqlite3.connect(tmp_path / "state.db").iterdump())

        assert len(logs) > 4
        assert [secret for secret in secrets if secret in written] == []


class TestPasswords:
    async def test_a_wrong_name_and_a_wrong_password_are_answered_alike(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, auth=AUTH) as site, browser(site) as client:
            await set_up(site, client)
            client.cookies.clear()
            body = {"password": "wrong password"}
            wrong = await client.post(f"{API}/session", json={"name": "admin", **body})
            unknown = await client.post(f"{API}/session", json={"name": "nobody", **body})

        assert wrong.status_code == unknown.status_code == 401
        assert wrong.content == unknown.content

    async def test_an_account_without_a_password_cannot_be_logged_in_to(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, auth=AUTH) as site, browser(site) as client:
            assert (await log_in(client, "")).status_code == 401

    async def test_a_new_password_needs_the_current_one_and_ends_other_sessions(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, auth=AUTH) as site, browser(site) as client, browser(site) as other:
            await set_up(site, client)
            await log_in(other)
            new = {"new": "another good one", "again": "another good one"}
            wrong = await client.post("/set-password", data={"current": "wrong", **new})
            right = await client.post("/set-password", data={"current": PASSWORD, **new})

            assert (wrong.status_code, right.status_code) == (403, 303)
            assert (await me(client))["authenticated"]
            assert not (await me(other))["authenticated"]
            assert (await log_in(other, PASSWORD)).status_code == 401
            assert (await log_in(other, "another good one")).status_code == 303

    @pytest.mark.parametrize(
        ("new", "again", "said"),
        [("short", "short", "at least 10"), (PASSWORD, "different", "differ"), ("", "", "at least 10")],
    )
    async def test_an_unfit_password_is_refused_on_the_page(
        self, tmp_path: Path, new: str, again: str, said: str
    ) -> None:
        async with open_site(tmp_path, auth=AUTH) as site, browser(site) as client:
            await client.get(f"/login?once={site.accounts.first_link}")
            refused = await client.post("/set-password", data={"new": new, "again": again})

        assert refused.status_code == 422
        assert said in refused.text
        assert 'role="alert"' in refused.text

    @pytest.mark.parametrize("body", [b"username=%ff", b"username=\xff", b"&".join([b"a=b"] * 100)])
    async def test_a_form_that_cannot_be_read_is_malformed(self, tmp_path: Path, body: bytes) -> None:
        async with open_site(tmp_path, auth=AUTH) as site, browser(site) as client:
            headers = {"Content-Type": "application/x-www-form-urlencoded"}

            assert (await client.post("/login", content=body, headers=headers)).status_code == 400


class TestThrottling:
    async def test_guessing_is_slowed_down_and_the_delay_is_said(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, auth=AUTH, http=BEHIND_PROXY) as site, browser(site) as client:
            await set_up(site, client)
            guess = {"X-Forwarded-For": "203.0.113.9"}
            statuses = [(await log_in(client, "wrong password", **guess)).status_code for _ in range(6)]
            refused = await log_in(client, **guess)
            site.time.advance(1)
            guessed = await log_in(client, "wrong password", **guess)
            again = await log_in(client, "wrong password", **guess)

        assert statuses == [401] * 5 + [429]
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert guessed.status_code == 401
        assert (again.status_code, again.headers["retry-after"]) == (429, "2")

    async def test_the_owner_is_not_locked_out_by_somebody_elses_guessing(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, auth=AUTH, http=BEHIND_PROXY) as site, browser(site) as client:
            await set_up(site, client)
            for _ in range(6):
                await log_in(client, "wrong password", **{"X-Forwarded-For": "203.0.113.9"})

            assert (await log_in(client)).status_code == 303

    async def test_a_client_cannot_choose_the_address_that_is_counted(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, auth=AUTH) as site, browser(site) as client:
            statuses = [
                (
                    await log_in(client, "wrong", f"user{number}", **{"X-Forwarded-For": f"203.0.113.{number}"})
                ).status_code
                for number in range(21)
            ]

        assert statuses == [401] * 20 + [429]

    async def test_attempts_that_are_refused_do_not_fill_the_audit_trail(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, auth=AUTH) as site, browser(site) as client:
            for _ in range(20):
                await log_in(client, "wrong password")
            records = await site.accounts.audit.list(limit=100)

        assert sum(record.action == "login" for record in records) == 5


class TestSessions:
    async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, auth=AUTH) as site, browser(site) as client:
            cookie = (await client.get(f"/login?once={site.accounts.first_link}")).headers["set-cookie"]

        assert re.fullmatch(r"vedette_session=[\w-]{43}; Path=/; HttpOnly; SameSite=Lax", cookie)

    async def test_over_https_the_cookie_is_bound_to_it(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, auth=AUTH, http=BEHIND_PROXY) as site, browser(site) as client:
            headers = {"X-Forwarded-Proto": "https"}
            followed = await client.get(f"/login?once={site.accounts.first_link}", headers=headers)

        assert followed.headers["set-cookie"].startswith("__Host-vedette_session=")
        assert followed.headers["set-cookie"].endswith("; Secure")
        assert "strict-transport-security" in followed.headers

    async def test_an_id_that_the_browser_brought_is_never_adopted(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, auth=AUTH) as site, browser(site) as client:
            await set_up(site, client)
            client.cookies.clear()
            client.cookies.set("vedette_session", "planted")
            await log_in(client, Cookie="vedette_session=planted")

            async with browser(site) as attacker:
                attacker.cookies.set("vedette_session", "planted")
                assert not (await me(attacker))["authenticated"]

    async def test_a_session_planted_before_login_ends_with_the_login(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, auth=AUTH) as site, browser(site) as client, browser(site) as attacker:
            await set_up(site, client)
            await log_in(attacker)
            client.cookies.clear()
            client.cookies.update(attacker.cookies)
            await log_in(client)

            assert (await me(client))["authenticated"]
            assert not (await me(attacker))["authenticated"]

    async def test_logging_out_ends_the_session_for_every_copy_of_the_cookie(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, auth=AUTH) as site, browser(site) as client, browser(site) as copy:
            await set_up(site, client)
            copy.cookies.update(client.cookies)
            left = await client.post("/logout")

            assert (left.status_code, left.headers["location"]) == (303, "/login")
            assert not (await me(copy))["authenticated"]

    async def test_an_idle_session_ends(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, auth=AUTH) as site, browser(site) as client:
            await set_up(site, client)
            site.time.advance(AUTH.session_idle_s - 1)
            used = await me(client)
            site.time.advance(AUTH.session_idle_s - 1)
            used_again = await me(client)
            site.time.advance(AUTH.session_idle_s)

            assert used["authenticated"]
            assert used_again["authenticated"]
            assert not (await me(client))["authenticated"]

    async def test_a_busy_session_ends_too(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, auth=AUTH) as site, browser(site) as client:
            await set_up(site, client)
            step_s = AUTH.session_idle_s / 2
            alive = 0
            while (await me(client))["authenticated"]:
                site.time.advance(step_s)
                alive += 1

        assert alive == AUTH.session_max_s / step_s

    async def test_a_session_outlives_a_restart(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, auth=AUTH) as site, browser(site) as client:
            await set_up(site, client)
            cookies = dict(client.cookies)

        async with open_site(tmp_path, auth=AUTH) as site, browser(site) as client:
            client.cookies.update(cookies)
            assert (await me(client))["authenticated"]


class TestOtherSites:
    @pytest.mark.parametrize(
        "headers",
        [
            pytest.param({"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"}, id="another site"),
            pytest.param({"Sec-Fetch-Site": "same-site"}, id="another port of this host"),
            pytest.param({"Origin": "http://evil.example"}, id="an older browser"),
            pytest.param({"Origin": "null"}, id="a sandboxed page"),
            pytest.param({}, id="no sign of where it began"),
        ],
    )
    @pytest.mark.parametrize("path", ["/logout", "/set-password", f"{API}/tokens", f"{API}/users"])
    async def test_a_page_elsewhere_changes_nothing_with_this_browsers_session(
        self, tmp_path: Path, path: str, headers: dict[str, str]
    ) -> None:
        async with open_site(tmp_path, auth=AUTH) as site, browser(site) as client:
            await set_up(site, client)
            async with httpx.AsyncClient(base_url=site.url, cookies=client.cookies) as elsewhere:
                refused = await elsewhere.post(path, data={"new": "a new password"}, headers=headers)

            assert refused.status_code == 403
            assert (await me(client))["authenticated"]

    async def test_a_page_elsewhere_cannot_log_a_browser_in(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, auth=AUTH) as site, browser(site) as client:
            await set_up(site, client)

            assert (await log_in(client, **{"Sec-Fetch-Site": "cross-site"})).status_code == 403

    @pytest.mark.parametrize(
        "target",
        [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "javascript:alert(1)",
            "/\t/x",
        ],
    )
    async def test_a_login_does_not_lead_away(self, tmp_path: Path, target: str) -> None:
        async with open_site(tmp_path, auth=AUTH) as site, browser(site) as client:
            await set_up(site, client)
            done = await client.post("/login", data={"username": "admin", "password": PASSWORD, "next": target})

        assert done.headers["location"] == "/"


class TestPages:
    async def test_who_is_not_logged_in_is_sent_to_the_login_and_back(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, auth=AUTH) as site, browser(site) as client:
            await set_up(site, client)
            client.cookies.clear()
            sent = await client.get("/set-password")
            form = await client.get(sent.headers["location"])
            fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form.text))
            done = await client.post("/login", data={**fields, "username": "admin", "password": PASSWORD})

        assert sent.headers["location"] == "/login?next=/set-password"
        assert done.headers["location"] == "/set-password"

    async def test_what_was_typed_comes_back_escaped(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, auth=AUTH) as site, browser(site) as client:
            answer = await log_in(client, name='"><script>alert(1)</script>')

        assert "<script>" not in answer.text
        assert "&lt;script&gt;" in answer.text

    async def test_pages_allow_their_own_style_and_nothing_else(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, auth=AUTH) as site, browser(site) as client:
            answer = await client.get("/login")

        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "<script" not in answer.text

    async def test_the_start_page_shows_what_the_caller_may_use(self, tmp_path: Path) -> None:
        async with open_site(tmp_path, auth=AUTH) as site, browser(site) as client:
            outside = (await client.get("/")).text
            await set_up(site, client)
            inside = (await client.get("/")).text

        assert "/-/healthy" in outside
        assert f"{API}/users" not in outside
        assert "1.2.3" not in outside
        assert f"{API}/users" in inside

    async def test_a_path_that_does_not_exist_is_a_page_for_browsers_and_a_problem_for_programs(
        self, tmp_path: Path
    ) -> None:
        async with open_site(tmp_path, auth=AUTH) as site, browser(site) as client:
            page = await client.get("/nothing")
            problem = await client.get("/nothing", headers={"Accept": "*/*"})

        assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert (problem.status_code, problem.json()["kind"]) == (404, "not-found")
