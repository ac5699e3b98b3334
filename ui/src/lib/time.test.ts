import { describe, expect, it } from "vitest";
import {
  absoluteRange,
  alignWindow,
  chooseStep,
  formatTime,
  parseTime,
  rangeLabel,
  relativeTime,
  resolveRange,
  shiftWindow,
  widenWindow,
} from "./time";

const NOON = Date.UTC(2026, 10, 21, 12, 0, 0);
const HOUR = 3_600_000;

describe("times as people write them", () => {
  it.each([
    ["now", NOON],
    ["now-90m", NOON - 1.5 * HOUR],
    ["now - 2d", NOON - 48 * HOUR],
    ["now-1.5h", NOON - 1.5 * HOUR],
    [" 1795262400000 ", 1_795_262_400_000],
    ["2026-11-21 12:00", NOON],
    ["2026-11-21T12:00:00.250Z", NOON + 250],
    ["2026-11-21", NOON - 12 * HOUR],
  ])("%s is understood", (text, expected) => {
    expect(parseTime(text, NOON, "utc")).toBe(expected);
  });

  it.each([
    "",
    "yesterday",
    "now+1h",
    "now-1",
    "now-5x",
    "2026-02-31",
    "2026-13-01 25:00x",
    "12",
  ])("%s is no time", (text) => {
    expect(parseTime(text, NOON, "utc")).toBeNull();
  });

  it("a date ending in Z is in UTC whatever zone is shown", () => {
    expect(parseTime("2026-11-21T12:00Z", NOON, "local")).toBe(NOON);
  });
});

describe("windows", () => {
  it("a range that ends before it begins means none", () => {
    expect(resolveRange({ from: "now", to: "now-1h" }, NOON)).toBeNull();
  });

  it("a window survives the way through the URL", () => {
    const window = { startMs: NOON - HOUR, endMs: NOON };

    expect(resolveRange(absoluteRange(window), NOON + HOUR)).toEqual(window);
  });

  it("moving back and on again leads to where it began", () => {
    const window = { startMs: NOON - HOUR, endMs: NOON };

    expect(shiftWindow(shiftWindow(window, -1), 1)).toEqual(window);
  });

  it("widening doubles the length and does not look into the future", () => {
    const wide = widenWindow({ startMs: NOON - HOUR, endMs: NOON }, NOON);

    expect(wide).toEqual({ startMs: NOON - 2 * HOUR, endMs: NOON });
  });
});

describe("steps", () => {
  it.each([
    [5 * 60_000, 1000],
    [HOUR, 15_000],
    [24 * HOUR, 300_000],
    [30 * 24 * HOUR, 10_800_000],
    [2000 * 24 * HOUR, 7 * 86_400_000],
  ])("%d ms are drawn with a step of %d ms", (length, expected) => {
    expect(chooseStep({ startMs: NOON - length, endMs: NOON }, 300)).toBe(expected);
  });

  it("ends lie on multiples of the step, so that equal questions are equal", () => {
    const { startMs, endMs } = alignWindow({ startMs: NOON + 1234, endMs: NOON + 61_234 }, 15_000);

    expect([startMs % 15_000, endMs % 15_000]).toEqual([0, 0]);
  });
});

describe("times as they are shown", () => {
  it.each([
    [NOON, "just now"],
    [NOON - 42_000, "42 s ago"],
    [NOON - 5 * 60_000, "5 min ago"],
    [NOON - 7 * HOUR, "7 h ago"],
    [NOON - 100 * HOUR, "4 d ago"],
    [NOON + 180_000, "in 3 min"],
  ])("%d is %s", (timeMs, expected) => {
    expect(relativeTime(timeMs, NOON)).toBe(expected);
  });

  it("in UTC", () => {
    expect(formatTime(NOON + 5, "utc", "ms")).toBe("2026-11-21 12:00:00.005");
  });

  it("a range has the name by which it is chosen, or its ends", () => {
    expect(rangeLabel({ from: "now-6h", to: "now" }, "utc")).toBe("Last 6 hours");
    expect(rangeLabel({ from: String(NOON), to: "now" }, "utc")).toBe("2026-11-21 12:00:00 to now");
  });
});
