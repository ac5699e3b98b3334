"""What every kind of service discovery declares: its key in a scrape configuration and its settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vedette.config.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoverySettings(Settings):
    """The settings of one way to find targets.

    Attributes:
        kind: its name, as in `<kind>_sd_configs`.
        supported: whether Vedette can find targets this way.
    """

    kind: ClassVar[str] = ""
    supported: ClassVar[bool] = True
