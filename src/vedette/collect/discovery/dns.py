"""Targets behind DNS names: one group for each name.

A name that does not exist has no targets. A name server that fails, or does not answer, says nothing
about the name: then its last targets stay.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import dns.asyncresolver
import dns.exception
import dns.rdata
import dns.rdtypes.ANY.MX
import dns.rdtypes.ANY.NS
import dns.rdtypes.IN.A
import dns.rdtypes.IN.AAAA
import dns.rdtypes.IN.SRV
import dns.resolver

from vedette.collect.discovery.groups import ADDRESS, META, Publish, TargetGroup, host_port
from vedette.collect.discovery.health import Health
from vedette.collect.discovery.refresh import Findings, Pause, refresh_forever
from vedette.config.discovery import DnsDiscovery
from vedette.model.errors import UnavailableError

NAME: Final = META + "dns_name"
SRV_TARGET: Final = META + "dns_srv_record_target"
SRV_PORT: Final = META + "dns_srv_record_port"
MX_TARGET: Final = META + "dns_mx_record_target"
NS_TARGET: Final = META + "dns_ns_record_target"

_LIFETIME_S: Final = 10.0
_EDNS_BYTES: Final = 1232
"""The size that gets through everywhere (https://www.dnsflagday.net/2020/); longer answers come by TCP."""
_AT_ONCE: Final = 16


def system_resolver() -> dns.asyncresolver.Resolver:
    """A resolver as /etc/resolv.conf says now.

    Raises:
        UnavailableError: it says nothing useful.
    """
    try:
        resolver = dns.asyncresolver.Resolver()
    except (dns.resolver.NoResolverConfiguration, OSError) as exc:
        raise UnavailableError(f"there is no usable /etc/resolv.conf: {exc}") from exc
    resolver.lifetime = _LIFETIME_S
    return resolver


class DnsDiscoverer:
    """Asks for all names at each interval."""

    def __init__(
        self,
        settings: DnsDiscovery,
        health: Health,
        *,
        resolver: Callable[[], dns.asyncresolver.Resolver] = system_resolver,
        pause: Pause = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._health = health
        self._resolver = resolver
        self._pause = pause

    async def run(self, publish: Publish) -> None:
        """Publish the names' groups, until cancelled."""
        await refresh_forever(
            self._find,
            publish,
            interval_s=self._settings.refresh_interval.s,
            health=self._health,
            what="the name server",
            pause=self._pause,
        )

    async def _find(self) -> Findings:
        # Read anew each time: the file changes with the network, e.g. when a laptop moves.
        resolver = await asyncio.to_thread(self._resolver)
        resolver.use_edns(0, payload=_EDNS_BYTES)
        found: dict[str, TargetGroup | None] = {}
        problems: dict[str, Exception] = {}
        slots = asyncio.Semaphore(_AT_ONCE)

        async def ask(name: str) -> None:
            async with slots:
                try:
                    found[name] = await self._find_one(resolver, name)
                except (dns.exception.DNSException, OSError) as exc:
                    found[name] = None
                    problems[name] = exc

        async with asyncio.TaskGroup() as tasks:
            for name in self._settings.names:
                tasks.create_task(ask(name))
        return Findings(found, problems)

    async def _find_one(self, resolver: dns.asyncresolver.Resolver, name: str) -> TargetGroup:
        try:
            answer = await resolver.resolve(name, self._settings.type.value, search=True, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN:
            return TargetGroup(name)
        records: list[dns.rdata.Rdata] = list(answer.rrset or ())
        targets = [self._target(name, record) for record in records]
        return TargetGroup(name, {}, tuple(target for target in targets if target is not None))

    def _target(self, name: str, record: dns.rdata.Rdata) -> dict[str, str] | None:
        labels: dict[str, str] = {NAME: name, SRV_TARGET: "", SRV_PORT: "", MX_TARGET: "", NS_TARGET: ""}
        port = self._settings.port
        match record:
            case dns.rdtypes.IN.SRV.SRV():
                labels[SRV_TARGET] = host = str(record.target)
                labels[SRV_PORT] = str(record.port)
                port = record.port
            case dns.rdtypes.ANY.MX.MX():
                labels[MX_TARGET] = host = str(record.exchange)
            case dns.rdtypes.ANY.NS.NS():
                labels[NS_TARGET] = host = str(record.target)
            case dns.rdtypes.IN.A.A() | dns.rdtypes.IN.AAAA.AAAA():
                host = str(record.address)
            case _:
                return None
        labels[ADDRESS] = host_port(host.rstrip("."), port)
        return labels
