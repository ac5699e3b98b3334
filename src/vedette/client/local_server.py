"""Which server to ask: the one that was named, or the one that runs on this machine.

A running server leaves three files in its data directory: `run.lock`, locked as long as it lives, `run.json`,
where it listens, and `local-token`, which only its user can read. So commands and notebooks of that user work
without any set-up. The files are written by `vedette.http.run_files`.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import ssl
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from vedette.client.errors import ClientError, UnreachableError

URL_VARIABLE: Final = "VEDETTE_URL"
TOKEN_VARIABLE: Final = "VEDETTE_TOKEN"  # noqa: S105 - a variable's name
DATA_VARIABLE: Final = "VEDETTE_DATA_DIR"

_LOCK: Final = "run.lock"
_RUN: Final = "run.json"
_TOKEN: Final = "local-token"  # noqa: S105 - a file's name
_MAX_BYTES: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Server:
    """A server, and how to be let in.

    Attributes:
        url: without a slash at its end.
        token: empty for none.
        certificate: path of the only certificate to trust; empty for those that the system trusts.
        local: whether it was found on this machine.
    """

    url: str
    token: str = field(default="", repr=False)
    certificate: str = ""
    local: bool = False

    def tls(self) -> ssl.SSLContext | None:
        """Trust exactly the server's certificate, whatever name it is for; None for the usual rules."""
        if not self.certificate:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        try:
            context.load_verify_locations(self.certificate)
        except (OSError, ssl.SSLError) as exc:
            raise UnreachableError(f"cannot read the server's certificate {self.certificate}: {exc}") from exc
        return context


def default_data_dir() -> Path:
    """Where data are kept unless somebody says otherwise: `VEDETTE_DATA_DIR`, or below the user's data home."""
    named = os.environ.get(DATA_VARIABLE, "")
    if named:
        return Path(named).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "vedette"
    home = os.environ.get("XDG_DATA_HOME", "")
    # The specification says that a relative path is to be ignored.
    return (Path(home) if home.startswith("/") else Path.home() / ".local" / "share") / "vedette"


def find_server(*, url: str | None = None, token: str | None = None, data_dir: Path | None = None) -> Server:
    """The server at `url` or `VEDETTE_URL`, or else the one that runs on the data directory.

    Args:
        url: of a server; takes precedence.
        token: an API token; `VEDETTE_TOKEN` counts where it is None.
        data_dir: of a server on this machine; naming it takes precedence over `VEDETTE_URL`.

    Raises:
        ClientError: the URL is none.
        UnreachableError: no server runs on the data directory, or it is another user's.
    """
    token = os.environ.get(TOKEN_VARIABLE, "") if token is None else token
    if token and not (token.isascii() and token.isprintable()):
        raise ClientError("the token holds characters that no token has", remedy="Copy it again, without quotes.")
    if url is None and data_dir is None:
        url = os.environ.get(URL_VARIABLE, "") or None
    if url is not None:
        return Server(_checked(url), token)
    found = find_local_server(data_dir or default_data_dir())
    return Server(found.url, token or found.token, found.certificate, local=True)


def find_local_server(data_dir: Path) -> Server:
    """The server that runs on this data directory.

    Raises:
        UnreachableError: there is none, it is still starting, or it is another user's.
    """
    if not is_running(data_dir):
        raise UnreachableError(
            f"no server is running on the data directory {data_dir}",
            remedy="Start one with `vedette up`, or name a running one with --url or VEDETTE_URL.",
        )
    said = _read_run_file(data_dir / _RUN)
    url, certificate = said.get("url"), said.get("certificate", "")
    if not isinstance(url, str) or not isinstance(certificate, str):
        raise UnreachableError(
            f"the server on the data directory {data_dir} is still starting", remedy="Try again in a moment."
        )
    try:
        token = (data_dir / _TOKEN).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise UnreachableError(
            f"cannot read the local token in {data_dir}: {_reason(exc)}",
            remedy="Be the user that runs the server, or name it with --url and give a token with --token-file.",
        ) from exc
    return Server(_checked(url), token, certificate, local=True)


def is_running(data_dir: Path) -> bool:
    """Whether a server holds the data directory.

    Raises:
        UnreachableError: the directory cannot be looked into.
    """
    try:
        lock = os.open(data_dir / _LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as exc:
        raise UnreachableError(
            f"cannot look into the data directory {data_dir}: {_reason(exc)}",
            remedy="Be the user that runs the server, or name it with --url and give a token with --token-file.",
        ) from exc
    try:
        # Shared, so that two commands at the same time do not take each other for the server.
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False


def _read_run_file(path: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError), path.open("rb") as file:
        said = json.loads(file.read(_MAX_BYTES))
        if isinstance(said, dict):
            return said  # pyright: ignore[reportUnknownVariableType] - each value is looked at before it is used
    return {}


def _checked(url: str) -> str:
    scheme, found, rest = url.partition("://")
    if not found or scheme not in ("http", "https") or not rest.strip("/"):
        raise ClientError(f"{url!r} is not the URL of a server", remedy="Give it as in http://monitoring:7300.")
    return url.rstrip("/")


def _reason(exc: Exception) -> str:
    return (exc.strerror if isinstance(exc, OSError) else None) or str(exc)
