"""What can go wrong between a request and its answer."""

from __future__ import annotations

from vedette.config.secrets import mask_url
from vedette.model.errors import VedetteError


class FetchError(VedetteError):
    """There was no usable answer; the next attempt may bring one.

    Attributes:
        problem: why, without secrets.
        timed_out: whether the time ran out.
    """

    def __init__(self, problem: str, *, timed_out: bool = False) -> None:
        shown = mask_url(problem)
        super().__init__(shown, timed_out)
        self.problem = shown
        self.timed_out = timed_out

    def __str__(self) -> str:
        return self.problem
