"""Counters of the network protocols: /proc/net/netstat, snmp and snmp6."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from vedette.collect.host.kernel_files import read_bytes
from vedette.collect.host.patterns import name_test
from vedette.collect.host.rows import Family, RowTable
from vedette.collect.host.settings import HostSettings
from vedette.model.errors import DecodeError
from vedette.model.samples import MetricType

_PAIR: Final = 2


class NetstatCollector:
    """Picks the wanted fields; which ones that are is worked out once for each heading."""

    def __init__(self, settings: HostSettings) -> None:
        self._tables = (settings.proc("net", "netstat"), settings.proc("net", "snmp"))
        self._list = settings.proc("net", "snmp6")
        self._wanted = name_test(settings.netstat_fields, "netstat_fields")
        self._families: dict[str, Family] = {}
        self._chosen: dict[bytes, tuple[tuple[int, Family], ...]] = {}

    def collect(self, rows: RowTable) -> None:
        """Add this round's samples."""
        for path in self._tables:
            lines = read_bytes(path).splitlines()
            headings = lines[::2]
            if len(lines) % _PAIR:
                raise DecodeError(f"{path}: a heading without values")
            for heading, line in zip(headings, lines[1::2], strict=True):
                values = line.split()
                for index, family in self._choose(heading):
                    if index < len(values):
                        rows.put(family, float(values[index]))
        for family, value in self._read_list():
            rows.put(family, value)

    def _choose(self, heading: bytes) -> tuple[tuple[int, Family], ...]:
        """Where in a line the wanted fields are."""
        chosen = self._chosen.get(heading)
        if chosen is None:
            protocol, *fields = heading.decode("utf-8", "replace").split()
            found: list[tuple[int, Family]] = []
            for index, field in enumerate(fields, 1):
                family = self._family(protocol.rstrip(":"), field)
                if family is not None:
                    found.append((index, family))
            chosen = self._chosen[heading] = tuple(found)
        return chosen

    def _read_list(self) -> Iterator[tuple[Family, float]]:
        try:
            lines = read_bytes(self._list).splitlines()
        except FileNotFoundError:
            return  # IPv6 is off
        for line in lines:
            fields = line.split()
            if len(fields) != _PAIR:
                continue
            # `Icmp6InMsgs` is the field InMsgs of Icmp6: the first 6 ends the protocol.
            protocol, six, field = fields[0].decode("utf-8", "replace").partition("6")
            family = self._family(protocol + six, field)
            if family is not None:
                yield family, float(fields[1])

    def _family(self, protocol: str, field: str) -> Family | None:
        key = f"{protocol}_{field}"
        if not self._wanted(key):
            return None
        family = self._families.get(key)
        if family is None:
            family = Family(f"node_netstat_{key}", MetricType.UNKNOWN, f"Statistic {protocol}{field}.")
            self._families[key] = family
        return family
