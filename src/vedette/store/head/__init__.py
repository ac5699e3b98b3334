"""Recent samples and all series in memory: a cache, never the only copy of anything acknowledged."""

from vedette.store.head.index import NO_SLOT, SeriesCollisionError, SeriesIndex
from vedette.store.head.memory import SampleMemory, Verdict

__all__ = ["NO_SLOT", "SampleMemory", "SeriesCollisionError", "SeriesIndex", "Verdict"]
