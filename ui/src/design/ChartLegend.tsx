// The series of a chart with their last, least and greatest values. A click shows one alone; with Ctrl or Shift it hides one.

import { formatValue, type Unit } from "../lib/units";
import css from "./Chart.module.css";
import { seriesLook } from "./plot";
import type { PlotEntry } from "./usePlot";

interface ChartLegendProps {
  readonly entries: readonly PlotEntry[];
  readonly hidden: ReadonlySet<string>;
  readonly onToggle: (name: string, isAlone: boolean) => void;
  readonly unit: Unit;
  /** The step under the cursor; null to show the last values. */
  readonly step: number | null;
}

const MAX_ROWS = 200;

export function ChartLegend({ entries, hidden, onToggle, unit, step }: ChartLegendProps) {
  return (
    <div className={css.legend}>
      {entries.slice(0, MAX_ROWS).map((entry, index) => {
        const stats = statsOf(entry.values);
        const value = step === null ? stats.last : (entry.values[step] ?? null);
        return (
          <button
            // Names may repeat; the order does not change while the entries are the same.
            // biome-ignore lint/suspicious/noArrayIndexKey: as said above
            key={index}
            type="button"
            className={css.entry}
            aria-pressed={!hidden.has(entry.name)}
            title={`${entry.name}\nClick: only this one. Ctrl or Shift and click: hide it.`}
            onClick={(event) => onToggle(entry.name, !(event.ctrlKey || event.metaKey || event.shiftKey))}
          >
            <Swatch look={entry.look} isComparison={entry.isComparison} />
            <span className={css.entryName}>{entry.name}</span>
            <Stat label={step === null ? "last" : "at"} value={value} unit={unit} />
            <Stat label="min" value={stats.min} unit={unit} isOptional />
            <Stat label="max" value={stats.max} unit={unit} isOptional />
          </button>
        );
      })}
      {entries.length > MAX_ROWS && <p className={css.note}>and {entries.length - MAX_ROWS} more</p>}
    </div>
  );
}

interface StatProps {
  readonly label: string;
  readonly value: number | null;
  readonly unit: Unit;
  readonly isOptional?: boolean;
}

function Stat({ label, value, unit, isOptional = false }: StatProps) {
  return (
    <span className={`number ${css.stat} ${isOptional ? css.optional : ""}`}>
      <small>{label}</small> {value === null ? "–" : formatValue(value, unit)}
    </span>
  );
}

export function Swatch({ look, isComparison }: { look: number; isComparison: boolean }) {
  const { variable, dash } = seriesLook(look);
  return (
    <svg className={css.swatch} viewBox="0 0 14 8" aria-hidden="true">
      <line
        x1="0"
        x2="14"
        y1="4"
        y2="4"
        stroke={`var(${variable})`}
        strokeWidth="3"
        strokeDasharray={(isComparison ? [2, 2] : dash).join(" ")}
      />
    </svg>
  );
}

function statsOf(values: readonly (number | null)[]): { last: number | null; min: number | null; max: number | null } {
  let last: number | null = null;
  let min: number | null = null;
  let max: number | null = null;
  for (const value of values) {
    if (value === null || Number.isNaN(value)) continue;
    last = value;
    min = min === null || value < min ? value : min;
    max = max === null || value > max ? value : max;
  }
  return { last, min, max };
}
