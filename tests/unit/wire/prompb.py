"""Google's own protobuf parser as the reference: prompb's messages, described at run time.

Strings are described as bytes, because a text that is not UTF-8 is the fault of one series and not of the
request; native histograms are opaque bytes, because they are counted and not decoded.
"""

from __future__ import annotations

import struct
from types import SimpleNamespace
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_TYPES = descriptor_pb2.FieldDescriptorProto
_KINDS = {
    "double": _TYPES.TYPE_DOUBLE,
    "int64": _TYPES.TYPE_INT64,
    "uint32": _TYPES.TYPE_UINT32,
    "int32": _TYPES.TYPE_INT32,
    "bool": _TYPES.TYPE_BOOL,
    "bytes": _TYPES.TYPE_BYTES,
}

_V1 = {
    "Label": {"name": (1, "bytes"), "value": (2, "bytes")},
    "Sample": {"value": (1, "double"), "timestamp": (2, "int64")},
    "Exemplar": {"labels": (1, "*Label"), "value": (2, "double"), "timestamp": (3, "int64")},
    "TimeSeries": {
        "labels": (1, "*Label"),
        "samples": (2, "*Sample"),
        "exemplars": (3, "*Exemplar"),
        "histograms": (4, "*bytes"),
    },
    "MetricMetadata": {"type": (1, "int32"), "family": (2, "bytes"), "help": (4, "bytes"), "unit": (5, "bytes")},
    "WriteRequest": {"timeseries": (1, "*TimeSeries"), "metadata": (3, "*MetricMetadata")},
    "LabelMatcher": {"type": (1, "int32"), "name": (2, "bytes"), "value": (3, "bytes")},
    "ReadHints": {
        "step_ms": (1, "int64"),
        "func": (2, "bytes"),
        "start_ms": (3, "int64"),
        "end_ms": (4, "int64"),
        "grouping": (5, "*bytes"),
        "by": (6, "bool"),
        "range_ms": (7, "int64"),
    },
    "Query": {
        "start_timestamp_ms": (1, "int64"),
        "end_timestamp_ms": (2, "int64"),
        "matchers": (3, "*LabelMatcher"),
        "hints": (4, "ReadHints"),
    },
    "ReadRequest": {"queries": (1, "*Query"), "accepted_response_types": (2, "*int32")},
    "QueryResult": {"timeseries": (1, "*TimeSeries")},
    "ReadResponse": {"results": (1, "*QueryResult")},
    "Chunk": {
        "min_time_ms": (1, "int64"),
        "max_time_ms": (2, "int64"),
        "type": (3, "int32"),
        "data": (4, "bytes"),
    },
    "ChunkedSeries": {"labels": (1, "*Label"), "chunks": (2, "*Chunk")},
    "ChunkedReadResponse": {"chunked_series": (1, "*ChunkedSeries"), "query_index": (2, "int64")},
}
_V2 = {
    "Sample": {"value": (1, "double"), "timestamp": (2, "int64"), "start_timestamp": (3, "int64")},
    "Exemplar": {"labels_refs": (1, "*uint32"), "value": (2, "double"), "timestamp": (3, "int64")},
    "Metadata": {"type": (1, "int32"), "help_ref": (3, "uint32"), "unit_ref": (4, "uint32")},
    "TimeSeries": {
        "labels_refs": (1, "*uint32"),
        "samples": (2, "*Sample"),
        "histograms": (3, "*bytes"),
        "exemplars": (4, "*Exemplar"),
        "metadata": (5, "Metadata"),
        "created_timestamp": (6, "int64"),
    },
    "Request": {"symbols": (4, "*bytes"), "timeseries": (5, "*TimeSeries")},
}


def build() -> tuple[Any, Any]:
    """The message classes of version 1 (with remote read) and of version 2, by name."""
    return _classes("v1", _V1), _classes("v2", _V2)


def _classes(package: str, messages: dict[str, dict[str, tuple[int, str]]]) -> Any:
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for field_name, (number, kind) in fields.items():
            label = _TYPES.LABEL_REPEATED if kind.startswith("*") else _TYPES.LABEL_OPTIONAL
            field = message.field.add(name=field_name, number=number, label=label)
            single = kind.removeprefix("*")
            if single in _KINDS:
                field.type = _KINDS[single]
            else:
                field.type = _TYPES.TYPE_MESSAGE
                field.type_name = f".{package}.{single}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}")) for name in messages
    }
    return SimpleNamespace(**found)


def read_frames(stream: bytes) -> list[tuple[bytes, int]]:
    """The messages of a stream of frames, with the checksums that it gives them."""
    frames: list[tuple[bytes, int]] = []
    position = 0
    while position < len(stream):
        size = shift = 0
        while True:
            byte = stream[position]
            position += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        checksum = int.from_bytes(stream[position : position + 4], "big")
        position += 4
        assert position + size <= len(stream)
        frames.append((stream[position : position + size], checksum))
        position += size
    return frames


def slow_crc32c(data: bytes) -> int:
    """Bit by bit."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def read_xor_chunk(data: bytes) -> list[tuple[int, bytes]]:  # noqa: C901 - one reader, in one piece
    """Times, and values as their eight bytes, of an XOR chunk: slow and obvious, after chunkenc's reader."""
    bits = "".join(f"{byte:08b}" for byte in data[2:])
    position = 0

    def take(count: int) -> int:
        nonlocal position
        assert position + count <= len(bits)
        position += count
        return int(bits[position - count : position], 2)

    def uvarint() -> int:
        value = shift = 0
        while True:
            byte = take(8)
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def wrap(value: int) -> int:
        return (value + (1 << 63)) % (1 << 64) - (1 << 63)

    samples: list[tuple[int, bytes]] = []
    time = delta = value = leading = trailing = 0
    for number in range(int.from_bytes(data[:2], "big")):
        if number == 0:
            raw = uvarint()
            time = raw >> 1 ^ -(raw & 1)
            value = take(64)
        else:
            if number == 1:
                delta = uvarint()
            else:
                width = 0
                for width in (0, 14, 17, 20, 64):
                    if width == 64 or not take(1):
                        break
                change = take(width) if width else 0
                if width in {14, 17, 20} and change > 1 << (width - 1):
                    change -= 1 << width
                delta += change
            time = wrap(time + delta)
            if take(1):
                if take(1):
                    leading = take(5)
                    trailing = 64 - leading - (take(6) or 64)
                value ^= take(64 - leading - trailing) << trailing
        samples.append((time, struct.pack("<Q", value)))
    return samples
