"""What is known of metric families: their types, units and help texts, as targets and senders describe them.

Bounded: families beyond `max_families` are counted and not kept. Used from the event loop's thread; queries read it
from others, which is safe because entries are replaced whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from vedette.model.samples import Metadata

MAX_VARIANTS: Final = 8
"""Sources may describe a family differently; so many descriptions of one are kept, the latest ones."""


class MetadataStore:
    """Descriptions by family. What is new since `take_changes` was last called waits to be written."""

    def __init__(self, *, max_families: int = 50_000) -> None:
        self._max_families = max_families
        self._families: dict[str, tuple[Metadata, ...]] = {}
        self._changes: dict[str, Metadata] = {}
        self.refused = 0

    def __len__(self) -> int:
        return len(self._families)

    def describe(self, entries: Iterable[Metadata]) -> list[Metadata]:
        """Take descriptions in; the latest one of a family comes first.

        Returns:
            Those that are kept; the same object for equal ones, whoever described them.
        """
        kept: list[Metadata] = []
        for entry in entries:
            known = self._families.get(entry.family, ())
            if not known and len(self._families) >= self._max_families:
                self.refused += 1
                continue
            same = next((earlier for earlier in known if earlier == entry), None)
            kept.append(same or entry)
            if same is None:
                self._families[entry.family] = (entry, *known)[:MAX_VARIANTS]
                self._changes[entry.family] = entry
        return kept

    def families(self, family: str | None = None) -> Iterator[tuple[str, Sequence[Metadata]]]:
        """All families, or one, with their descriptions."""
        if family is None:
            yield from list(self._families.items())
        elif family in self._families:
            yield family, self._families[family]

    def take_changes(self) -> list[Metadata]:
        """Descriptions not yet written to disk."""
        changes = list(self._changes.values())
        self._changes.clear()
        return changes

    def put_back(self, changes: Iterable[Metadata]) -> None:
        """These could not be written: they wait again, but for families that were described anew meanwhile."""
        self._changes = {**{entry.family: entry for entry in changes}, **self._changes}

    def load(self, entries: Iterable[Metadata]) -> None:
        """Take in what is on disk already."""
        self.describe(entries)
        self._changes.clear()
