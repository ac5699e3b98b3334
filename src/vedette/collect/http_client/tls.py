"""TLS contexts from `tls_config`, built again when one of its files changes.

Key material given in the configuration itself reaches OpenSSL through a file that only this process can
see and that is never on a disk.
"""

from __future__ import annotations

import contextlib
import functools
import os
import ssl
from collections.abc import Generator
from typing import Final

from vedette.collect.http_client.errors import FetchError
from vedette.collect.http_client.watched_file import Stamp, stamp
from vedette.config.http_client import TlsConfig, TlsVersion

_VERSIONS: Final = {
    TlsVersion.TLS10: ssl.TLSVersion.TLSv1,
    TlsVersion.TLS11: ssl.TLSVersion.TLSv1_1,
    TlsVersion.TLS12: ssl.TLSVersion.TLSv1_2,
    TlsVersion.TLS13: ssl.TLSVersion.TLSv1_3,
}


class TlsContext:
    """The context for one `tls_config`."""

    def __init__(self, config: TlsConfig) -> None:
        self._config = config
        self._files = tuple(file for file in (config.ca_file, config.cert_file, config.key_file) if file)
        self._stamps: tuple[Stamp, ...] = ()
        self._context: ssl.SSLContext | None = None

    @property
    def server_name(self) -> str | None:
        """The name expected in the server's certificate, where it is not the URL's host."""
        return self._config.server_name or None

    def current(self) -> ssl.SSLContext | None:
        """The context, if it is there and its files are as they were."""
        try:
            unchanged = self._stamps == tuple(stamp(file) for file in self._files)
        except OSError:
            unchanged = False
        return self._context if unchanged else None

    def build(self) -> ssl.SSLContext:
        """The context, from the files as they are now. Blocks for some milliseconds.

        Raises:
            FetchError: a certificate or a key cannot be read or does not fit.
        """
        try:
            stamps = tuple(stamp(file) for file in self._files)
            context = _default_context() if self._config == TlsConfig() else _build(self._config)
        except (OSError, ValueError) as exc:  # ssl.SSLError is an OSError
            reason = getattr(exc, "reason", None) or getattr(exc, "strerror", None) or str(exc)
            names = ", ".join(self._files) or "the inline certificate or key"
            raise FetchError(f"tls_config: {names} cannot be used: {reason}") from exc
        self._stamps = stamps
        self._context = context
        return context


@functools.cache
def _default_context() -> ssl.SSLContext:
    """One context for all that ask for nothing special: loading the system's authorities takes 20 ms."""
    return _build(TlsConfig())


def _build(config: TlsConfig) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["http/1.1"])
    context.minimum_version = _VERSIONS[config.min_version or TlsVersion.TLS12]
    if config.max_version is not None:
        context.maximum_version = _VERSIONS[config.max_version]
    if config.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif config.ca:
        context.load_verify_locations(cadata=config.ca)
    elif config.ca_file:
        context.load_verify_locations(cafile=config.ca_file)
    else:
        context.load_default_certs()
    if config.cert or config.cert_file:
        with _path(config.cert, config.cert_file) as cert, _path(config.key.value, config.key_file) as key:
            # Without a password OpenSSL would ask for one on the terminal, and wait.
            context.load_cert_chain(cert, key, password=lambda: b"")
    return context


@contextlib.contextmanager
def _path(text: str, file: str) -> Generator[str]:
    """A path at which OpenSSL finds `text`, or `file`."""
    if not text:
        yield file
        return
    handle = os.memfd_create("vedette-tls", os.MFD_CLOEXEC)
    try:
        os.write(handle, text.encode())
        yield f"/proc/self/fd/{handle}"
    finally:
        os.close(handle)
