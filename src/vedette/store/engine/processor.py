"""Whether this machine's processor can run the embedded engine.

Its library is compiled for x86-64-v3 with PCLMULQDQ, and on ARM for ARMv8.2 with atomics and dot products
(cmake/cpu_features.cmake of chdb-core 26). On anything older it dies of an illegal instruction while it is
being imported, so this is asked before.
"""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Final

from vedette.model.errors import UnavailableError

_X86: Final = ("sse4_2", "popcnt", "pclmulqdq", "avx", "avx2", "bmi1", "bmi2", "fma", "f16c", "abm", "movbe")
_ARM: Final = ("asimd", "aes", "atomics", "asimddp")

_NEEDED: Final = {"x86_64": ("flags", _X86), "aarch64": ("Features", _ARM)}


def check_processor(cpuinfo: str | None = None, machine: str | None = None) -> None:
    """Refuse a processor that the engine would crash on; one that cannot be asked is let through.

    Args:
        cpuinfo: text of /proc/cpuinfo; read from there if None.
        machine: as `uname -m` says; asked if None.

    Raises:
        UnavailableError: which instructions are missing, and what to do.
    """
    needed = _NEEDED.get(machine or platform.machine())
    if needed is None:
        return
    key, features = needed
    present = _features(_read_cpuinfo() if cpuinfo is None else cpuinfo, key)
    missing = [feature for feature in features if feature not in present]
    if present and missing:
        raise UnavailableError(
            f"the embedded engine needs a processor with {', '.join(features)}; this one lacks "
            f"{', '.join(missing)}. Run on a newer machine, let the virtual machine pass the host's processor "
            "through (CPU type `host`), or use a ClickHouse server (`storage.url`)."
        )


def _read_cpuinfo() -> str:
    try:
        return Path("/proc/cpuinfo").read_text("utf-8", "replace")
    except OSError:
        return ""


def _features(cpuinfo: str, key: str) -> frozenset[str]:
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return frozenset(value.split())
    return frozenset()
