"""What a caller of the state database has to act upon, besides the disk itself failing."""

from __future__ import annotations

from vedette.model.errors import VedetteError


class RecordNotFoundError(VedetteError):
    """Nothing of that kind has this name or id."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"there is no {kind} {name!r}")
        self.kind = kind
        self.name = name


class ConflictError(VedetteError):
    """The change does not fit what is stored: a name is taken, or a rule of the accounts would break."""
