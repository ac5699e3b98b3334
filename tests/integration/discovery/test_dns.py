from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from vedette.collect.discovery import Health
from vedette.collect.discovery.dns import DnsDiscoverer
from vedette.config.discovery import DnsDiscovery, RecordType


class NameServer(asyncio.DatagramProtocol):
    """Answers by UDP and TCP from its records.

    Attributes:
        records: by name and type, in the words of zone files.
        failing: names for which it has only SERVFAIL.
        truncates: answers by UDP that are to be fetched by TCP.
    """

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[str]] = {}
        self.failing: set[str] = set()
        self.truncates = False
        self.asked_by_tcp = 0
        self.transport: Any = None

    def answer(self, wire: bytes, *, by_tcp: bool) -> bytes:
        query = dns.message.from_wire(wire)
        response = dns.message.make_response(query)
        question = query.question[0]
        name, kind = str(question.name), dns.rdatatype.to_text(question.rdtype)
        if name in self.failing:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif not any(known == name for known, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif self.truncates and not by_tcp:
            response.flags |= dns.flags.TC
        else:
            alias = self.records.get((name, "CNAME"))
            if alias:
                response.answer.append(dns.rrset.from_text(name, 60, "IN", "CNAME", alias[0]))
                name = alias[0]
            if (name, kind) in self.records:
                response.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *self.records[name, kind]))
        return response.to_wire(max_size=65_535)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.transport.sendto(self.answer(data, by_tcp=False), addr)

    async def serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked_by_tcp += 1
        length = int.from_bytes(await reader.readexactly(2), "big")
        response = self.answer(await reader.readexactly(length), by_tcp=True)
        writer.write(len(response).to_bytes(2, "big") + response)
        writer.close()
        await writer.wait_closed()


Resolver = Callable[[], dns.asyncresolver.Resolver]


@asynccontextmanager
async def listening(server: NameServer) -> AsyncGenerator[Resolver]:
    tcp = await asyncio.start_server(server.serve_tcp, "127.0.0.1", 0)
    port = tcp.sockets[0].getsockname()[1]
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: server, ("127.0.0.1", port))

    def resolver() -> dns.asyncresolver.Resolver:
        made = dns.asyncresolver.Resolver(configure=False)
        made.nameservers = ["127.0.0.1"]
        made.port = port
        return made

    async with tcp:
        yield resolver
    transport.close()


def settings(kind: RecordType, *names: str) -> DnsDiscovery:
    return DnsDiscovery(names=names, type=kind, port=0 if kind is RecordType.SRV else 9100)


EMPTY = {
    "__meta_dns_srv_record_target": "",
    "__meta_dns_srv_record_port": "",
    "__meta_dns_mx_record_target": "",
    "__meta_dns_ns_record_target": "",
}


@pytest.mark.parametrize(
    ("kind", "records", "expected"),
    [
        pytest.param(
            RecordType.A, ["10.0.0.1", "10.0.0.2"],
            [{"__address__": "10.0.0.1:9100"}, {"__address__": "10.0.0.2:9100"}], id="A",
        ),
        pytest.param(RecordType.AAAA, ["fd00::1"], [{"__address__": "[fd00::1]:9100"}], id="AAAA"),
        pytest.param(
            RecordType.SRV, ["10 5 8080 web.example.org."],
            [{
                "__address__": "web.example.org:8080",
                "__meta_dns_srv_record_target": "web.example.org.",
                "__meta_dns_srv_record_port": "8080",
            }], id="SRV",
        ),
        pytest.param(
            RecordType.MX, ["10 mail.example.org."],
            [{"__address__": "mail.example.org:9100", "__meta_dns_mx_record_target": "mail.example.org."}], id="MX",
        ),
        pytest.param(
            RecordType.NS, ["ns1.example.org."],
            [{"__address__": "ns1.example.org:9100", "__meta_dns_ns_record_target": "ns1.example.org."}], id="NS",
        ),
    ],
)  # fmt: skip
async def test_records_become_targets_with_their_labels(
    running: Any, found: Any, pause: Any, kind: RecordType, records: list[str], expected: list[dict[str, str]]
) -> None:
    server = NameServer()
    server.records["app.example.org.", kind.value] = records
    async with listening(server) as resolver:
        discoverer = DnsDiscoverer(
            settings(kind, "app.example.org"), Health("dns", "job"), resolver=resolver, pause=pause
        )
        async with running(discoverer, found):
            await pause.begins()

    group = found.groups["app.example.org"]
    wanted = [{**EMPTY, "__meta_dns_name": "app.example.org", **target} for target in expected]
    assert sorted(group.targets, key=str) == sorted(wanted, key=str)


