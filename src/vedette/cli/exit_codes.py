"""What a command's exit code says, for scripts."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The codes; docs/reference/cli.md has them for users."""

    OK = 0
    NO = 1
    """The answer is no, something is not healthy, or it could not be done."""
    USAGE = 2
    """The command was not written correctly."""
    UNREACHABLE = 3
    """There is no server, or no way to it."""
    HINTS = 3
    """There are hints, and `--lint-fatal` was given; promtool's code."""
    INTERRUPTED = 130
    """Control-C: 128 and the signal's number, as shells count."""
