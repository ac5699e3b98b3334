"""Eight bytes at once, and the upper half of a product: what Numba has no words for.

For kernels that walk bytes. `load_word` reads past no boundary only if the caller has padded its array.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from vedette.model.kernels import inline

# Numba types the arguments of an intrinsic by position; the first is its typing context.


@intrinsic
def load_word(_typing: Any, data: Any, at: Any) -> Any:
    """The uint64 at `data[at:at + 8]`, little-endian, from a uint8 array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        pointer = builder.bitcast(builder.gep(array.data, [arguments[1]]), ir.IntType(64).as_pointer())
        # Aligned to one byte: a series begins anywhere.
        return builder.load(pointer, align=1)

    return types.uint64(data, at), generate


@intrinsic
def store_word(_typing: Any, data: Any, at: Any, word: Any) -> Any:  # noqa: ARG001 - by its position
    """Write a uint64 to `data[at:at + 8]`, little-endian; the array must have these eight bytes."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        pointer = builder.bitcast(builder.gep(array.data, [arguments[1]]), ir.IntType(64).as_pointer())
        builder.store(arguments[2], pointer, align=1)
        return context.get_dummy_value()

    return types.void(data, at, types.uint64), generate


@intrinsic
def multiply_high(_typing: Any, left: Any, right: Any) -> Any:
    """The upper 64 bits of the product of two uint64."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(builder.zext(arguments[0], wide), builder.zext(arguments[1], wide))
        return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))

    return types.uint64(left, right), generate


@inline
def signed(number: Any) -> int:
    """A number as int64: Numba makes a float of what mixes signed and unsigned numbers."""
    return np.int64(number)  # pyright: ignore[reportReturnType] - an int to Numba
