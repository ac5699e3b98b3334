// A small line without axes, for a row of a table: how it went, not how much it was.

import { useId } from "react";

interface SparklineProps {
  readonly label: string;
  readonly values: readonly (number | null)[];
  readonly width?: number;
  readonly height?: number;
  /** Top of the scale; the greatest value unless given. */
  readonly max?: number;
}

export function Sparkline({ label, values, width = 120, height = 28, max }: SparklineProps) {
  const id = useId();
  const known = values.filter((value): value is number => value !== null && Number.isFinite(value));
  if (known.length < 2) return <span className="dim">–</span>;
  const low = Math.min(0, ...known);
  const high = Math.max(max ?? Math.max(...known), low + 1e-9);
  const x = (index: number): number => (index / Math.max(1, values.length - 1)) * (width - 2) + 1;
  const y = (value: number): number => height - 2 - ((value - low) / (high - low)) * (height - 4);
  const runs = runsOf(values);
  const line = runs.map(
    (run) => `M${run.map((at) => `${x(at).toFixed(1)} ${y(values[at] ?? 0).toFixed(1)}`).join("L")}`,
  );
  const area = runs.map(
    (run, at) => `${line[at]}L${x(run.at(-1) ?? 0).toFixed(1)} ${height}L${x(run[0] ?? 0).toFixed(1)} ${height}Z`,
  );
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-labelledby={id}>
      <title id={id}>{label}</title>
      <path d={area.join("")} fill="var(--series-1)" opacity="0.14" />
      <path d={line.join("")} fill="none" stroke="var(--series-1)" strokeWidth="1.4" strokeLinejoin="round" />
    </svg>
  );
}

/** Indices of values, in pieces between those that are missing. */
function runsOf(values: readonly (number | null)[]): number[][] {
  const runs: number[][] = [];
  let open = false;
  values.forEach((value, index) => {
    if (value === null || !Number.isFinite(value)) {
      open = false;
      return;
    }
    if (open) runs.at(-1)?.push(index);
    else runs.push([index]);
    open = true;
  });
  return runs;
}
