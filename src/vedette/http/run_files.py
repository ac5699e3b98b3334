"""Files in the data directory by which commands on the same machine find the running server.

`run.lock` is locked as long as the server lives; the kernel lets go of it however the server ends, so a
left-over `run.json` is never mistaken for a running server, and two servers never share a directory.
`run.json` says where it listens. `local-token` (0600) opens it with all rights, and is a new one at every
start: who can read the user's files may do what the user may.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from vedette.http.auth.secrets import LOCAL_ID, hash_secret, new_token
from vedette.model.errors import UnavailableError

_LOCK = "run.lock"
_RUN = "run.json"
_TOKEN = "local-token"  # noqa: S105 - a file's name


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What `run.json` says.

    Attributes:
        url: how to reach the server from this machine.
        certificate: path of the server's own certificate where it speaks https; empty otherwise.
    """

    pid: int
    url: str
    started_ms: int
    version: str
    certificate: str = ""


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A server that runs on this machine, and the token for it."""

    info: RunInfo
    token: str

    def __repr__(self) -> str:
        return f"LocalServer({self.info!r})"

    def tls(self) -> ssl.SSLContext | None:
        """Trust exactly the server's certificate, whatever name it is for; None for plain http."""
        if not self.info.certificate:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.load_verify_locations(self.info.certificate)
        return context


class DataDirectory:
    """The data directory while this process holds it. Made by `hold_data_directory`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        token = new_token(LOCAL_ID)
        self.local_token_hash = hash_secret(token.secret)
        _write_private(path / _TOKEN, token.full + "\n")

    def announce(self, info: RunInfo) -> None:
        """Let commands find the server, from now on.

        Raises:
            UnavailableError: the file cannot be written.
        """
        _write_private(self._path / _RUN, json.dumps(asdict(info), indent=2) + "\n")


@contextmanager
def hold_data_directory(path: Path) -> Generator[DataDirectory]:
    """Take the data directory for this process, with a fresh local token; give it back at the end.

    Raises:
        UnavailableError: another server holds it, or it cannot be written.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        raise UnavailableError(f"cannot use the data directory {path}: {exc.strerror or exc}") from exc
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            info = _read_info(path)
            where = f" (pid {info.pid}, {info.url})" if info else ""
            raise UnavailableError(f"a server is running on the data directory {path} already{where}") from exc
        try:
            # What a killed server has left is not ours.
            _remove(path / _RUN)
            yield DataDirectory(path)
        finally:
            _remove(path / _RUN)
            _remove(path / _TOKEN)
    finally:
        os.close(lock)


def find_local_server(path: Path) -> LocalServer:
    """The server that runs on this data directory.

    Raises:
        UnavailableError: there is none, it is still starting, or its token is not for this user.
    """
    if not _is_locked(path):
        raise UnavailableError(f"no server is running on the data directory {path}; start one with `vedette up`")
    info = _read_info(path)
    if info is None:
        raise UnavailableError(f"the server on the data directory {path} is still starting; try again in a moment")
    try:
        token = (path / _TOKEN).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise UnavailableError(
            f"cannot read the local token in {path}: {exc}; use an API token, or the user that runs the server"
        ) from exc
    return LocalServer(info, token)


def _is_locked(path: Path) -> bool:
    try:
        lock = os.open(path / _LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError as exc:
        raise UnavailableError(f"cannot look into the data directory {path}: {exc.strerror or exc}") from exc
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False


def _read_info(path: Path) -> RunInfo | None:
    try:
        found = json.loads((path / _RUN).read_bytes())
        return RunInfo(
            pid=int(found["pid"]),
            url=str(found["url"]),
            started_ms=int(found["started_ms"]),
            version=str(found["version"]),
            certificate=str(found.get("certificate", "")),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_private(path: Path, text: str) -> None:
    """Put a file there that only its user can read, all of it or none."""
    new = path.with_name(f".{path.name}.new")
    try:
        _remove(new)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        new.replace(path)
    except OSError as exc:
        raise UnavailableError(f"cannot write {path}: {exc.strerror or exc}") from exc


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