async def test_an_alias_is_followed(running: Any, found: Any, pause: Any) -> None:
    server = NameServer()
    server.records["www.example.org.", "CNAME"] = ["app.example.org."]
    server.records["app.example.org.", "A"] = ["10.0.0.7"]
    async with listening(server) as resolver:
        discoverer = DnsDiscoverer(
            settings(RecordType.A, "www.example.org"), Health("dns", "job"), resolver=resolver, pause=pause
        )
        async with running(discoverer, found):
            await pause.begins()

    assert found.addresses == {"10.0.0.7:9100"}


async def test_a_truncated_answer_is_fetched_by_tcp(running: Any, found: Any, pause: Any) -> None:
    server = NameServer()
    server.truncates = True
    server.records["app.example.org.", "A"] = [f"10.0.{n // 250}.{n % 250}" for n in range(500)]
    async with listening(server) as resolver:
        discoverer = DnsDiscoverer(
            settings(RecordType.A, "app.example.org"), Health("dns", "job"), resolver=resolver, pause=pause
        )
        async with running(discoverer, found):
            await pause.begins()

    assert len(found.addresses) == 500
    assert server.asked_by_tcp == 1


async def test_a_failing_name_keeps_its_targets_and_one_that_is_gone_loses_them(
    running: Any, found: Any, pause: Any
) -> None:
    server = NameServer()
    for name in ("fails", "goes", "stays"):
        server.records[f"{name}.example.org.", "A"] = ["10.0.0.1"]
    health = Health("dns", "job")
    async with listening(server) as resolver:
        names = ("fails.example.org", "goes.example.org", "stays.example.org")
        discoverer = DnsDiscoverer(settings(RecordType.A, *names), health, resolver=resolver, pause=pause)
        async with running(discoverer, found):
            await pause.begins()
            assert set(found.groups) == set(names)
            server.failing.add("fails.example.org.")
            del server.records["goes.example.org.", "A"]
            server.records["stays.example.org.", "A"] = ["10.0.0.9"]
            pause.end()
            await pause.begins()

            assert set(found.groups) == {"fails.example.org", "stays.example.org"}
            assert found.groups["stays.example.org"].targets[0]["__address__"] == "10.0.0.9:9100"
            assert list(health.problems) == ["fails.example.org"]

            server.failing.clear()
            pause.end()
            await pause.begins()

    assert health.problems == {}


async def test_a_name_without_records_of_the_type_has_no_targets(running: Any, found: Any, pause: Any) -> None:
    server = NameServer()
    server.records["app.example.org.", "AAAA"] = ["fd00::1"]
    health = Health("dns", "job")
    async with listening(server) as resolver:
        discoverer = DnsDiscoverer(settings(RecordType.A, "app.example.org"), health, resolver=resolver, pause=pause)
        async with running(discoverer, found):
            await pause.begins()

    assert found.groups == {}
    assert health.failures == 0


async def test_a_name_server_that_is_not_there_is_reported(running: Any, found: Any, pause: Any) -> None:
    health = Health("dns", "job")

    def nowhere() -> dns.asyncresolver.Resolver:
        made = dns.asyncresolver.Resolver(configure=False)
        made.nameservers = ["127.0.0.1"]
        made.port = 1
        made.timeout = made.lifetime = 0.2
        return made

    discoverer = DnsDiscoverer(settings(RecordType.A, "app.example.org"), health, resolver=nowhere, pause=pause)
    async with running(discoverer, found):
        await pause.begins()

    assert "app.example.org" in health.problems
