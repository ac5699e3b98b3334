"""Send a copy of every accepted sample to other stores, by Prometheus' remote-write protocol."""

from vedette.collect.remote_write.spool import SpoolLimits
from vedette.collect.remote_write.writers import PreparedStores, RemoteWriters, open_remote_writers

__all__ = ["PreparedStores", "RemoteWriters", "SpoolLimits", "open_remote_writers"]
