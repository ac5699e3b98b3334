from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from vedette.store.state import (
    AuditRecord,
    AuditTrail,
    ConflictError,
    Outcome,
    RecordNotFoundError,
    Role,
    Scope,
    Session,
    Sessions,
    StateDatabase,
    Token,
    TokenId,
    Tokens,
    User,
    UserId,
    Users,
    canonical_name,
    open_state,
)
from vedette.store.state.sessions import MAX_SESSIONS_PER_USER

DAY_MS = 86_400_000


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[StateDatabase]:
    async with open_state(tmp_path / "state.db") as opened:
        yield opened


@pytest.fixture
async def ada(database: StateDatabase) -> User:
    return await Users(database).create("ada", Role.ADMIN, now_ms=1)


def token(user: User, number: int = 0) -> Token:
    return Token(TokenId(f"t{number}"), user.id, "agent", frozenset({Scope.READ}), number, None, None)


def session(user: User, id_hash: str, *, created_ms: int = 1, last_seen_ms: int = 1) -> Session:
    return Session(id_hash, user.id, False, created_ms, last_seen_ms, 10 * DAY_MS, "192.0.2.1")  # noqa: FBT003


class TestUsers:
    @pytest.mark.usefixtures("ada")
    async def test_names_differ_by_more_than_case(self, database: StateDatabase) -> None:
        with pytest.raises(ConflictError, match="'ada' exists already"):
            await Users(database).create("ADA", Role.VIEWER, now_ms=2)

    @pytest.mark.parametrize("name", ["", " ", "a b", "-x", "a" * 65, "ada\nb", "ädä", "<script>", "a/b", "\x00"])
    def test_a_name_that_needs_escaping_somewhere_is_refused(self, name: str) -> None:
        with pytest.raises(ConflictError, match="cannot be a user's name"):
            canonical_name(name)

    @pytest.mark.parametrize("how", ["demote", "disable", "delete"])
    async def test_the_last_enabled_administrator_stays(self, database: StateDatabase, ada: User, how: str) -> None:
        users = Users(database)
        other = await users.create("grace", Role.ADMIN, now_ms=2)
        await users.change(other.id, disabled=True)

        changes = {
            "demote": lambda: users.change(ada.id, role=Role.EDITOR),
            "disable": lambda: users.change(ada.id, disabled=True),
            "delete": lambda: users.delete(ada.id),
        }
        with pytest.raises(ConflictError, match="no enabled administrator"):
            await changes[how]()

        assert await users.get(ada.id) == ada

    async def test_a_new_password_ends_all_sessions(self, database: StateDatabase, ada: User) -> None:
        sessions = Sessions(database)
        await sessions.create(session(ada, "s"))

        await Users(database).set_password(ada.id, "hash", now_ms=5)

        assert await sessions.find("s") is None
        assert (await Users(database).get(ada.id)).password_changed_ms == 5

    async def test_a_hash_is_refreshed_only_if_the_password_is_still_the_same(
        self, database: StateDatabase, ada: User
    ) -> None:
        users = Users(database)
        await users.set_password(ada.id, "changed meanwhile", now_ms=5)

        await users.refresh_hash(ada.id, old="before", new="newer")

        assert (await users.get(ada.id)).password_hash == "changed meanwhile"

    @pytest.mark.usefixtures("ada")
    async def test_deleting_a_user_takes_tokens_sessions_and_links_along(self, database: StateDatabase) -> None:
        grace = await Users(database).create("grace", Role.VIEWER, now_ms=1)
        await Tokens(database).create(token(grace), secret_hash="h")
        await Sessions(database).create(session(grace, "s"))
        await Sessions(database).add_link("l", grace.id, now_ms=1, expires_ms=100)

        await Users(database).delete(grace.id)

        assert await Tokens(database).find("t0") is None
        assert await Sessions(database).find("s") is None
        assert await Sessions(database).use_link("l", now_ms=1) is None

    async def test_an_unknown_user_is_not_found(self, database: StateDatabase) -> None:
        with pytest.raises(RecordNotFoundError):
            await Users(database).get(UserId("nobody"))


