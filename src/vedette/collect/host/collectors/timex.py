"""How well the clock is kept: the kernel's `adjtimex`, asked without changing anything."""

from __future__ import annotations

import ctypes
import errno
import os
from typing import Any, ClassVar, Final

from vedette.collect.host.kernel_files import NoDataError
from vedette.collect.host.rows import Family, RowTable
from vedette.collect.host.settings import HostSettings
from vedette.model.samples import MetricType

_TIME_ERROR: Final = 5
_STA_NANO: Final = 0x2000
_PPM_16: Final = 1_000_000 * 65_536.0
"""Frequencies are parts per million with 16 binary digits after the point."""


class _Timex(ctypes.Structure):
    """`struct timex` of adjtimex(2)."""

    _fields_: ClassVar[Any] = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("time_s", ctypes.c_long),
        ("time_us", ctypes.c_long),
        ("tick", ctypes.c_long),
        ("ppsfreq", ctypes.c_long),
        ("jitter", ctypes.c_long),
        ("shift", ctypes.c_int),
        ("stabil", ctypes.c_long),
        ("jitcnt", ctypes.c_long),
        ("calcnt", ctypes.c_long),
        ("errcnt", ctypes.c_long),
        ("stbcnt", ctypes.c_long),
        ("tai", ctypes.c_int),
        ("reserved", ctypes.c_int * 11),
    ]


SYNC_STATUS: Final = Family(
    "node_timex_sync_status",
    MetricType.GAUGE,
    "Is clock synchronized to a reliable server (1 = yes, 0 = no).",
)
OFFSET: Final = Family(
    "node_timex_offset_seconds", MetricType.GAUGE, "Time offset in between local system and reference clock."
)
FREQUENCY: Final = Family(
    "node_timex_frequency_adjustment_ratio", MetricType.GAUGE, "Local clock frequency adjustment."
)
JITTER: Final = Family("node_timex_pps_jitter_seconds", MetricType.GAUGE, "Pulse per second jitter.")
SCALED: Final = tuple(
    (field, Family(f"node_timex_{name}", kind, text), divisor)
    for field, name, kind, divisor, text in (
        ("maxerror", "maxerror_seconds", MetricType.GAUGE, 1e6, "Maximum error in seconds."),
        ("esterror", "estimated_error_seconds", MetricType.GAUGE, 1e6, "Estimated error in seconds."),
        ("status", "status", MetricType.GAUGE, 1, "Value of the status array bits."),
        ("constant", "loop_time_constant", MetricType.GAUGE, 1, "Phase-locked loop time constant."),
        ("tick", "tick_seconds", MetricType.GAUGE, 1e6, "Seconds between clock ticks."),
        ("ppsfreq", "pps_frequency_hertz", MetricType.GAUGE, _PPM_16, "Pulse per second frequency."),
        ("shift", "pps_shift_seconds", MetricType.GAUGE, 1, "Pulse per second interval duration."),
        (
            "stabil",
            "pps_stability_hertz",
            MetricType.GAUGE,
            _PPM_16,
            "Pulse per second stability, average of recent frequency changes.",
        ),
        (
            "jitcnt",
            "pps_jitter_total",
            MetricType.COUNTER,
            1,
            "Pulse per second count of jitter limit exceeded events.",
        ),
        (
            "calcnt",
            "pps_calibration_total",
            MetricType.COUNTER,
            1,
            "Pulse per second count of calibration intervals.",
        ),
        ("errcnt", "pps_error_total", MetricType.COUNTER, 1, "Pulse per second count of calibration errors."),
        (
            "stbcnt",
            "pps_stability_exceeded_total",
            MetricType.COUNTER,
            1,
            "Pulse per second count of stability limit exceeded events.",
        ),
        ("tai", "tai_offset_seconds", MetricType.GAUGE, 1, "International Atomic Time (TAI) offset."),
    )
)


class TimexCollector:
    """Asks the kernel how far the clock is off and whether somebody keeps it right."""

    def __init__(self, _settings: HostSettings) -> None:
        self._libc: Any = ctypes.CDLL(None, use_errno=True)

    def collect(self, rows: RowTable) -> None:
        """Add this round's samples."""
        timex: Any = _Timex()
        state = int(self._libc.adjtimex(ctypes.byref(timex)))
        if state < 0:
            number = ctypes.get_errno()
            if number in (errno.EPERM, errno.ENOSYS):  # some container runtimes forbid it
                raise NoDataError("adjtimex is not allowed")
            raise OSError(number, os.strerror(number))
        unit = 1e9 if timex.status & _STA_NANO else 1e6
        rows.put(SYNC_STATUS, state != _TIME_ERROR)
        rows.put(OFFSET, timex.offset / unit)
        rows.put(FREQUENCY, 1 + timex.freq / _PPM_16)
        rows.put(JITTER, timex.jitter / unit)
        for field, family, divisor in SCALED:
            rows.put(family, getattr(timex, field) / divisor)
