"""Read and write bytes by address, in kernels.

A kernel that hands an array to a function counts a reference to it on the way in and out, which costs more
than reading a field (walking a request took 25 times as long). Kernels that walk messages take an array once
and hand on addresses. Nothing is checked here: whoever calls has compared the address with the array's end.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from vedette.model.kernels import MachineInt, inline

# Numba types the arguments of an intrinsic by position; the first is its typing context.


@inline
def address_of(data: NDArray[Any]) -> MachineInt:
    """Where an array's first byte is."""
    return np.int64(data.ctypes.data)


@intrinsic
def load_byte(_typing: Any, address: Any) -> Any:
    """The byte at an address, as a uint64."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())
        return builder.zext(builder.load(pointer), ir.IntType(64))

    return types.uint64(address), generate


@intrinsic
def load_word(_typing: Any, address: Any) -> Any:
    """The uint64 at an address, little-endian."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.load(pointer, align=1)

    return types.uint64(address), generate


@intrinsic
def store_byte(_typing: Any, _address: Any, _value: Any) -> Any:
    """Write the lowest byte of a uint64; returns the address after it."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())
        builder.store(builder.trunc(arguments[1], ir.IntType(8)), pointer)
        return builder.add(arguments[0], ir.Constant(ir.IntType(64), 1))

    return types.int64(types.int64, types.uint64), generate


@intrinsic
def store_word(_typing: Any, _address: Any, _value: Any) -> Any:
    """Write a uint64, little-endian; returns the address after it."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        builder.store(arguments[1], pointer, align=1)
        return builder.add(arguments[0], ir.Constant(ir.IntType(64), 8))

    return types.int64(types.int64, types.uint64), generate
