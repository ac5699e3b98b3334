"""Durations as PromQL writes them: those of the configuration."""

from vedette.model.durations import MAX_DURATION_MS, format_duration, parse_duration

__all__ = ["MAX_DURATION_MS", "format_duration", "parse_duration"]
