"""How much an execution may use, and what it has left.

Templates are written by people who may err or mean harm, and are executed where alerts are on their way: what they
may use is counted as it is used, and a message says which limit was reached.
"""

from __future__ import annotations

from dataclasses import dataclass

from vedette.lang.gotemplate.errors import LimitError
from vedette.lang.gotemplate.text import byte_length

_BYTES_PER_STEP = 256


@dataclass(frozen=True, slots=True)
class Limits:
    """What an execution may use.

    Attributes:
        steps: actions, texts, calls and turns of loops; long texts that functions work on count more.
        output_bytes: length of the result, and of every text on the way to it.
        depth: how deep actions, parentheses and templates may stand within each other while they are executed.
    """

    steps: int = 1_000_000
    output_bytes: int = 4 << 20
    depth: int = 64


class Budget:
    """What is left of the limits of one execution.

    Attributes:
        limits: what it began with.
        steps: how many are left.
        output_bytes: how many are left.
        depth: how many more may stand within what is being executed.
    """

    __slots__ = ("depth", "limits", "output_bytes", "steps")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.steps = limits.steps
        self.output_bytes = limits.output_bytes
        self.depth = limits.depth

    def spend(self, steps: int = 1) -> None:
        """Count steps.

        Raises:
            LimitError: no more are left.
        """
        self.steps -= steps
        if self.steps < 0:
            raise LimitError(f"more than {self.limits.steps:,} steps are needed")

    def spend_on(self, size: int) -> None:
        """Count work on so many bytes, characters or entries.

        Raises:
            LimitError: no more steps are left.
        """
        self.spend(size // _BYTES_PER_STEP)

    def enter(self) -> None:
        """Begin something that stands within what is being executed; its end is `self.depth += 1`.

        Raises:
            LimitError: it stands too deep.
        """
        if self.depth <= 0:
            raise self.too_deep()
        self.depth -= 1

    def write(self, text: str) -> None:
        """Count a part of the result.

        Raises:
            LimitError: the result becomes too long.
        """
        self.output_bytes -= byte_length(text)
        if self.output_bytes < 0:
            raise self._too_long()

    def check_length(self, length: int) -> None:
        """Check the length of a text that is about to be made.

        Raises:
            LimitError: it is longer than a result may be.
        """
        if length > self.limits.output_bytes:
            raise self._too_long()

    def too_deep(self) -> LimitError:
        """The error of what stands too deep."""
        return LimitError(f"actions stand deeper than {self.limits.depth:,} within each other")

    def _too_long(self) -> LimitError:
        return LimitError(f"more than {self.limits.output_bytes:,} bytes would be written")
