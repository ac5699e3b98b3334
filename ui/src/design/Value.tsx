// A number with its unit; the whole number is in the tooltip and in what is copied.

import { formatTime, relativeTime } from "../lib/time";
import { formatValue, type Unit } from "../lib/units";
import { useNow } from "./now";

export function Value({ value, unit = "number" }: { value: number | null | undefined; unit?: Unit }) {
  if (value === null || value === undefined) return <span className="dim">–</span>;
  return (
    <span className="number nowrap" title={String(value)}>
      {formatValue(value, unit)}
    </span>
  );
}

/** `12 s ago`, and goes on counting. */
export function RelativeTime({ timeMs }: { timeMs: number | null }) {
  const nowMs = useNow();
  if (timeMs === null) return <span className="dim">never</span>;
  return (
    <time className="number nowrap" dateTime={new Date(timeMs).toISOString()} title={formatTime(timeMs, "local")}>
      {relativeTime(timeMs, nowMs)}
    </time>
  );
}
