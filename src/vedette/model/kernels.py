"""Functions that are compiled to machine code: the loops over samples, bytes and windows.

A kernel takes contiguous arrays and numbers, releases the GIL, and is cached on disk. Its signatures are
stated, so that all of them can be compiled ahead of the first use (`compile_kernels`) and an array of an
unexpected type is an error and not a silent second compilation.

Kernels are not parallel themselves: callers split work over threads, which keeps compilation short.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

import numba

MachineInt = Any
"""An int64 or uint64 inside a kernel: what NumPy calls a scalar, Python an int and Numba a register."""

_Function = TypeVar("_Function", bound=Callable[..., Any])

_registry: list[tuple[Any, tuple[str, ...]]] = []


def kernel(*signatures: str) -> Callable[[_Function], _Function]:
    """Compile the decorated function with Numba, when first called or by `compile_kernels`.

    Args:
        signatures: what it accepts, as Numba writes it: `"void(int64[::1], float64[:,::1])"`.
    """

    def decorate(function: _Function) -> _Function:
        compiled = numba.njit(nogil=True, cache=True, error_model="numpy")(function)
        _registry.append((compiled, signatures))
        return cast("_Function", compiled)

    return decorate


def inline(function: _Function) -> _Function:
    """Compile a function that only kernels call."""
    return cast("_Function", numba.njit(nogil=True, cache=True, error_model="numpy", inline="never")(function))


def compile_kernels() -> Iterator[tuple[int, int, str]]:
    """Compile all kernels of the modules imported so far, or load them from the cache.

    Yields:
        How many are done, how many there are, and the name of the one just done.
    """
    total = len(_registry)
    for number, (compiled, signatures) in enumerate(_registry, 1):
        for signature in signatures:
            compiled.compile(signature)
        compiled.disable_compile(val=True)
        yield number, total, str(compiled.__name__)
