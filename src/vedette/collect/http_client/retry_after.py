"""How long a server asks to be left alone."""

from __future__ import annotations

import email.utils
from typing import Final

MAX_RETRY_AFTER_S: Final = 3600.0
"""A server may ask for so much patience."""


def parse_retry_after(text: str, now_s: float) -> float:
    """Seconds to wait, from a number of seconds or a date; 0 for what is neither, or past."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:10]), MAX_RETRY_AFTER_S)
    try:
        at_s = email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return 0.0
    return min(max(0.0, at_s - now_s), MAX_RETRY_AFTER_S)
