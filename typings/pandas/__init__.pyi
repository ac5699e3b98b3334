"""The part of pandas that Vedette's client uses."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

class Index:
    def __init__(self, data: Sequence[Any], *, name: str | None = ...) -> None: ...

class MultiIndex(Index):
    @classmethod
    def from_tuples(cls, tuples: Sequence[tuple[Any, ...]], *, names: Sequence[str]) -> MultiIndex: ...

class DatetimeIndex(Index):
    def __init__(self, data: NDArray[Any], *, tz: str | None = ..., name: str | None = ...) -> None: ...

class DataFrame:
    def __init__(self, data: NDArray[Any], *, index: Index, columns: Index) -> None: ...
