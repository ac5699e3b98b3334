from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from vedette.collect.host import COLLECTORS, HostCollector, HostSettings
from vedette.config import Host
from vedette.model.errors import ConfigError
from vedette.model.labels import LabelSet, format_labels
from vedette.model.samples import MetricType
from vedette.wire.exposition.layout import ParsedScrape

FIXTURES = Path(__file__).parent / "fixtures"
NOW_MS = 1_800_000_000_500


class Series:
    """Follows rows as whoever stores them does."""

    def __init__(self) -> None:
        self.labels: dict[int, LabelSet] = {}

    def follow(self, samples: ParsedScrape) -> dict[str, float]:
        for row, labels in samples.new_rows:
            assert row not in self.labels
            self.labels[row] = labels
        values = {
            format_labels(self.labels[row]): value
            for row, value in zip(samples.rows.tolist(), samples.values.tolist(), strict=True)
        }
        for row in samples.forgotten_rows.tolist():
            del self.labels[row]
        return values


def options(root: Path, **changes: object) -> Host:
    return Host(
        procfs=str(root / "proc"),
        sysfs=str(root / "sys"),
        rootfs=str(root / "root"),
        textfile_directories=("/textfile",),
        **changes,  # pyright: ignore[reportArgumentType]
    )


def collect(root: Path = FIXTURES, **changes: object) -> dict[str, float]:
    with HostCollector(HostSettings(options=options(root, **changes))) as host:
        return Series().follow(host.collect(NOW_MS))


