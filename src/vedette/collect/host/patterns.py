"""Tests of device and mount names, remembered: names are few and come again at every round."""

from __future__ import annotations

import functools
from collections.abc import Callable

import re2

from vedette.model.errors import ConfigError, Location

_REMEMBERED = 4096


def name_test(pattern: str, option: str) -> Callable[[str], bool]:
    """A test for names in which `pattern` occurs; an empty pattern occurs in none.

    Raises:
        ConfigError: it is not a regular expression that RE2 takes.
    """
    if not pattern:
        return lambda _: False
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as exc:
        raise ConfigError(
            at=Location("host metrics"),
            problem=f"`{option}`: {pattern!r} is not a regular expression",
            remedy="Write it in RE2 syntax: https://github.com/google/re2/wiki/Syntax",
        ) from exc

    @functools.lru_cache(maxsize=_REMEMBERED)
    def test(name: str) -> bool:
        return compiled.search(name) is not None

    return test