class TestTokens:
    async def test_a_token_comes_back_as_it_was_stored(self, database: StateDatabase, ada: User) -> None:
        stored = Token(TokenId("t"), ada.id, "agent", frozenset({Scope.READ, Scope.WRITE_METRICS}), 1, 99, None)
        await Tokens(database).create(stored, secret_hash="h")

        found = await Tokens(database).find("t")

        assert found is not None
        assert (found.token, found.secret_hash, found.user_name, found.role) == (stored, "h", "ada", Role.ADMIN)

    async def test_a_revoked_token_is_gone_and_cannot_be_revoked_twice(
        self, database: StateDatabase, ada: User
    ) -> None:
        tokens = Tokens(database)
        await tokens.create(token(ada), secret_hash="h")

        await tokens.revoke(TokenId("t0"))

        assert await tokens.find("t0") is None
        with pytest.raises(RecordNotFoundError):
            await tokens.revoke(TokenId("t0"))

    async def test_uses_are_noted_for_many_tokens_at_once(self, database: StateDatabase, ada: User) -> None:
        tokens = Tokens(database)
        for number in range(3):
            await tokens.create(token(ada, number), secret_hash="h")

        await tokens.note_use({TokenId("t0"): 70, TokenId("t2"): 90})

        assert [found.last_used_ms for found, _ in await tokens.list(ada.id)] == [90, None, 70]

    async def test_a_user_may_not_hoard_tokens(
        self, database: StateDatabase, ada: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("vedette.store.state.tokens.MAX_TOKENS_PER_USER", 2)
        for number in range(2):
            await Tokens(database).create(token(ada, number), secret_hash="h")

        with pytest.raises(ConflictError, match="2 tokens"):
            await Tokens(database).create(token(ada, 3), secret_hash="h")


class TestSessions:
    async def test_the_oldest_session_makes_room(self, database: StateDatabase, ada: User) -> None:
        sessions = Sessions(database)
        for number in range(MAX_SESSIONS_PER_USER + 1):
            await sessions.create(session(ada, f"s{number}", created_ms=number))

        assert await sessions.find("s0") is None
        assert await sessions.find("s1") is not None

    async def test_idle_and_old_sessions_are_purged(self, database: StateDatabase, ada: User) -> None:
        sessions = Sessions(database)
        await sessions.create(session(ada, "idle", last_seen_ms=DAY_MS))
        await sessions.create(session(ada, "busy", last_seen_ms=3 * DAY_MS))

        await sessions.purge(now_ms=3 * DAY_MS, idle_ms=DAY_MS)

        assert await sessions.find("idle") is None
        assert await sessions.find("busy") is not None

    async def test_a_link_is_good_once(self, database: StateDatabase, ada: User) -> None:
        sessions = Sessions(database)
        await sessions.add_link("l", ada.id, now_ms=1, expires_ms=100)

        uses = [await sessions.use_link("l", now_ms=2) for _ in range(2)]

        assert uses == [ada.id, None]

    async def test_a_link_is_not_good_after_it_expired(self, database: StateDatabase, ada: User) -> None:
        await Sessions(database).add_link("l", ada.id, now_ms=1, expires_ms=100)

        assert await Sessions(database).use_link("l", now_ms=100) is None

    async def test_a_new_link_replaces_the_old_one(self, database: StateDatabase, ada: User) -> None:
        sessions = Sessions(database)
        await sessions.add_link("old", ada.id, now_ms=1, expires_ms=100)
        await sessions.add_link("new", ada.id, now_ms=1, expires_ms=100)

        assert await sessions.use_link("old", now_ms=2) is None
        assert await sessions.use_link("new", now_ms=2) == ada.id


class TestAudit:
    @staticmethod
    def record(at_ms: int) -> AuditRecord:
        return AuditRecord(at_ms, "ada", "login", "", "192.0.2.1", Outcome.SUCCESS, {"with": "x" * 1000})

    async def test_the_newest_come_first_and_pages_continue(self, database: StateDatabase) -> None:
        trail = AuditTrail(database, keep_ms=DAY_MS, keep_records=100)
        for at_ms in range(5):
            await trail.add(self.record(at_ms))

        first = await trail.list(limit=2)
        second = await trail.list(limit=2, before_id=first[-1].id)

        assert [record.at_ms for record in (*first, *second)] == [4, 3, 2, 1]
        assert len(first[0].detail["with"]) == 256

    async def test_it_is_bounded_in_time_and_number(self, database: StateDatabase) -> None:
        trail = AuditTrail(database, keep_ms=DAY_MS, keep_records=6)
        for at_ms in (1, DAY_MS, DAY_MS + 1, DAY_MS + 2, DAY_MS + 3):
            await trail.add(self.record(at_ms))

        await trail.purge(now_ms=DAY_MS + 3)

        assert [record.at_ms for record in await trail.list(limit=10)] == [DAY_MS + 3, DAY_MS + 2, DAY_MS + 1]

    async def test_failures_do_not_push_out_what_was_really_done(self, database: StateDatabase) -> None:
        trail = AuditTrail(database, keep_ms=DAY_MS, keep_records=4)
        await trail.add(self.record(1))
        for at_ms in range(2, 10):
            await trail.add(dataclasses.replace(self.record(at_ms), outcome=Outcome.FAILURE))

        await trail.purge(now_ms=10)

        assert [record.at_ms for record in await trail.list(limit=10)] == [9, 8, 1]

    async def test_a_token_for_a_user_who_has_just_gone_is_a_conflict(self, database: StateDatabase, ada: User) -> None:
        gone = dataclasses.replace(ada, id=UserId("gone"))

        with pytest.raises(ConflictError, match="gone"):
            await Tokens(database).create(token(gone), secret_hash="h")
