"""Secrets: values that leave the process only to the peer they are meant for.

A `Secret` does not show itself, whether printed, logged or rendered. `mask_line` does the same for lines
of a configuration file that an error quotes, and `mask_url` for passwords in URLs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

REDACTED: Final = "<secret>"
"""What is shown instead, as in Prometheus."""

_TELLTALE: Final = r"(?:password|passwd|secret|token|credential|passphrase|private_key|api[-_]?key|authorization)"
_SECRET_NAME = re.compile(
    rf"""(?xi)
    (?: [\w.-]* {_TELLTALE} [\w.-]* | (?:[\w.-]+[-_])? key | sas | cookie )
    """,
)
_NOT_SECRET = re.compile(r"(?i)[\w.-]*(?:_file|_path|_url|_ref|_id|credentials_file_path)|token_type|access_key")
_KEY_IN_LINE = re.compile(r"""(["']?)([\w.-]+)\1\s*:(?=\s|$)""")
_URL_PASSWORD = re.compile(r"(?<=://)([^/@\s:]*):[^/@\s]+(?=@)")


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A value that is not shown.

    Attributes:
        value: the secret itself. Read it only to hand it to the peer.
    """

    value: str = ""

    def __bool__(self) -> bool:
        return bool(self.value)

    def __repr__(self) -> str:
        return REDACTED if self.value else "''"

    __str__ = __repr__


def read_secret(secret: Secret, file: str) -> str:
    """The secret, or what its `*_file` holds without surrounding white space; "" where neither is set.

    Raises:
        OSError: the file cannot be read.
    """
    if file:
        return Path(file).read_text(encoding="utf-8").strip()
    return secret.value


def is_secret_name(name: str) -> bool:
    """Whether an option, header or parameter of this name usually holds a secret."""
    return _SECRET_NAME.fullmatch(name) is not None and _NOT_SECRET.fullmatch(name) is None


def mask_url(url: str) -> str:
    """A URL without its password."""
    return _URL_PASSWORD.sub(r"\1:xxxxx", url)


def mask_line(line: str) -> str:
    """A line of a configuration file without secrets, for quoting."""
    for found in _KEY_IN_LINE.finditer(line):
        if is_secret_name(found[2]) and line[found.end() :].strip():
            return f"{line[: found.end()]} {REDACTED}"
    return mask_url(line)