@pytest.fixture(scope="module")
def values() -> dict[str, float]:
    return collect()


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        pytest.param('node_arp_entries{device="eth0"}', 2, id="arp"),
        pytest.param('node_bonding_slaves{master="bond0"}', 2, id="bond members"),
        pytest.param('node_bonding_active{master="bond0"}', 1, id="bond members that work"),
        pytest.param("node_nf_conntrack_entries", 33, id="conntrack"),
        pytest.param("node_nf_conntrack_stat_insert_failed", 12, id="conntrack statistics are summed over CPUs"),
        pytest.param('node_cpu_seconds_total{cpu="0",mode="idle"}', 982.48, id="CPU time in seconds"),
        pytest.param('node_cpu_guest_seconds_total{cpu="0",mode="nice"}', 0.07, id="CPU time of guests"),
        pytest.param('node_cpu_core_throttles_total{core="0",package="0"}', 5, id="throttled core"),
        pytest.param('node_cpu_package_throttles_total{package="0"}', 6, id="throttled package"),
        pytest.param('node_cpu_scaling_frequency_hertz{cpu="0"}', 2.4e9, id="frequency in hertz"),
        pytest.param('node_disk_read_bytes_total{device="vda"}', 4251450 * 512, id="sectors become bytes"),
        pytest.param('node_disk_io_now{device="vda"}', 2, id="I/O in progress"),
        pytest.param(
            'node_disk_flush_requests_time_seconds_total{device="vda"}', 0.011, id="milliseconds become seconds"
        ),
        pytest.param(
            'node_disk_info{device="vda",major="254",minor="0",model="QEMU",serial="abc"}', 1, id="udev's facts"
        ),
        pytest.param('node_disk_filesystem_info{device="vda",type="ext4",uuid="u-1"}', 1, id="udev's file system"),
        pytest.param('node_disk_ata_write_cache{device="vda"}', 1, id="ATA"),
        pytest.param("node_entropy_pool_size_bits", 4096, id="entropy"),
        pytest.param("node_filefd_maximum", 2466183, id="file descriptors"),
        pytest.param('node_hwmon_temp_celsius{chip="platform_coretemp_0",sensor="temp1"}', 45, id="sensor"),
        pytest.param('node_hwmon_temp_crit_alarm_celsius{chip="platform_coretemp_0",sensor="temp1"}', 0, id="alarm"),
        pytest.param('node_hwmon_fan_rpm{chip="platform_coretemp_0",sensor="fan1"}', 1200, id="fan"),
        pytest.param('node_hwmon_in_volts{chip="platform_coretemp_0",sensor="in0"}', 12, id="voltage"),
        pytest.param('node_hwmon_energy_joule_total{chip="platform_coretemp_0",sensor="energy1"}', 2, id="energy"),
        pytest.param(
            'node_hwmon_sensor_label{chip="platform_coretemp_0",label="Package id 0",sensor="temp1"}', 1, id="its name"
        ),
        pytest.param('node_hwmon_chip_names{chip="platform_coretemp_0",chip_name="coretemp"}', 1, id="chip's name"),
        pytest.param("node_load15", 0.05, id="load"),
        pytest.param("node_memory_MemTotal_bytes", 24684096 * 1024, id="memory in bytes"),
        pytest.param("node_memory_Active_anon_bytes", 1576 * 1024, id="a field with brackets"),
        pytest.param("node_memory_HugePages_Total", 4, id="a field that counts pages"),
        pytest.param('node_network_receive_bytes_total{device="eth0"}', 751701159, id="received"),
        pytest.param('node_network_transmit_compressed_total{device="eth0"}', 12, id="the last column"),
        pytest.param('node_network_receive_nohandler_total{device="lo"}', 3, id="nohandler"),
        pytest.param('node_network_up{device="eth0"}', 1, id="up"),
        pytest.param('node_network_up{device="lo"}', 0, id="not up"),
        pytest.param('node_network_flags{device="eth0"}', 0x1003, id="a hexadecimal property"),
        pytest.param('node_network_speed_bytes{device="eth0"}', 1.25e9, id="speed in bytes per second"),
        pytest.param("node_netstat_TcpExt_ListenDrops", 2, id="netstat"),
        pytest.param("node_netstat_Tcp_CurrEstab", 5, id="snmp"),
        pytest.param("node_netstat_Udp6_NoPorts", 9, id="snmp6"),
        pytest.param('node_os_version{id="debian",name="Debian GNU/Linux"}', 12, id="system's version"),
        pytest.param("node_pressure_io_stalled_seconds_total", 1.5, id="pressure"),
        pytest.param('node_processes_state{state="I"}', 1, id="processes by state"),
        pytest.param('node_processes_threads_state{thread_state="R"}', 1, id="threads by state"),
        pytest.param("node_processes_threads", 3, id="threads"),
        pytest.param('node_schedstat_waiting_seconds_total{cpu="0"}', 3, id="scheduler"),
        pytest.param("node_sockstat_TCP_mem", 3, id="socket memory in pages"),
        pytest.param("node_sockstat_TCP6_inuse", 4, id="IPv6 sockets"),
        pytest.param("node_sockstat_sockets_used", 17, id="sockets"),
        pytest.param('node_softnet_processed_total{cpu="3"}', 20, id="a CPU after one that is offline"),
        pytest.param("node_boot_time_seconds", 1795232251, id="boot time"),
        pytest.param("node_intr_total", 219807, id="interrupts"),
        pytest.param("node_procs_blocked", 1, id="blocked"),
        pytest.param('backup_last_success_seconds{job="db"}', 1.7e9, id="text file"),
        pytest.param("node_textfile_scrape_error", 0, id="text files are good"),
        pytest.param('node_thermal_zone_temp{type="acpitz",zone="0"}', 42, id="temperature"),
        pytest.param('node_cooling_device_max_state{name="0",type="Processor"}', 10, id="cooling"),
        pytest.param("node_time_seconds", NOW_MS / 1000, id="the round's time"),
        pytest.param('node_time_clocksource_current_info{clocksource="tsc",device="0"}', 1, id="clock source"),
        pytest.param('node_udp_queues{ip="v4",queue="rx"}', 20, id="UDP queue"),
        pytest.param("node_vmstat_oom_kill", 2, id="vmstat"),
        pytest.param('node_scrape_collector_success{collector="cpu"}', 1, id="success"),
    ],
)
def test_a_series_has_node_exporters_name_labels_and_unit(
    values: dict[str, float], series: str, expected: float
) -> None:
    assert values[series] == pytest.approx(expected)


@pytest.mark.parametrize(
    "part",
    ["loop0", "nr_free_pages", 'point="/proc"', 'point="/run"', 'carrier{device="lo"', "DefaultTTL", "readme"],
)  # fmt: skip
def test_what_is_not_wanted_or_not_a_number_is_left_out(values: dict[str, float], part: str) -> None:
    assert not [series for series in values if part in series]


def test_a_mount_point_with_a_blank_is_read_and_its_missing_directory_is_an_error(values: dict[str, float]) -> None:
    labels = '{device="/dev/vdb1",fstype="xfs",mountpoint="/data disk"}'

    assert values[f"node_filesystem_readonly{labels}"] == 1
    assert values[f"node_filesystem_device_error{labels}"] == 1
    assert f"node_filesystem_size_bytes{labels}" not in values


