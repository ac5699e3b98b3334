"""Slow down guessing: failed logins delay further ones, per account and per address.

The delay doubles with every failure beyond a few free ones. A delayed attempt is refused without looking at
the password, so it costs nothing and tells nothing. An attempt counts as failed from its beginning until it
has succeeded: many at once do not slip through before the first has failed.

The account's delay does not hold for addresses from which that account has logged in before: an attacker
who keeps failing elsewhere does not lock the owner out. IPv6 clients count by their /64, which is what one
of them has. Pure: the time is an argument.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from vedette.http.settings import ThrottleSettings

_MAX_EXPONENT = 30


@dataclass(slots=True)
class _Failures:
    count: int
    last_s: float


@dataclass(frozen=True, slots=True)
class _Policy:
    free: int
    max_delay_s: float


class LoginThrottle:
    """Remembers failures, within a bound."""

    def __init__(self, settings: ThrottleSettings) -> None:
        self._settings = settings
        self._account = _Policy(settings.account_free_failures, settings.account_max_delay_s)
        self._address = _Policy(settings.address_free_failures, settings.address_max_delay_s)
        self._failures: OrderedDict[tuple[str, str], _Failures] = OrderedDict()
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def admit(self, account: str, address: str, *, now_s: float) -> float:
        """Begin an attempt: 0 lets it go on and counts it as failed until `succeeded` is called.

        Otherwise the attempt is refused, and the result is the number of seconds to wait.
        """
        block = address_block(address)
        keys = [(("address", block), self._address)]
        if (account, block) not in self._known:
            keys.append((("account", account), self._account))
        wait_s = max(self._wait_s(key, policy, now_s) for key, policy in keys)
        if wait_s > 0:
            return wait_s
        for key, _ in keys:
            self._count(key, now_s)
        return 0.0

    def succeeded(self, account: str, address: str) -> None:
        """The attempt was a real login: forget the account's failures and remember where it came from.

        The address's other failures stay, or an attacker with an account of its own would wipe them out.
        """
        block = address_block(address)
        self._failures.pop(("account", account), None)
        of_address = self._failures.get(("address", block))
        if of_address is not None:
            of_address.count -= 1
        self._known[account, block] = None
        self._known.move_to_end((account, block))
        _trim(self._known, self._settings.max_keys)

    def forget_account(self, account: str) -> None:
        """The account's password has changed: where it was known before means nothing any more."""
        for pair in [pair for pair in self._known if pair[0] == account]:
            del self._known[pair]

    def __len__(self) -> int:
        return len(self._failures) + len(self._known)

    def _wait_s(self, key: tuple[str, str], policy: _Policy, now_s: float) -> float:
        failures = self._failures.get(key)
        if failures is None:
            return 0.0
        if now_s - failures.last_s >= self._settings.forget_s:
            del self._failures[key]
            return 0.0
        beyond = failures.count - policy.free
        if beyond < 0:
            return 0.0
        delay_s = min(policy.max_delay_s, self._settings.first_delay_s * 2.0 ** min(beyond, _MAX_EXPONENT))
        return max(0.0, failures.last_s + delay_s - now_s)

    def _count(self, key: tuple[str, str], now_s: float) -> None:
        failures = self._failures.get(key)
        if failures is None:
            self._failures[key] = _Failures(1, now_s)
        else:
            failures.count += 1
            failures.last_s = now_s
            self._failures.move_to_end(key)
        _trim(self._failures, self._settings.max_keys)


def address_block(address: str) -> str:
    """What one client has: an IPv4 address, or an IPv6 /64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    return str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)).network_address)


def _trim(remembered: OrderedDict[tuple[str, str], Any], limit: int) -> None:
    # The least recent goes: filling the table takes an attacker a failure per entry.
    while len(remembered) > limit:
        remembered.popitem(last=False)
