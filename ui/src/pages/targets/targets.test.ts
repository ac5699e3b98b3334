import { describe, expect, it } from "vitest";
import type { Target } from "../../api/prometheus";
import { durationSeconds, filterTargets, labelChanges, lastScrapeMs } from "./targets";

const target = (part: Partial<Target>): Target => ({
  discoveredLabels: {},
  labels: {},
  scrapePool: "node",
  scrapeUrl: "http://a:9100/metrics",
  lastError: "",
  lastScrape: "2026-11-21T12:00:00.000Z",
  lastScrapeDuration: 0.01,
  health: "up",
  scrapeInterval: "15s",
  scrapeTimeout: "10s",
  ...part,
});

describe("targets", () => {
  it("are found by job, state, and any word of their labels or error", () => {
    const broken = target({ health: "down", lastError: "connection refused", labels: { env: "staging" } });
    const all = [target({}), broken];

    expect(filterTargets(all, { health: "down" })).toEqual([broken]);
    expect(filterTargets(all, { find: "Refused staging" })).toEqual([broken]);
    expect(filterTargets(all, { pool: "other" })).toEqual([]);
  });

  it("that were never fetched have no last time", () => {
    expect(lastScrapeMs(target({ lastScrape: "0001-01-01T00:00:00Z" }))).toBeNull();
  });

  it.each([
    ["15s", 15],
    ["1m30s", 90],
    ["500ms", 0.5],
  ])("every %s is every %d seconds", (text, expected) => {
    expect(durationSeconds(text)).toBe(expected);
  });

  it("show what relabelling added and took away", () => {
    const changes = labelChanges({ labels: { host: "a" }, discoveredLabels: { __address__: "a:1" } });

    expect(changes).toEqual([
      { name: "host", before: null, after: "a" },
      { name: "__address__", before: "a:1", after: null },
    ]);
  });
});
