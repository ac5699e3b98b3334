"""Read the small files in which the kernel and its drivers tell their numbers.

Everything here is quick, bounded and indifferent to what the file turns out to be: a device may go
while its directory is read, a driver may answer with an error, a name may lead to a pipe.
"""

from __future__ import annotations

import os
from typing import Final

from vedette.model.errors import DecodeError

MAX_BYTES: Final = 16 << 20
"""No kernel file is larger; what is, is not one."""

_CHUNK: Final = 64 << 10


class NoDataError(Exception):
    """This machine has nothing to tell here: the kernel lacks the feature, or the hardware is not there."""


def read_bytes(path: str, *, limit: int = MAX_BYTES) -> bytes:
    """A file's content.

    Raises:
        OSError: it cannot be read.
        DecodeError: it is larger than `limit`.
    """
    # os.open and os.read, because the file objects of `open` cost three times as much per small file.
    # Non-blocking, because opening a pipe would otherwise wait for its writer.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        content = os.read(handle, _CHUNK)
        # A short read is not the last one: /proc ends each read behind a whole record.
        while len(content) <= limit and (more := os.read(handle, _CHUNK)):
            content += more
        if len(content) > limit:
            raise DecodeError(f"{path} is larger than {limit:,} bytes")
        return content
    finally:
        os.close(handle)


def read_text(path: str) -> str:
    """A file's content as text, without white space at its ends.

    Raises:
        OSError: it cannot be read.
        DecodeError: it is too large.
    """
    return read_bytes(path).decode("utf-8", "replace").strip()


def read_number(path: str) -> float:
    """The one number that a file holds.

    Raises:
        OSError: it cannot be read.
        DecodeError: it holds something else.
    """
    return parse_number(read_bytes(path), path)


def try_number(path: str) -> float | None:
    """The one number that a file holds; None where it is not there or not a number."""
    try:
        return read_number(path)
    except (OSError, DecodeError):
        return None


def try_text(path: str) -> str:
    """A file's text; empty where it cannot be read."""
    try:
        return read_text(path)
    except (OSError, DecodeError):
        return ""


def parse_number(text: bytes, what: str) -> float:
    """A decimal number.

    Raises:
        DecodeError: it is none.
    """
    try:
        return float(text)
    except ValueError as exc:
        raise DecodeError(f"{what}: {text[:40]!r} is not a number") from exc


def list_names(path: str) -> list[str]:
    """The names in a directory, sorted.

    Raises:
        NoDataError: there is no such directory.
    """
    try:
        return sorted(os.listdir(path))  # noqa: PTH208 - names are wanted, not Path objects
    except (FileNotFoundError, NotADirectoryError) as exc:
        raise NoDataError(path) from exc
