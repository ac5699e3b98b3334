"""Secrets of an integration: read when they are needed, and taken out of everything that is kept or shown."""

from __future__ import annotations

import dataclasses
import json
import re
import threading
from collections.abc import Iterator
from typing import Any, Final, cast
from urllib.parse import quote, quote_plus, urlsplit

from vedette.alerting.delivery.faults import DeliveryError
from vedette.alerting.receivers import Integration
from vedette.collect.http_client import FetchError, WatchedSecret
from vedette.config.secrets import REDACTED, Secret, mask_url

_SHORTEST: Final = 4
"""Shorter secrets would hide half of every text."""

_FORMS_KEPT: Final = 512


class Redactor:
    """Takes known secrets out of texts, in the forms in which they travel."""

    def __init__(self, settings: Integration | None = None) -> None:
        self._forms: dict[str, None] = {}
        self._pattern: re.Pattern[str] | None = None
        self._lock = threading.Lock()
        for secret in _secrets_of(settings):
            self.learn(secret)

    def learn(self, secret: str) -> None:
        """Know a secret from now on. Messages are composed in several threads, and each may find a new one."""
        forms = [form for form in _forms(secret) if len(form) >= _SHORTEST]
        with self._lock:
            if all(form in self._forms for form in forms):
                return
            for form in forms:
                self._forms[form] = None
            while len(self._forms) > _FORMS_KEPT:  # files that are rotated for years
                del self._forms[next(iter(self._forms))]
            longest_first = sorted(self._forms, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def clean(self, text: str) -> str:
        """A text without secrets."""
        if self._pattern is not None:
            text = self._pattern.sub(REDACTED, text)
        return mask_url(text)


class Secrets:
    """The secrets of an integration, from its options or from the files that these name."""

    def __init__(self, settings: Integration, redactor: Redactor) -> None:
        self._settings = settings
        self._redactor = redactor
        self._watched: dict[str, WatchedSecret] = {}

    def read(self, option: str) -> str:
        """A secret as it is now; from `<option>_file` where that is set. It blocks for a moment.

        Raises:
            DeliveryError: the file cannot be read; it may be there again soon.
        """
        watched = self._watched.get(option)
        if watched is None:
            file: str = getattr(self._settings, f"{option}_file", "")
            watched = WatchedSecret(getattr(self._settings, option), file, option=f"{option}_file")
            self._watched[option] = watched
        try:
            text = watched.text()
        except FetchError as exc:
            raise DeliveryError(str(exc)) from exc
        self._redactor.learn(text)
        return text


def _forms(secret: str) -> Iterator[str]:
    """A secret as it is, and as it stands in URLs and in JSON; of a URL also its path and query."""
    if not secret or "{{" in secret:
        return
    yield secret
    yield quote(secret, safe="")
    yield quote_plus(secret)
    yield json.dumps(secret)[1:-1]
    if "://" in secret:
        parts = urlsplit(secret)
        path = parts.path.rstrip("/")
        if len(path) > 1:
            yield path + (f"?{parts.query}" if parts.query else "")
            yield path
        if parts.query:
            yield parts.query
        if parts.password:
            yield parts.password


def _secrets_of(found: object) -> Iterator[str]:
    """All secrets in some settings."""
    if isinstance(found, Secret):
        yield found.value
    elif dataclasses.is_dataclass(found):
        for field in dataclasses.fields(found):
            yield from _secrets_of(getattr(found, field.name))
    elif isinstance(found, tuple):
        for item in cast("tuple[Any, ...]", found):
            yield from _secrets_of(item)
