import { describe, expect, it } from "vitest";
import { findMetrics, firstQuery, metricsOf } from "./metrics";

const METADATA = {
  http_requests: [{ type: "counter", help: "Requests.", unit: "" }],
  latency_seconds: [{ type: "histogram", help: "Time to answer.", unit: "" }],
};

describe("metrics", () => {
  it("get the type and help of their family", () => {
    const metrics = metricsOf(["http_requests_total", "latency_seconds_bucket", "up"], METADATA, new Map([["up", 3]]));

    expect(metrics).toEqual([
      { name: "http_requests_total", type: "counter", help: "Requests.", series: null },
      { name: "latency_seconds_bucket", type: "histogram", help: "Time to answer.", series: null },
      { name: "up", type: "unknown", help: "", series: 3 },
    ]);
  });

  it("are found by words of their help", () => {
    const metrics = metricsOf(["latency_seconds_bucket", "up"], METADATA, new Map());

    expect(findMetrics(metrics, "answer TIME").map(({ name }) => name)).toEqual(["latency_seconds_bucket"]);
  });

  it.each([
    ["http_requests_total", "counter", "rate(http_requests_total[5m])"],
    ["latency_seconds_bucket", "histogram", "histogram_quantile(0.95, sum by (le) (rate(latency_seconds_bucket[5m])))"],
    ["latency_seconds_count", "histogram", "rate(latency_seconds_count[5m])"],
    ["node_load1", "gauge", "node_load1"],
  ])("%s, a %s, is first asked for as %s", (name, type, expected) => {
    expect(firstQuery({ name, type })).toBe(expected);
  });
});
