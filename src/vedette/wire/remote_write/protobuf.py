"""Protobuf's wire format: for kernels, which walk whole requests, and for Python, which reads a few records.

The rules are those of Google's own parser: a field that is unknown, or known under another wire type, is
skipped; a message that runs past its end, a varint of more than ten bytes, a field number of zero, an
unknown wire type or a group that does not close is an error for the whole request.

Positions in kernels are addresses. A function returns the next one, or a negative number made by `fail`,
which holds the error and its place and is handed up unchanged. None reads at or past `end`.

Source: https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vedette.model.errors import DecodeError
from vedette.model.kernels import MachineInt, inline, kernel
from vedette.wire.remote_write.memory import address_of, load_byte, load_word, store_byte

READONLY_BYTES: Final = "Array(uint8, 1, 'C', True)"
"""Numba's type of a view of `bytes`; takes writable arrays too."""

VARINT: Final = 0
FIXED64: Final = 1
BYTES: Final = 2
GROUP: Final = 3
END_GROUP: Final = 4
FIXED32: Final = 5

TRUNCATED: Final = 1
LONG_VARINT: Final = 2
BAD_TAG: Final = 3
BAD_WIRE_TYPE: Final = 4
BAD_GROUP: Final = 5
BAD_SYMBOL: Final = 6
ODD_LABELS: Final = 7

_CODES: Final = 8
_MAX_DEPTH: Final = 90
"""Of groups in groups. Google's parsers allow 100 and count the messages around them too."""
_MAX_TAG: Final = 0xFFFFFFFF
_MAX_LENGTH: Final = 0x7FFFFFFF
_MAX_SHORT: Final = 5
"""Bytes that a varint of 32 bits takes at most: tags and lengths."""
_LAST_SHIFT: Final = 63
"""Where the tenth and last byte of a varint goes: one bit of it fits."""
_MORE: Final = np.uint64(0x80)
"""Set in every byte of a varint but the last."""
_FIRST_TAG: Final = np.uint64(8)
"""The smallest tag: field number one."""

_PROBLEMS: Final = {
    TRUNCATED: "a field runs past the end of its message",
    LONG_VARINT: "a number takes more bytes than its type allows",
    BAD_TAG: "a field number is zero or too large",
    BAD_WIRE_TYPE: "the wire type of a field is unknown",
    BAD_GROUP: "a group is not closed, closed twice or nested too deeply",
    BAD_SYMBOL: "a label, help or unit refers to a symbol that the request has not got",
    ODD_LABELS: "the references of a label set do not come in pairs",
}

Bytes = NDArray[np.uint8]


class Field(NamedTuple):
    """One field of a message.

    Attributes:
        number: its number in the message's definition.
        wire_type: how it is written.
        start: for BYTES where its content begins; otherwise the value as an unsigned number.
        end: for BYTES where its content ends; otherwise where the field ends.
    """

    number: int
    wire_type: int
    start: int
    end: int


def read_fields(data: bytes, start: int, end: int) -> Iterator[Field]:
    """The fields of the message in `data[start:end]`, in order; groups are passed over.

    Raises:
        DecodeError: with the byte's offset in `data`.
    """
    view = np.frombuffer(data, np.uint8)
    position = start
    while position < end:
        number, wire_type, value, position = _field_at(view, position, end)
        if position < 0:
            raise failure(position, view)
        if wire_type == BYTES:
            yield Field(number, wire_type, value, position)
        elif wire_type != GROUP:
            yield Field(number, wire_type, value & 0xFFFFFFFFFFFFFFFF, position)


def failure(result: int, data: Bytes) -> DecodeError:
    """The error that a kernel returned, which walked `data`."""
    address, code = divmod(-result, _CODES)
    position = address - data.ctypes.data
    return DecodeError(f"the protobuf message is malformed at byte {position}: {_PROBLEMS[code]}")


def signed(value: int) -> int:
    """An int64 field's value from its varint."""
    return value - (1 << 64) if value >> 63 else value


def encode_varint(value: int) -> bytes:
    """A number from 0 on as a varint."""
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def encode_bytes(number: int, content: bytes) -> bytes:
    """A field of wire type BYTES."""
    return encode_varint(number << 3 | BYTES) + encode_varint(len(content)) + content


@inline
def fail(code: int, position: int) -> MachineInt:
    """A negative number that tells what is wrong and where."""
    return -(position * _CODES + code)


@inline
def read_varint(position: int, end: int) -> tuple[np.uint64, MachineInt]:
    """A varint and the position after it."""
    value = np.uint64(0)
    shift = 0
    start = position
    while position < end:
        byte = load_byte(position)
        position += 1
        value |= (byte & np.uint64(0x7F)) << np.uint64(shift)
        if byte < _MORE:
            if shift == _LAST_SHIFT and byte > np.uint64(1):
                return value, fail(LONG_VARINT, start)
            return value, position
        shift += 7
        if shift > _LAST_SHIFT:
            return value, fail(LONG_VARINT, start)
    return value, fail(TRUNCATED, start)


