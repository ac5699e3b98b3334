"""The process's log: events and their facts, on standard error."""

from __future__ import annotations

import logging
from typing import TextIO

import structlog

from vedette.config import LogFormat, Logging, LogLevel


def configure_log(settings: Logging, stream: TextIO) -> None:
    """Events on standard error: for people on a terminal, JSON lines elsewhere, unless the configuration decides."""
    levels = {
        LogLevel.DEBUG: logging.DEBUG,
        LogLevel.INFO: logging.INFO,
        LogLevel.WARNING: logging.WARNING,
        LogLevel.ERROR: logging.ERROR,
    }
    for_people = settings.format is LogFormat.CONSOLE or (settings.format is LogFormat.AUTO and stream.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if for_people else "iso", utc=not for_people),
    ]
    if for_people:
        last: list[structlog.typing.Processor] = [
            structlog.dev.ConsoleRenderer(
                colors=stream.isatty(), pad_event_to=28, exception_formatter=structlog.dev.plain_traceback
            )
        ]
    else:
        # Without local variables: they hold whatever was at hand, secrets too.
        traces = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        last = [structlog.processors.ExceptionRenderer(traces), structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(levels[settings.level]),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
