"""Work on files, in threads, that is not left behind when nobody waits for it any more."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

_Result = TypeVar("_Result")


async def run_to_end(executor: Executor, work: Callable[[], _Result]) -> _Result:
    """Run in a thread. When cancelled, wait for the work to end: it uses files that are closed next."""
    future = asyncio.get_running_loop().run_in_executor(executor, work)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        with contextlib.suppress(Exception):  # whatever it would have said, nobody waits for it
            await future
        raise
