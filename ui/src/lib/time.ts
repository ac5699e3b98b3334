// Time ranges as people write them: `now-1h`, `now/d`, a date, or milliseconds since the epoch. Pure: `now` is given.

export interface TimeRange {
  /** As written: kept in the URL. */
  readonly from: string;
  readonly to: string;
}

export interface TimeWindow {
  readonly startMs: number;
  readonly endMs: number;
}

export const DEFAULT_RANGE: TimeRange = { from: "now-1h", to: "now" };

export const QUICK_RANGES: readonly (TimeRange & { readonly label: string })[] = [
  { label: "Last 5 minutes", from: "now-5m", to: "now" },
  { label: "Last 15 minutes", from: "now-15m", to: "now" },
  { label: "Last 30 minutes", from: "now-30m", to: "now" },
  { label: "Last hour", from: "now-1h", to: "now" },
  { label: "Last 3 hours", from: "now-3h", to: "now" },
  { label: "Last 6 hours", from: "now-6h", to: "now" },
  { label: "Last 12 hours", from: "now-12h", to: "now" },
  { label: "Last 24 hours", from: "now-24h", to: "now" },
  { label: "Last 2 days", from: "now-2d", to: "now" },
  { label: "Last 7 days", from: "now-7d", to: "now" },
  { label: "Last 30 days", from: "now-30d", to: "now" },
];

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
  y: 365 * 86_400_000,
};

const RELATIVE = /^now(?:\s*-\s*(\d+(?:\.\d+)?)(ms|s|m|h|d|w|y))?$/;
const DATE = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3}))?)?)?(Z)?$/;

/** Milliseconds since the epoch, or null for what is no time. Dates without `Z` are in the given zone. */
export function parseTime(text: string, nowMs: number, zone: Zone = "local"): number | null {
  const trimmed = text.trim();
  const relative = RELATIVE.exec(trimmed);
  if (relative) {
    const [, amount, unit] = relative;
    return amount && unit ? nowMs - Number(amount) * (UNIT_MS[unit] ?? 0) : nowMs;
  }
  if (/^\d{12,14}$/.test(trimmed)) return Number(trimmed);
  const date = DATE.exec(trimmed);
  if (!date) return null;
  const [year, month, day, hour, minute, second, milli] = date.slice(1, 8).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const inUtc = zone === "utc" || date[8] === "Z";
  const value = inUtc
    ? Date.UTC(year, month - 1, day, hour, minute, second, milli)
    : new Date(year, month - 1, day, hour, minute, second, milli).getTime();
  const shown = new Date(value);
  // `2026-02-31` is no day; Date would make it one in March.
  return (inUtc ? shown.getUTCDate() : shown.getDate()) === day ? value : null;
}

/** The window that a range means at a moment; null where it means none. */
export function resolveRange(range: TimeRange, nowMs: number, zone: Zone = "local"): TimeWindow | null {
  const startMs = parseTime(range.from, nowMs, zone);
  const endMs = parseTime(range.to, nowMs, zone);
  return startMs === null || endMs === null || startMs >= endMs ? null : { startMs, endMs };
}

export function absoluteRange(window: TimeWindow): TimeRange {
  return { from: String(Math.round(window.startMs)), to: String(Math.round(window.endMs)) };
}

/** Back (-1) or on (1) by half of its length. */
export function shiftWindow(window: TimeWindow, direction: -1 | 1): TimeWindow {
  const by = ((window.endMs - window.startMs) / 2) * direction;
  return { startMs: window.startMs + by, endMs: window.endMs + by };
}

/** Twice as long, around the same middle, never into the future. */
export function widenWindow(window: TimeWindow, nowMs: number): TimeWindow {
  const half = (window.endMs - window.startMs) / 2;
  const endMs = Math.min(window.endMs + half, Math.max(nowMs, window.endMs));
  return { startMs: endMs - 4 * half, endMs };
}

const NICE_STEPS_MS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
].map((seconds) => seconds * 1000);

/** The smallest round step with which a window has at most so many points. */
export function chooseStep(window: TimeWindow, maxPoints: number): number {
  const finest = (window.endMs - window.startMs) / Math.max(1, maxPoints);
  const nice = NICE_STEPS_MS.find((step) => step >= finest);
  return nice ?? Math.ceil(finest / 86_400_000) * 86_400_000;
}

/** Ends moved onto multiples of the step, so that a refresh asks for the same points again. */
export function alignWindow(window: TimeWindow, stepMs: number): TimeWindow {
  return { startMs: Math.floor(window.startMs / stepMs) * stepMs, endMs: Math.floor(window.endMs / stepMs) * stepMs };
}

export function rangeLabel(range: TimeRange, zone: Zone): string {
  const quick = QUICK_RANGES.find((known) => known.from === range.from && known.to === range.to);
  if (quick) return quick.label;
  const show = (text: string): string => (/^\d+$/.test(text) ? formatTime(Number(text), zone) : text);
  return `${show(range.from)} to ${show(range.to)}`;
}

export type Zone = "local" | "utc";

const two = (value: number): string => String(value).padStart(2, "0");

/** `2026-11-21 10:54:39`: sorts, and reads the same everywhere. */
export function formatTime(timeMs: number, zone: Zone, precision: "minute" | "second" | "ms" = "second"): string {
  const date = new Date(timeMs);
  const [year, month, day, hour, minute, second, milli] =
    zone === "utc"
      ? [
          date.getUTCFullYear(),
          date.getUTCMonth(),
          date.getUTCDate(),
          date.getUTCHours(),
          date.getUTCMinutes(),
          date.getUTCSeconds(),
          date.getUTCMilliseconds(),
        ]
      : [
          date.getFullYear(),
          date.getMonth(),
          date.getDate(),
          date.getHours(),
          date.getMinutes(),
          date.getSeconds(),
          date.getMilliseconds(),
        ];
  const base = `${year}-${two(month + 1)}-${two(day)} ${two(hour)}:${two(minute)}`;
  if (precision === "minute") return base;
  const seconds = `${base}:${two(second)}`;
  return precision === "second" ? seconds : `${seconds}.${String(milli).padStart(3, "0")}`;
}

/** `12 s ago`, `in 3 min`, `just now`. */
export function relativeTime(timeMs: number, nowMs: number): string {
  const delta = nowMs - timeMs;
  const size = Math.abs(delta);
  if (size < 1500) return "just now";
  const [amount, unit] =
    size < 90_000
      ? [size / 1000, "s"]
      : size < 5_400_000
        ? [size / 60_000, "min"]
        : size < 36 * 3_600_000
          ? [size / 3_600_000, "h"]
          : [size / 86_400_000, "d"];
  const said = `${Math.round(amount as number)} ${unit}`;
  return delta >= 0 ? `${said} ago` : `in ${said}`;
}
