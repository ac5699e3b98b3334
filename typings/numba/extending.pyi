# The part of Numba's extension interface that Vedette uses.

from collections.abc import Callable
from typing import Any

def intrinsic(function: Callable[..., Any]) -> Callable[..., Any]: ...