@inline
def read_tag(position: int, end: int) -> tuple[MachineInt, MachineInt]:
    """A field's tag (number and wire type) and the position after it."""
    start = position
    byte = load_byte(position)
    if _FIRST_TAG <= byte < _MORE:
        return np.int64(byte), position + 1
    value, position = read_varint(position, end)
    if position < 0:
        return 0, position
    if value > np.uint64(_MAX_TAG) or value < _FIRST_TAG or position - start > _MAX_SHORT:
        return 0, fail(BAD_TAG, start)
    return np.int64(value), position


@inline
def read_length(position: int, end: int) -> tuple[MachineInt, MachineInt]:
    """Where the content of a BYTES field begins and ends."""
    start = position
    if position < end:
        byte = load_byte(position)
        if byte < _MORE:
            position += 1
            stop = position + np.int64(byte)
            if stop > end:
                return 0, fail(TRUNCATED, start)
            return position, stop
    value, position = read_varint(position, end)
    if position < 0:
        return 0, position
    if value > np.uint64(_MAX_LENGTH) or position - start > _MAX_SHORT:
        return 0, fail(LONG_VARINT, start)
    stop = position + np.int64(value)
    if stop > end:
        return 0, fail(TRUNCATED, start)
    return position, stop


@inline
def skip_group(tag: int, position: int, end: int) -> MachineInt:
    """The position after a group whose opening tag was just read."""
    open_groups = np.empty(_MAX_DEPTH, np.int64)
    open_groups[0] = tag >> 3

    depth = 1
    while depth > 0:
        start = position
        if position >= end:
            return fail(BAD_GROUP, start)
        tag, position = read_tag(position, end)
        if position < 0:
            return position
        wire_type = tag & 7
        if wire_type == GROUP:
            if depth == _MAX_DEPTH:
                return fail(BAD_GROUP, start)
            open_groups[depth] = tag >> 3
            depth += 1
        elif wire_type == END_GROUP:
            depth -= 1
            if open_groups[depth] != tag >> 3:
                return fail(BAD_GROUP, start)
        else:
            position = skip_plain(tag, position, end)
            if position < 0:
                return position
    return position


@inline
def skip_plain(tag: int, position: int, end: int) -> MachineInt:
    """The position after a field that is not a group, whose tag was just read."""
    wire_type = tag & 7
    if wire_type == BYTES:
        _, position = read_length(position, end)
        return position
    if wire_type == VARINT:
        _, position = read_varint(position, end)
        return position
    if wire_type == FIXED64:
        width = 8
    elif wire_type == FIXED32:
        width = 4
    else:
        return fail(BAD_WIRE_TYPE, position - 1)
    if position + width > end:
        return fail(TRUNCATED, position)
    return position + width


@inline
def skip_field(tag: int, position: int, end: int) -> MachineInt:
    """The position after a field whose tag was just read."""
    wire_type = tag & 7
    if wire_type == GROUP:
        return skip_group(tag, position, end)
    if wire_type == END_GROUP:
        return fail(BAD_GROUP, position - 1)
    return skip_plain(tag, position, end)


@inline
def check_message(position: int, end: int) -> MachineInt:
    """`end`, if what is from `position` to `end` is a well-formed message without messages of its own."""
    while position < end:
        tag, position = read_tag(position, end)
        if position < 0:
            return position
        position = skip_field(tag, position, end)
        if position < 0:
            return position
    return position


@inline
def varint_size(value: np.uint64) -> MachineInt:
    """How many bytes a varint takes."""
    size = 1
    while value >= _MORE:
        value >>= np.uint64(7)
        size += 1
    return size


@inline
def write_varint(position: int, value: np.uint64) -> MachineInt:
    """Write a varint to an address; returns the address after it."""
    while value >= _MORE:
        position = store_byte(position, value | _MORE)
        value >>= np.uint64(7)
    return store_byte(position, value)


@kernel(f"UniTuple(int64, 4)({READONLY_BYTES}, int64, int64)")
def _field_at(data: Bytes, offset: int, end: int) -> tuple[MachineInt, MachineInt, MachineInt, MachineInt]:
    """Number, wire type, value and the offset after the field at `offset`, or what `fail` made."""
    base = address_of(data)
    tag, position = read_tag(base + offset, base + end)
    value = np.int64(0)
    if position < 0:
        return 0, 0, value, position
    wire_type = tag & 7
    start = position
    if wire_type == VARINT:
        raw, position = read_varint(start, base + end)
        value = np.int64(raw)
    elif wire_type == BYTES:
        content, position = read_length(start, base + end)
        value = content - base
    else:
        position = skip_field(tag, start, base + end)
        if position >= 0 and wire_type == FIXED64:
            value = np.int64(load_word(start))
        elif position >= 0 and wire_type == FIXED32:
            for i in range(4):
                value |= np.int64(load_byte(start + i)) << (8 * i)
    if position < 0:
        return 0, 0, value, position
    return tag >> 3, wire_type, value, position - base
