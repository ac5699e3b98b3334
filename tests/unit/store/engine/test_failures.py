from __future__ import annotations

import pytest

from vedette.model.errors import (
    LimitExceededError,
    OverloadedError,
    QueryCancelledError,
    QueryTimeoutError,
    StorageError,
    VedetteError,
)
from vedette.store.engine import EngineSettings
from vedette.store.engine.failures import translate

QUERY, INSERT = "query", "insert"

MEMORY = "Code: 241. DB::Exception: Query memory limit exceeded: would use 48.00 MiB. (MEMORY_LIMIT_EXCEEDED)"
TOTAL = "Code: 241. DB::Exception: (total) memory limit exceeded: would use 903.14 MiB. (MEMORY_LIMIT_EXCEEDED)"


@pytest.mark.parametrize(
    ("message", "call", "expected"),
    [
        pytest.param(MEMORY, QUERY, LimitExceededError, id="a query that wants too much memory has to be narrowed"),
        pytest.param(MEMORY, INSERT, OverloadedError, id="an insert that finds no memory is tried again"),
        pytest.param(
            "Code: 159. DB::Exception: Timeout exceeded: elapsed 200.048 ms. (TIMEOUT_EXCEEDED)",
            QUERY,
            QueryTimeoutError,
            id="a timeout",
        ),
        pytest.param("Code: 394. DB::Exception: Query was cancelled", QUERY, QueryCancelledError, id="a cancellation"),
        pytest.param(
            "Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space. (NOT_ENOUGH_SPACE)",
            INSERT,
            OverloadedError,
            id="a disk without room for a part",
        ),
        pytest.param(
            "Code: 75. DB::ErrnoException: Cannot write to file x: , errno: 28, strerror: No space left on device.",
            INSERT,
            OverloadedError,
            id="a disk that fills up while a part is written",
        ),
        pytest.param(
            "Code: 252. DB::Exception: Too many parts (3000)", INSERT, OverloadedError, id="merges are behind"
        ),
        pytest.param(
            "Code: 60. DB::Exception: Unknown table nope. (UNKNOWN_TABLE)", QUERY, StorageError, id="the rest"
        ),
        pytest.param("something without a code", QUERY, StorageError, id="no code at all"),
    ],
)
def test_what_the_caller_does_next_decides_the_class(message: str, call: str, expected: type[VedetteError]) -> None:
    assert type(translate(message, EngineSettings(), inserting=call == INSERT)) is expected


@pytest.mark.parametrize(
    ("message", "option"),
    [
        pytest.param(MEMORY, "storage.query_memory", id="one query"),
        pytest.param(TOTAL, "storage.engine_memory", id="all queries together"),
    ],
)
def test_a_memory_limit_is_named_by_the_option_that_sets_it(message: str, option: str) -> None:
    error = translate(message, EngineSettings())

    assert isinstance(error, LimitExceededError)
    assert error.limit == option


@pytest.mark.parametrize(
    "message",
    [
        pytest.param("Code: 60. DB::Exception: Unknown table nope. (UNKNOWN_TABLE)", id="embedded"),
        pytest.param(
            "Streaming insert finish failed: Code: 60. DB::Exception: Unknown table nope. (UNKNOWN_TABLE) "
            "(version 26.9.2.1)",
            id="embedded, while inserting",
        ),
        pytest.param(
            "Received ClickHouse exception, code: 60, server response: Code: 60. DB::Exception: "
            "Unknown table nope. (UNKNOWN_TABLE) (version 26.9.2.1 (official build)) (for url http://127.0.0.1:1)",
            id="from a server",
        ),
    ],
)
def test_the_message_says_what_happened_and_not_through_whom(message: str) -> None:
    assert str(translate(message, EngineSettings())) == "Unknown table nope. (UNKNOWN_TABLE)"
