"""What a person reads after `vedette up`: where to look, and how to get in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TextIO

from vedette.__about__ import __version__


@dataclass(frozen=True, slots=True)
class Announce:
    """Writes to the terminal. Not the log: a one-time link must not end up there."""

    out: TextIO

    def ready(
        self, *, url: str, data_dir: str, took_s: float, first_link: str | None, watching: str, series: int
    ) -> None:
        """Everything is up.

        Args:
            url: where it listens.
            data_dir: where data are kept.
            took_s: how long starting took.
            first_link: path of a one-time login, while nobody has a password.
            watching: what is collected, in a few words.
            series: how many series are known already.
        """
        lines = [
            "",
            f"  Vedette {__version__} is ready ({took_s:.1f} s).",
            "",
            f"  Look       {url}",
        ]
        if first_link is not None:
            lines += [
                f"  Log in     {url}{first_link}",
                "             (once, as admin; then choose a password)",
            ]
        lines += [
            "  Ask        vedette query instant up",
            "  Targets    vedette targets",
            f"  Watching   {watching}",
            f"  Data       {data_dir}  ({series:,} series known)",
            "",
        ]
        print("\n".join(lines), file=self.out, flush=True)
