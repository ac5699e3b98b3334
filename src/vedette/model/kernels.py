"""Functions that are compiled to machine code: the loops over samples, bytes and windows.

A kernel takes contiguous arrays and numbers, releases the GIL, and is cached on disk. Its signatures are
stated, so that all of them can be compiled ahead of the first use (`compile_kernels`) and an array of an
unexpected type is an error and not a silent second compilation.

Kernels are not parallel themselves: callers split work over threads, which keeps compilation short.

Numba's cache looks at the file of a kernel only, not at the functions of other files that are compiled into it. So the
cache's folder is named by a digest of all sources with machine code: whatever changes, nothing outdated is used.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import numba

import vedette

_PREFIX: Final = "kernels-"


def _digest() -> str:
    """Names the state of all sources that are compiled."""
    digest = hashlib.sha256()
    root = Path(vedette.__file__).parent
    for path in sorted(root.rglob("*.py")):
        source = path.read_bytes()
        if b"numba" in source or b"vedette.model.kernels" in source:
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + source + b"\0")
    return digest.hexdigest()[:16]


def _cache_folder() -> Path:
    """Beside the package, or in the user's cache where that cannot be written."""
    beside = Path(vedette.__file__).parent / "__pycache__"
    if os.access(beside if beside.exists() else beside.parent, os.W_OK):
        return beside / f"{_PREFIX}{_digest()}"
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "vedette" / f"{_PREFIX}{_digest()}"


if "NUMBA_CACHE_DIR" not in os.environ:
    # Read by Numba when a function is decorated, so it cannot wait.
    numba.config.CACHE_DIR = str(_cache_folder())

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


def leaf(function: _Function) -> _Function:
    """As `inline`, for a function that makes no arrays, not even slices of its arguments.

    Its arguments are not counted as references, which takes as long as writing a number does.
    """
    compiled = numba.njit(nogil=True, cache=True, error_model="numpy", inline="never", _nrt=False)(function)
    return cast("_Function", compiled)


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


def drop_outdated_caches() -> None:
    """Delete the machine code of former sources."""
    current = Path(str(numba.config.CACHE_DIR))
    if not current.name.startswith(_PREFIX):
        return
    for folder in current.parent.glob(f"{_PREFIX}*"):
        if folder != current:
            shutil.rmtree(folder, ignore_errors=True)
