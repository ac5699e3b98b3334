"""Turn ClickHouse's errors into Vedette's: what the caller does next decides the class.

ClickHouse says `Code: 241. DB::Exception: ... (MEMORY_LIMIT_EXCEEDED) (version 26.9.2.1)`; the numbers
are stable (src/Common/ErrorCodes.cpp), the words are not.
"""

from __future__ import annotations

import re
from typing import Final

from vedette.model.errors import (
    LimitExceededError,
    OverloadedError,
    QueryCancelledError,
    QueryTimeoutError,
    StorageError,
    VedetteError,
)
from vedette.store.engine.protocol import QUERY_MEMORY_OPTION, TOTAL_MEMORY_OPTION, EngineSettings

DISK_FULL_RETRY_S: Final = 15.0
BUSY_RETRY_S: Final = 2.0

_CODE = re.compile(r"Code: (\d+)")
_NOISE = re.compile(
    r"\A(?:(?:Streaming query failed|Streaming insert \w+ failed|Failed to create connection): )?"
    r"(?:Received ClickHouse exception, code: \d+, server response: )?"
    r"(?:Code: \d+\. |DB::(?:Errno)?Exception: )*"
)
_TRAILER = re.compile(r"\s*(?:\(version [^()]*(?:\([^)]*\))?\)\s*)?(?:\(for url [^)]*\)\s*)?\Z")
_MESSAGE_CHARACTERS = 600

_TIMEOUT = {159, 160}
_CANCELLED = {394}
_MEMORY = {241}
_DISK_FULL = {243}
_BUSY = {202, 252, 425}


def translate(message: str, settings: EngineSettings, *, inserting: bool = False) -> VedetteError:
    """The error to raise for one of ClickHouse's.

    Args:
        message: its text.
        settings: limits to name in the answer.
        inserting: rows were being added: being short of memory is then a reason to come back later.
    """
    match = _CODE.search(message)
    code = int(match[1]) if match else 0
    text = _TRAILER.sub("", _NOISE.sub("", message))[:_MESSAGE_CHARACTERS]
    if code in _DISK_FULL or "No space left on device" in message or "errno: 28," in message:
        return OverloadedError(f"the disk is full: {text}", retry_after_s=DISK_FULL_RETRY_S)
    if code in _BUSY or (inserting and code in _MEMORY):
        return OverloadedError(f"the engine is busy: {text}", retry_after_s=BUSY_RETRY_S)
    return _of_query(code, text, settings, total="(total)" in message)


def _of_query(code: int, text: str, settings: EngineSettings, *, total: bool) -> VedetteError:
    if code in _TIMEOUT:
        return QueryTimeoutError(f"the query ran longer than it may: {text}")
    if code in _CANCELLED:
        return QueryCancelledError("the query was cancelled")
    if code in _MEMORY and total:
        return LimitExceededError(
            limit=TOTAL_MEMORY_OPTION,
            allowed=settings.memory_bytes,
            found=None,
            what="bytes of memory for the engine's queries",
        )
    if code in _MEMORY:
        return LimitExceededError(
            limit=QUERY_MEMORY_OPTION,
            allowed=settings.query_memory_bytes,
            found=None,
            what="bytes of memory for one query",
        )
    return StorageError(text)