def test_a_mount_that_is_listed_twice_is_reported_once(values: dict[str, float]) -> None:
    assert values['node_filesystem_device_error{device="/dev/vda1",fstype="ext4",mountpoint="/"}'] == 0


def test_disabled_collectors_do_not_run() -> None:
    values = collect(disabled_collectors=("cpu", "meminfo"))

    assert not [series for series in values if series.startswith(("node_cpu_seconds", "node_memory"))]
    assert 'node_scrape_collector_success{collector="cpu"}' not in values
    assert "node_load1" in values


def test_a_collector_that_does_not_exist_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(ConfigError, match="Did you mean meminfo"):
        HostCollector(HostSettings(options=Host(disabled_collectors=("memnfo",))))


def test_a_bad_pattern_is_refused() -> None:
    with pytest.raises(ConfigError, match="netstat_fields"):
        HostCollector(HostSettings(netstat_fields="(" ))  # fmt: skip


def test_a_machine_without_proc_and_sys_still_answers(tmp_path: Path) -> None:
    values = collect(tmp_path)

    assert values["node_time_seconds"] == NOW_MS / 1000
    assert values['node_scrape_collector_success{collector="cpu"}'] == 0
    assert values['node_scrape_collector_success{collector="hwmon"}'] == 0
    assert set(values) >= {f'node_scrape_collector_success{{collector="{name}"}}' for name in COLLECTORS}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "proc" / "net").mkdir(parents=True)
    (tmp_path / "root" / "textfile").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def host(tree: Path) -> Iterator[HostCollector]:
    with HostCollector(HostSettings(options=options(tree))) as collector:
        yield collector


@pytest.mark.parametrize(
    ("file", "content", "collector"),
    [
        pytest.param("loadavg", b"", "loadavg", id="an empty file"),
        pytest.param("loadavg", b"a b c", "loadavg", id="words for numbers"),
        pytest.param("meminfo", b"\xff\xfe\x00nonsense", None, id="bytes that are no text"),
        pytest.param("net/dev", b"one line", "netdev", id="no heading"),
        pytest.param("net/dev", b"a\nno bars here\neth0: 1 2 3", "netdev", id="an unknown heading"),
        pytest.param("net/dev", b"a\n b | x y | z\neth0: 1 2\n", "netdev", id="fewer values than columns"),
        pytest.param("net/softnet_stat", b"zz zz zz\n", "softnet", id="not hexadecimal"),
        pytest.param("stat", b"cpu0 1 2 x\n", "cpu", id="a word among ticks"),
        pytest.param("stat", b"ctxt " + b"9" * 400, "stat", id="a number beyond float64"),
        pytest.param("vmstat", b"oom_kill\n", "vmstat", id="a name without a value"),
    ],
)
def test_a_hostile_file_fails_its_own_collector_only(
    tree: Path, host: HostCollector, file: str, content: bytes, collector: str | None
) -> None:
    (tree / "proc" / file).write_bytes(content)

    values = Series().follow(host.collect(NOW_MS))

    if collector is not None:
        value = values[f'node_scrape_collector_success{{collector="{collector}"}}']
        assert value == 0 or collector == "stat"
    assert values["node_time_seconds"] == NOW_MS / 1000
    assert all(not math.isnan(value) for value in values.values())


def test_a_file_that_is_a_pipe_does_not_hang_the_round(tree: Path, host: HostCollector) -> None:
    os.mkfifo(tree / "proc" / "loadavg")

    values = Series().follow(host.collect(NOW_MS))

    assert values['node_scrape_collector_success{collector="loadavg"}'] == 0


def cpu_line(idle: int, user: int) -> bytes:
    return f"cpu  0 0 0 0\ncpu0 {user} 0 0 {idle} 0 0 0 0 0 0\nintr 1\n".encode()


