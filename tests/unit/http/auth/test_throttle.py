from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.http.auth.throttle import LoginThrottle, address_block
from vedette.http.settings import ThrottleSettings

HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"
SETTINGS = ThrottleSettings(
    account_free_failures=3, account_max_delay_s=60, address_free_failures=6, address_max_delay_s=900, max_keys=50
)


def fail(throttle: LoginThrottle, times: int, *, account: str = "ada", address: str = HERE, now_s: float = 0) -> float:
    """Fail so often, waiting as long as one is told to; returns the time of the last failure."""
    for _ in range(times):
        wait_s = throttle.admit(account, address, now_s=now_s)
        if wait_s:
            now_s += wait_s
            assert throttle.admit(account, address, now_s=now_s) == 0
    return now_s


def test_a_few_failures_cost_nothing() -> None:
    throttle = LoginThrottle(SETTINGS)

    assert fail(throttle, SETTINGS.account_free_failures) == 0


def test_the_delay_doubles_with_every_further_failure_up_to_its_bound() -> None:
    throttle = LoginThrottle(SETTINGS)
    now_s = fail(throttle, SETTINGS.account_free_failures)

    delays = []
    for _ in range(9):
        wait_s = throttle.admit("ada", f"192.0.2.{len(delays)}", now_s=now_s)
        delays.append(wait_s)
        now_s += wait_s
        assert throttle.admit("ada", f"192.0.2.{len(delays)}", now_s=now_s) == 0

    assert delays == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_an_attempt_that_is_refused_does_not_lengthen_the_delay() -> None:
    throttle = LoginThrottle(SETTINGS)
    now_s = fail(throttle, SETTINGS.account_free_failures + 3)

    waits = [throttle.admit("ada", HERE, now_s=now_s) for _ in range(100)]

    assert set(waits) == {8.0}


def test_many_attempts_at_the_same_moment_are_not_more_than_the_free_ones() -> None:
    throttle = LoginThrottle(SETTINGS)

    admitted = [throttle.admit("ada", HERE, now_s=0) == 0 for _ in range(50)]

    assert sum(admitted) == SETTINGS.account_free_failures


def test_an_address_that_tries_many_accounts_is_slowed_down_too() -> None:
    throttle = LoginThrottle(SETTINGS)

    admitted = [throttle.admit(f"user{number}", HERE, now_s=0) == 0 for number in range(50)]

    assert sum(admitted) == SETTINGS.address_free_failures


def test_the_owner_logs_in_from_a_known_address_while_an_attacker_fails_elsewhere() -> None:
    throttle = LoginThrottle(SETTINGS)
    assert throttle.admit("ada", HERE, now_s=0) == 0
    throttle.succeeded("ada", HERE)
    now_s = fail(throttle, 5, address=ELSEWHERE)

    assert throttle.admit("ada", "203.0.113.1", now_s=now_s) > 0
    assert throttle.admit("ada", HERE, now_s=now_s) == 0


def test_an_attacker_does_not_wipe_its_failures_out_by_logging_in_with_an_account_of_its_own() -> None:
    throttle = LoginThrottle(SETTINGS)

    guesses = 0
    for number in range(50):
        if throttle.admit(f"victim{number}", ELSEWHERE, now_s=0) == 0:
            guesses += 1
        if throttle.admit("mallory", ELSEWHERE, now_s=0) == 0:
            throttle.succeeded("mallory", ELSEWHERE)

    assert guesses <= SETTINGS.address_free_failures


def test_failures_are_forgotten_after_a_time() -> None:
    throttle = LoginThrottle(SETTINGS)
    now_s = fail(throttle, 6)

    assert throttle.admit("ada", HERE, now_s=now_s + SETTINGS.forget_s) == 0


def test_a_changed_password_makes_known_addresses_unknown() -> None:
    throttle = LoginThrottle(SETTINGS)
    throttle.succeeded("ada", HERE)
    throttle.forget_account("ada")
    now_s = fail(throttle, 5, address=ELSEWHERE)

    assert throttle.admit("ada", HERE, now_s=now_s) > 0


@given(st.lists(st.tuples(st.text(max_size=5), st.ip_addresses().map(str), st.booleans()), max_size=200))
def test_memory_stays_within_its_bound(attempts: list[tuple[str, str, bool]]) -> None:
    throttle = LoginThrottle(SETTINGS)

    for account, address, succeeds in attempts:
        if throttle.admit(account, address, now_s=0) == 0 and succeeds:
            throttle.succeeded(account, address)

    assert len(throttle) <= 2 * SETTINGS.max_keys


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_an_ipv6_client_is_its_64(one: str, other: str, same: bool) -> None:  # noqa: FBT001 - from the table
    assert (address_block(one) == address_block(other)) is same


@given(st.ip_addresses(v=6).map(str))
def test_a_block_is_an_address(address: str) -> None:
    assert ipaddress.ip_address(address_block(address))


def test_the_first_delay_is_a_setting() -> None:
    throttle = LoginThrottle(ThrottleSettings(first_delay_s=5, account_free_failures=1))
    throttle.admit("ada", HERE, now_s=0)

    assert throttle.admit("ada", HERE, now_s=0) == 5
    assert throttle.admit("ada", HERE, now_s=5) == 0
    assert throttle.admit("ada", HERE, now_s=5) == 10
