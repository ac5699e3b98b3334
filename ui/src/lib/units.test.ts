import { describe, expect, it } from "vitest";
import { formatValue, guessUnit, type Unit } from "./units";

describe("numbers with units", () => {
  it.each<[number, Unit, string]>([
    [0, "number", "0"],
    [1234567, "number", "1.23 M"],
    [999.6, "number", "1 k"],
    [0.000001234, "number", "1.23e-6"],
    [-4200, "number", "-4.2 k"],
    [0.5, "bytes", "0.5 B"],
    [1023, "bytes", "1023 B"],
    [82_345_678_900, "bytes", "76.7 GiB"],
    [2048, "bytes/s", "2 KiB/s"],
    [0.00042, "seconds", "420 µs"],
    [0.25, "seconds", "250 ms"],
    [90, "seconds", "90 s"],
    [86_400 * 3, "seconds", "3 d"],
    [0.4371, "ratio", "43.7 %"],
    [1.5, "ratio", "150 %"],
    [12, "per second", "12/s"],
    [Number.NaN, "bytes", "NaN"],
    [Number.NEGATIVE_INFINITY, "number", "-Inf"],
  ])("%d in %s is %s", (value, unit, expected) => {
    expect(formatValue(value, unit)).toBe(expected);
  });
});

describe("the unit that an expression probably has", () => {
  it.each<[string, Unit]>([
    ["node_memory_MemFree_bytes", "bytes"],
    ["sum by (device) (rate(node_network_receive_bytes_total[5m]))", "bytes/s"],
    ["rate(http_requests_total[1m])", "per second"],
    ["sum by (mode) (rate(node_cpu_seconds_total[1m]))", "ratio"],
    ["histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))", "seconds"],
    ["count(node_memory_MemFree_bytes)", "number"],
    ["node_filesystem_avail_bytes / node_filesystem_size_bytes", "number"],
    ["node_boot_time_seconds", "timestamp"],
    ["up", "number"],
    ["", "number"],
  ])("%s: %s", (expr, expected) => {
    expect(guessUnit(expr)).toBe(expected);
  });
});
