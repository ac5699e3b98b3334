"""A copy of a list of Kubernetes objects, kept up to date by a watch.

First the list is read, then its changes from that version on. The server ends a watch now and then, and it
is taken up again where it ended; bookmarks keep that place recent. A server that no longer knows the place
says 410, and the list is read again. Meanwhile, and while the server is away, the copy stays as it is.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import urlencode

import orjson
from pydantic import ValidationError

from vedette.collect.discovery.answers import BODY_LIMIT, fetch_body, quoted
from vedette.collect.discovery.health import Health
from vedette.collect.discovery.kubernetes.objects import Anything, Resource
from vedette.collect.discovery.refresh import Pause, backoff_s
from vedette.collect.http_client import Fetcher, FetchError
from vedette.model.errors import DecodeError, LimitExceededError

_PAGE: Final = 500
_LIST_TIMEOUT_S: Final = 60.0
_WATCH_S: Final = (300, 600)
"""How long a watch may last; random, so that not all of them end at once."""
_FRUITLESS_S: Final = 5.0
"""A round that ends sooner and brought nothing is followed by a pause."""
_GRACE_S: Final = 30.0
"""A watch that outlives its end by this much hangs."""
_HEAD_TIMEOUT_S: Final = 30.0
_LONGEST_PAUSE_S: Final = 60.0
_EVENT_LIMIT: Final = 8 << 20
_OK: Final = 200
_GONE: Final = 410


@dataclass(frozen=True, slots=True)
class ApiServer:
    """Where objects are listed.

    Attributes:
        url: without a slash at its end.
        fetcher: the client.
        health: where lists, watches and their failures are counted.
        pause: waits between attempts.
    """

    url: str
    fetcher: Fetcher
    health: Health
    pause: Pause = asyncio.sleep


class _GoneError(Exception):
    """The server does not know the version any more from which it is to tell changes."""


class Reflector:
    """The objects of one resource in one namespace."""

    def __init__(
        self,
        resource: Resource,
        namespace: str,
        server: ApiServer,
        *,
        selectors: Mapping[str, str],
        changed: Callable[[str], None],
        synced: Callable[[], None],
    ) -> None:
        """Prepare.

        Args:
            resource: what to list.
            namespace: where; "" for everywhere.
            server: whom to ask.
            selectors: `labelSelector` and `fieldSelector`, where they are set.
            changed: called with the key of each object that came, changed or went.
            synced: called when the list has been read for the first time.
        """
        self.objects: dict[str, Anything] = {}
        self.resource = resource
        self.is_synced = False
        self._path = resource.path(namespace)
        self._url = server.url + self._path
        self._fetcher = server.fetcher
        self._selectors = dict(selectors)
        self._changed = changed
        self._synced = synced
        self._health = server.health
        self._pause = server.pause
        self._version = ""

    async def run(self) -> None:
        """Keep the copy up to date, until cancelled."""
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            error: Exception | None = None
            before = self._version
            started_s = loop.time()
            try:
                if not self._version:
                    await self._list()
                before = self._version
                await self._watch()
            except _GoneError:
                self._version = ""
            except Exception as exc:  # noqa: BLE001 - a list or watch is the unit of failure here
                error = exc
            # A server that ends each watch at once, or never knows a version, is not asked in a tight loop.
            if self._version not in ("", before) or loop.time() - started_s > _FRUITLESS_S:
                failures = 0
                if error is None:
                    continue
            pause_s = backoff_s(failures, _LONGEST_PAUSE_S)
            failures += 1
            if error is not None:
                self._health.note({self._path: error}, about=(self._path,), retry_in_s=round(pause_s, 1))
            await self._pause(pause_s)

    async def _list(self) -> None:
        """Read the whole list, page by page, and make it the copy."""
        found: dict[str, Anything] = {}
        parameters = {**self._selectors, "limit": str(_PAGE)}
        size = 0
        while True:
            _, body = await fetch_body(self._fetcher, f"{self._url}?{urlencode(parameters)}", timeout_s=_LIST_TIMEOUT_S)
            size += len(body)
            if size > BODY_LIMIT:
                what = f"bytes in the list of {self._path}"
                raise LimitExceededError(limit="kubernetes list", allowed=BODY_LIMIT, found=None, what=what)
            page = _object(await asyncio.to_thread(orjson.loads, body), self._path)
            for item in cast("list[Any]", page.get("items") or []):
                read = self._read(item)
                if read is not None:
                    found[read.key] = read
            metadata = _object(page.get("metadata"), self._path)
            if not metadata.get("continue"):
                break
            parameters["continue"] = str(metadata["continue"])
        self._version = str(metadata.get("resourceVersion") or "0")
        self._replace(found)
        self._health.note({}, about=(self._path,))
        if not self.is_synced:
            self.is_synced = True
            self._synced()

    def _replace(self, found: dict[str, Anything]) -> None:
        before, self.objects = self.objects, found
        for key in before.keys() | found.keys():
            if before.get(key) != found.get(key):
                self._changed(key)

    async def _watch(self) -> None:
        """Take in changes until the server ends the watch."""
        lasting_s = random.randint(*_WATCH_S)  # noqa: S311 - no secret depends on it
        parameters = {
            **self._selectors,
            "watch": "1",
            "resourceVersion": self._version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(lasting_s),
        }
        timer = asyncio.timeout(_HEAD_TIMEOUT_S)
        try:
            async with (
                timer,
                self._fetcher.stream(
                    f"{self._url}?{urlencode(parameters)}", headers={"Accept": "application/json"}
                ) as stream,
            ):
                if stream.status == _GONE:
                    raise _GoneError
                if stream.status != _OK:
                    body = await stream.read(1 << 20)
                    raise FetchError(f"the server answered {stream.status} {stream.reason}{quoted(body)}")
                self._health.note({}, about=(self._path,))
                timer.reschedule(asyncio.get_running_loop().time() + lasting_s + _GRACE_S)
                async for line in _lines(stream.chunks()):
                    self._take(line)
        except TimeoutError as exc:
            raise FetchError("the watch stalled", timed_out=True) from exc

    def _take(self, line: bytes) -> None:
        """Take in one event."""
        try:
            event = _object(orjson.loads(line), self._path)
        except orjson.JSONDecodeError as exc:
            raise DecodeError(f"an event of the watch is not JSON: {line[:80]!r}") from exc
        found = _object(event.get("object"), self._path)
        match event.get("type"):
            case "ERROR":
                if found.get("code") == _GONE:
                    raise _GoneError
                raise FetchError(f"the watch failed: {str(found.get('message'))[:200]}")
            case "BOOKMARK":
                pass
            case "DELETED":
                read = self._read(found)
                if read is not None and self.objects.pop(read.key, None) is not None:
                    self._changed(read.key)
            case "ADDED" | "MODIFIED":
                read = self._read(found)
                if read is not None and self.objects.get(read.key) != read:
                    self.objects[read.key] = read
                    self._changed(read.key)
            case _:
                return
        metadata = _object(found.get("metadata"), self._path)
        self._version = str(metadata.get("resourceVersion") or self._version)

    def _read(self, item: Any) -> Anything | None:
        """An object; None for one that is not what the API promises, which is left out and reported."""
        try:
            return self.resource.shape.validate_python(item)
        except ValidationError as exc:
            first = exc.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"]))
            error = DecodeError(f"an object is left out: {place}: {first['msg']}")
            self._health.note({f"{self._path} objects": error}, about=())
            return None


def _object(found: object, path: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise DecodeError(f"{path}: the answer is not Kubernetes' ({str(found)[:80]!r})")
    return cast("dict[str, Any]", found)


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Lines that are not empty, without their ends."""
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.strip():
                yield line
        if len(rest) > _EVENT_LIMIT:
            raise LimitExceededError(
                limit="kubernetes event", allowed=_EVENT_LIMIT, found=None, what="bytes in an event of a watch"
            )
    if rest.strip():
        yield rest
