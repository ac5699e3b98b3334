from __future__ import annotations

import math

import pytest

from vedette.cli.units import COUNT, RATIO, SECONDS, TIME, Unit, scale_for, show_value, unit_of

BYTES = Unit("bytes")


@pytest.mark.parametrize(
    ("expression", "unit"),
    [
        ("up", COUNT),
        ("node_memory_Active_bytes", BYTES),
        ('{__name__="node_memory_Active_bytes"}', BYTES),
        ('{job="node"}', None),
        ("rate(node_network_receive_bytes_total[5m])", Unit("bytes", 1)),
        ("sum by (job) (rate(http_requests_total[5m]))", Unit("", 1)),
        ("increase(http_requests_total[5m])", COUNT),
        ("rate(process_cpu_seconds_total[5m])", Unit("seconds", 1)),
        ("sum(rate(d_seconds_sum[5m])) / sum(rate(d_seconds_count[5m]))", SECONDS),
        ("histogram_quantile(0.9, sum by (le) (rate(d_seconds_bucket[5m])))", SECONDS),
        ("quantile_over_time(0.9, d_seconds[1h])", SECONDS),
        ("max_over_time(rate(x_bytes_total[1m])[1h:])", Unit("bytes", 1)),
        ("time() - node_boot_time_seconds", SECONDS),
        ("process_start_time_seconds", TIME),
        ("1 - node_memory_MemFree_bytes / node_memory_MemTotal_bytes", None),
        ("node_memory_MemFree_bytes / node_memory_MemTotal_bytes", RATIO),
        ("node_memory_MemFree_bytes / 1024", None),
        ("100 * x_ratio", None),
        ("x_bytes > 1e9", BYTES),
        ("x_bytes > bool 1e9", COUNT),
        ("x_bytes and on (job) up", BYTES),
        ("x_bytes + y_bytes", BYTES),
        ("x_bytes + y_seconds", None),
        ("count(x_bytes)", COUNT),
        ("topk(3, x_bytes)", BYTES),
        ("count_over_time(x_bytes[5m])", COUNT),
        ("-x_bytes", BYTES),
        ("sum(", None),
        ("1", None),
        ('"text"', None),
    ],
)
def test_a_unit_is_followed_through_an_expression(expression: str, unit: Unit | None) -> None:
    assert unit_of(expression) == unit


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        (BYTES, 8.35e9, "7.78 GiB"),
        (BYTES, 812.0, "812 B"),
        (Unit("bytes", 1), 1536.0, "1.5 KiB/s"),
        (SECONDS, 0.00032, "320 µs"),
        (SECONDS, 95.0, "95 s"),
        (SECONDS, 302_400.0, "3.5 d"),
        (SECONDS, 0.0, "0 s"),
        (RATIO, 0.1234, "12.3 %"),
        (COUNT, 12_345_678.0, "12.3 M"),
        (COUNT, 1234.0, "1,234"),
        (COUNT, -3.14159, "-3.142"),
        (COUNT, 0.0000321, "3.21e-05"),
        (Unit("", 1), 0.25, "0.25 /s"),
        (Unit("celsius"), 41.5, "41.5 °C"),
        (None, math.nan, "NaN"),
        (BYTES, -math.inf, "-Inf"),
    ],
)
def test_a_value_is_written_as_people_read_it(unit: Unit | None, value: float, text: str) -> None:
    assert show_value(unit, value) == text


@pytest.mark.parametrize(
    ("unit", "largest", "step", "texts"),
    [
        (COUNT, 2.0, 0.5, ["0.0", "0.5", "1.0"]),
        (BYTES, 2 * 1024.0**3, 1024.0**3, ["0 GiB", "1 GiB", "2 GiB"]),
        (SECONDS, 0.03, 0.01, ["0 ms", "10 ms", "20 ms"]),
        (RATIO, 1.0, 0.25, ["0 %", "25 %", "50 %"]),
        (COUNT, 4e6, 2e6, ["0 M", "2 M", "4 M"]),
        (COUNT, 0.004, 0.002, ["0.000", "0.002", "0.004"]),
    ],
)
def test_the_numbers_of_an_axis_share_one_multiple(unit: Unit, largest: float, step: float, texts: list[str]) -> None:
    scale = scale_for(unit, largest, step)

    assert [scale.show(number * step) for number in range(3)] == texts


def test_minus_nothing_is_nothing() -> None:
    assert scale_for(COUNT, 1.0, 0.5).show(-1e-12) == "0.0"