@pytest.mark.parametrize(
    ("idle", "user", "expected"),
    [
        pytest.param(1100, 210, (11.0, 2.1), id="both go on"),
        pytest.param(990, 210, (10.0, 2.1), id="a small step back of idle is held"),
        pytest.param(1100, 190, (11.0, 2.0), id="a small step back of another mode is held"),
        pytest.param(100, 20, (1.0, 0.2), id="a large step back of idle restarts all modes"),
    ],
)
def test_cpu_counters_fall_only_when_the_processor_came_back(
    tree: Path, host: HostCollector, idle: int, user: int, expected: tuple[float, float]
) -> None:
    series = Series()
    (tree / "proc" / "stat").write_bytes(cpu_line(1000, 200))
    series.follow(host.collect(NOW_MS))

    (tree / "proc" / "stat").write_bytes(cpu_line(idle, user))
    values = series.follow(host.collect(NOW_MS + 15_000))

    assert values['node_cpu_seconds_total{cpu="0",mode="idle"}'] == pytest.approx(expected[0])
    assert values['node_cpu_seconds_total{cpu="0",mode="user"}'] == pytest.approx(expected[1])


def write_devices(tree: Path, *names: str) -> None:
    lines = ["Inter-| Receive | Transmit", " face |bytes|bytes", *(f"{name}: 1 2" for name in names)]
    (tree / "proc" / "net" / "dev").write_text("\n".join(lines) + "\n")


def test_rows_stay_with_their_series_while_devices_come_and_go(tree: Path, host: HostCollector) -> None:
    write_devices(tree, "eth0", "veth1")
    first = host.collect(NOW_MS)
    rows = {labels: row for row, labels in first.new_rows}
    veth = [row for labels, row in rows.items() if ("device", "veth1") in labels]

    write_devices(tree, "eth0")
    second = host.collect(NOW_MS)
    write_devices(tree, "eth0", "veth1")
    third = host.collect(NOW_MS)

    assert sorted(second.missing_rows.tolist()) == sorted(veth)
    assert second.new_rows == ()
    assert third.new_rows == ()
    assert set(veth) <= set(third.rows.tolist())
    assert len(second.metadata) == 0


def test_rows_of_devices_that_are_gone_for_good_are_forgotten_and_used_again(tree: Path, host: HostCollector) -> None:
    series = Series()
    most = 0
    for number in range(200):
        write_devices(tree, "eth0", f"veth{number}")
        samples = host.collect(NOW_MS)
        series.follow(samples)
        most = max(most, int(samples.rows.max()))

    assert len(series.labels) == len(series.labels.values())
    assert most < len(samples.rows) + 2 * 25


def test_metadata_is_told_once(tree: Path, host: HostCollector) -> None:
    (tree / "proc" / "loadavg").write_text("1 2 3 4/5 6\n")

    first = host.collect(NOW_MS)
    second = host.collect(NOW_MS)

    load = next(told for told in first.metadata if told.family == "node_load1")
    assert (load.type, load.help) == (MetricType.GAUGE, "1m load average.")
    assert second.metadata == ()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("x 1\nx 2\n", id="a series twice"),
        pytest.param("x 1 1234567890123\n", id="a timestamp"),
        pytest.param("x one\n", id="not a number"),
        pytest.param('x{a="b" 1\n', id="an open brace"),
    ],
)
def test_a_broken_text_file_is_left_out_and_reported_until_it_is_mended(
    tree: Path, host: HostCollector, content: str
) -> None:
    series = Series()
    (tree / "root" / "textfile" / "good.prom").write_text("good 1\n")
    bad = tree / "root" / "textfile" / "bad.prom"
    bad.write_text(content)

    broken = series.follow(host.collect(NOW_MS))
    bad.write_text("mended 3\n")
    mended = series.follow(host.collect(NOW_MS))

    assert (broken["good"], broken["node_textfile_scrape_error"]) == (1, 1)
    assert "x" not in broken
    assert (mended["mended"], mended["node_textfile_scrape_error"]) == (3, 0)


def test_a_text_file_cannot_take_the_place_of_a_collectors_series(tree: Path, host: HostCollector) -> None:
    (tree / "proc" / "loadavg").write_text("1 2 3 4/5 6\n")
    (tree / "root" / "textfile" / "rogue.prom").write_text("node_load1 99\n")

    samples = host.collect(NOW_MS)

    assert Series().follow(samples)["node_load1"] == 1
    assert len(set(samples.rows.tolist())) == len(samples.rows)


def test_a_text_file_that_is_too_large_is_not_read(tree: Path) -> None:
    (tree / "root" / "textfile" / "huge.prom").write_text("x 1\n" * 1000)

    with HostCollector(HostSettings(options=options(tree), textfile_bytes_limit=1000)) as host:
        values = Series().follow(host.collect(NOW_MS))

    assert values["node_textfile_scrape_error"] == 1
    assert "x" not in values
