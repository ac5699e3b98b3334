"""Vedette's host metrics against Debian's node exporter, on the same host in the same second."""

from __future__ import annotations

import math
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from vedette.collect.host import HostCollector, HostSettings
from vedette.config import Host
from vedette.model.labels import METRIC_NAME, LabelSet
from vedette.model.samples import MetricType
from vedette.wire.exposition.entries import Field, Format, MetadataEntry, SampleEntry
from vedette.wire.exposition.reference import read_entries

READY_WITHIN_S = 30

MISSING_COLLECTORS = {
    "bcache": "node_bcache_",
    "btrfs": "node_btrfs_",
    "dmi": "node_dmi_",
    "edac": "node_edac_",
    "fibrechannel": "node_fibrechannel_",
    "infiniband": "node_infiniband_",
    "ipvs": "node_ipvs_",
    "mdadm": "node_md_",
    "nfs": "node_nfs_",
    "nfsd": "node_nfsd_",
    "nvme": "node_nvme_",
    "powersupplyclass": "node_power_supply_",
    "rapl": "node_rapl_",
    "selinux": "node_selinux_",
    "systemd": "node_systemd_",
    "tapestats": "node_tape_",
    "xfs": "node_xfs_",
    "zfs": "node_zfs_",
}
"""Collectors of node_exporter that Vedette does not have, with what their metrics begin with."""

OTHER_VALUES = ("node_exporter_build_info", "node_scrape_collector_")
"""Families whose labels or values speak of the software that collects."""


@dataclass
class Metrics:
    """Families and samples.

    Attributes:
        types: by family.
        helps: by family.
        samples: by label set.
    """

    types: dict[str, MetricType] = field(default_factory=dict[str, MetricType])
    helps: dict[str, str] = field(default_factory=dict[str, str])
    samples: dict[LabelSet, float] = field(default_factory=dict[LabelSet, float])


def parse(body: bytes) -> Metrics:
    metrics = Metrics()
    for entry in read_entries(body, Format.TEXT):
        match entry:
            case MetadataEntry(field=Field.TYPE):
                metrics.types[entry.family] = MetricType(entry.text)
            case MetadataEntry(field=Field.HELP):
                metrics.helps[entry.family] = entry.text
            case SampleEntry():
                metrics.samples[entry.labels] = entry.value
            case _:
                pass
    return metrics


def ours(host: HostCollector) -> Metrics:
    metrics = Metrics()
    samples = host.collect(time.time_ns() // 1_000_000)
    labels = dict(samples.new_rows)
    for row, value in zip(samples.rows.tolist(), samples.values.tolist(), strict=True):
        metrics.samples[labels[row]] = value
    for told in samples.metadata:
        metrics.types[told.family] = told.type
        metrics.helps[told.family] = told.help
    return metrics


def name_of(labels: LabelSet) -> str:
    return dict(labels)[METRIC_NAME]


def is_missing(family: str) -> bool:
    return not family.startswith("node_") or family.startswith(tuple(MISSING_COLLECTORS.values()))


def is_comparable(labels: LabelSet) -> bool:
    name = name_of(labels)
    return not is_missing(name) and not name.startswith(OTHER_VALUES)


@pytest.fixture(scope="module")
def node_exporter() -> Iterator[str]:
    binary = shutil.which("prometheus-node-exporter")
    if binary is None:
        pytest.skip("there is no `prometheus-node-exporter` on the path (Debian: apt install prometheus-node-exporter)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}/metrics"
    options = ["--collector.processes", "--collector.netdev.device-exclude="]
    command = [binary, f"--web.listen-address=127.0.0.1:{port}", *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + READY_WITHIN_S
            while True:
                try:
                    httpx.get(url).raise_for_status()
                    break
                except httpx.HTTPError:
                    assert process.poll() is None, "node exporter ended"
                    assert time.monotonic() < deadline, "node exporter did not get ready"
            yield url
        finally:
            process.kill()


@pytest.fixture(scope="module")
def both(node_exporter: str) -> tuple[Metrics, Metrics, Metrics]:
    """Node exporter before, Vedette, and node exporter after."""
    with HostCollector(HostSettings(options=Host())) as host:
        before = parse(httpx.get(node_exporter).content)
        vedette = ours(host)
        after = parse(httpx.get(node_exporter).content)
    return before, vedette, after


def test_all_families_are_there_with_the_same_types_and_helps(both: tuple[Metrics, Metrics, Metrics]) -> None:
    theirs, vedette, _ = both
    wanted = {family: kind for family, kind in theirs.types.items() if not is_missing(family)}

    assert {family: vedette.types.get(family) for family in wanted} == wanted
    helps = {family: theirs.helps[family] for family in wanted}
    assert {family: vedette.helps.get(family) for family in wanted} == helps


def test_no_family_is_there_that_node_exporter_has_not_got(both: tuple[Metrics, Metrics, Metrics]) -> None:
    theirs, vedette, _ = both

    assert {family for family in vedette.types if family not in theirs.types} == set()


def test_all_series_are_there_with_the_same_labels(both: tuple[Metrics, Metrics, Metrics]) -> None:
    before, vedette, after = both
    # A process's state, a device that just came: what node exporter itself sees in both scrapes counts.
    steady = before.samples.keys() & after.samples.keys()
    wanted = {labels for labels in steady if is_comparable(labels)}

    assert wanted - vedette.samples.keys() == set()


def test_no_series_is_there_that_node_exporter_has_not_got(both: tuple[Metrics, Metrics, Metrics]) -> None:
    before, vedette, after = both
    known = before.samples.keys() | after.samples.keys()

    unknown = {labels for labels in vedette.samples if labels not in known and is_comparable(labels)}
    assert {labels for labels in unknown if "state" not in name_of(labels)} == set()


def test_values_lie_between_node_exporters_own_before_and_after(both: tuple[Metrics, Metrics, Metrics]) -> None:
    before, vedette, after = both
    strange: dict[LabelSet, tuple[float, float, float]] = {}

    for labels, value in vedette.samples.items():
        low, high = before.samples.get(labels), after.samples.get(labels)
        name = name_of(labels)
        if low is None or high is None or name.startswith(OTHER_VALUES):
            continue
        kind = vedette.types[name]
        if kind is not MetricType.COUNTER:
            # Memory and processes move while we look; a wrong unit would be off by far more.
            slack = 0.25 * max(abs(low), abs(high)) + (64 << 20 if name.endswith("_bytes") else 100)
        else:
            slack = 0.02 * abs(high) + 1
        if not (min(low, high) - slack <= value <= max(low, high) + slack) and not math.isnan(value):
            strange[labels] = (low, value, high)

    assert strange == {}


def test_every_collector_that_node_exporter_has_success_with_succeeds(both: tuple[Metrics, Metrics, Metrics]) -> None:
    theirs, vedette, _ = both
    family = "node_scrape_collector_success"
    theirs_by_name = {
        dict(labels)["collector"]: value for labels, value in theirs.samples.items() if name_of(labels) == family
    }
    succeeded = {collector for collector, value in theirs_by_name.items() if value}
    wanted = succeeded - MISSING_COLLECTORS.keys()

    for collector in sorted(wanted):
        assert vedette.samples[(METRIC_NAME, family), ("collector", collector)] == 1, collector
