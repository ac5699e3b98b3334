"""Files that are rotated under a running process: read again when they changed, and only then."""

from __future__ import annotations

from pathlib import Path

from vedette.collect.http_client.errors import FetchError
from vedette.config.secrets import Secret

Stamp = tuple[int, int, int]
"""Time of change, size and inode. The inode, because Kubernetes swaps links to whole directories."""


def stamp(path: str) -> Stamp:
    """What differs when a file was written or replaced.

    Raises:
        OSError: there is no such file, or it may not be looked at.
    """
    # A stat of a local file takes a microsecond or two: cheap enough for the event loop and each request.
    found = Path(path).stat()
    return found.st_mtime_ns, found.st_size, found.st_ino


class WatchedSecret:
    """A secret from the configuration, or from a file that is watched."""

    def __init__(self, secret: Secret, file: str, *, option: str) -> None:
        """`option` is what errors call the file."""
        self._secret = secret
        self._file = file
        self._option = option
        self._stamp: Stamp | None = None
        self._text = ""

    @property
    def is_file(self) -> bool:
        """Whether the text can change."""
        return bool(self._file)

    def text(self) -> str:
        """The secret as it is now, without white space at its ends.

        Raises:
            FetchError: the file cannot be read.
        """
        if not self._file:
            return self._secret.value
        try:
            current = stamp(self._file)
            if current != self._stamp:
                self._text = Path(self._file).read_text(encoding="utf-8").strip()
                self._stamp = current
        except (OSError, UnicodeDecodeError) as exc:
            reason = exc.strerror if isinstance(exc, OSError) else "it is not UTF-8"
            raise FetchError(f"{self._option} {self._file} cannot be read: {reason}") from exc
        return self._text
