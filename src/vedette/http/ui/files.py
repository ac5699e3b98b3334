"""The web interface's files, as they were built, each with its compressed forms.

They are few and small (some 2 MB) and are held in memory: what is asked for is looked up by its name, so that no
request ever becomes a path of the file system. Made by `ui/vite/precompress.ts`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

BUILT: Final = Path(__file__).with_name("built")
"""Where the build puts them; absent where the web interface was left out."""

INDEX: Final = "index.html"
_HASHED_FOLDER: Final = "assets/"
_MEDIA_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".json": "application/json",
    ".map": "application/json",
}
_CODINGS: Final = {"br": ".br", "gzip": ".gz"}
"""In the order in which they are preferred."""


@dataclass(frozen=True, slots=True)
class WebFile:
    """One file.

    Attributes:
        media_type: of the plain form.
        etag: of the plain form, without quotes.
        forms: its bytes by content coding; `identity` for the plain ones, which are always there.
        immutable: its name holds a hash of its content, so that it may be cached for ever.
    """

    media_type: str
    etag: str
    forms: Mapping[str, bytes]
    immutable: bool


def load_files(folder: Path) -> dict[str, WebFile]:
    """Read what was built.

    Args:
        folder: of the build.

    Returns:
        The files by their names within the folder; nothing where it has no start page.
    """
    if not (folder / INDEX).is_file():
        return {}
    found: dict[str, WebFile] = {}
    for path in sorted(folder.rglob("*")):
        media_type = _MEDIA_TYPES.get(path.suffix)
        if media_type is None or not path.is_file():
            continue
        name = path.relative_to(folder).as_posix()
        plain = path.read_bytes()
        forms = {"identity": plain}
        for coding, suffix in _CODINGS.items():
            packed = path.with_name(path.name + suffix)
            if packed.is_file():
                forms[coding] = packed.read_bytes()
        found[name] = WebFile(
            media_type, hashlib.sha256(plain).hexdigest()[:16], forms, immutable=name.startswith(_HASHED_FOLDER)
        )
    return found
