"""The part of Numba that Vedette uses."""

from collections.abc import Callable
from typing import Any

def njit(
    *,
    nogil: bool = ...,
    cache: bool = ...,
    error_model: str = ...,
    inline: str = ...,
    fastmath: bool = ...,
    _nrt: bool = ...,
) -> Callable[[Callable[..., Any]], Any]: ...

class _Config:
    CACHE_DIR: str

config: _Config
