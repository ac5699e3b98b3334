// Keeps a uPlot in step with what a chart shows: made anew when its shape changes, given new data when only those do, so
// that a refresh neither flickers nor takes the crosshair away.

import { type RefObject, useEffect, useRef } from "react";
import uPlot from "uplot";
import type { Zone } from "../lib/time";
import type { Unit } from "../lib/units";
import { type Hover, plotOptions } from "./plot";
import { useTheme } from "./theme";

export interface PlotEntry {
  readonly name: string;
  readonly values: readonly (number | null)[];
  readonly look: number;
  /** Of the previous day or week. */
  readonly isComparison: boolean;
}

interface PlotInput {
  readonly host: RefObject<HTMLDivElement | null>;
  readonly timesMs: readonly number[];
  readonly entries: readonly PlotEntry[];
  readonly hidden: ReadonlySet<string>;
  readonly width: number;
  readonly height: number;
  readonly unit: Unit;
  readonly zone: Zone;
  readonly syncKey: string | undefined;
  readonly onZoom: ((startMs: number, endMs: number) => void) | undefined;
  readonly onHover: (hover: Hover | null) => void;
}

export function usePlot(input: PlotInput): RefObject<uPlot | null> {
  const { host, timesMs, entries, hidden, width, height, unit, zone, syncKey } = input;
  const theme = useTheme();
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(input);
  latest.current = input;
  const shape = JSON.stringify(entries.map((entry) => [entry.name, entry.isComparison, hidden.has(entry.name)]));

  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` stands for the entries, `theme` for the colours read
  useEffect(() => {
    const element = host.current;
    if (!element || width === 0) return;
    const now = latest.current;
    const series = now.entries.map((entry) => ({ ...entry, isShown: !now.hidden.has(entry.name) }));
    const made = new uPlot(
      plotOptions({
        width,
        height,
        series,
        unit,
        zone,
        syncKey: syncKey ?? null,
        onZoom: now.onZoom ? (startMs, endMs) => latest.current.onZoom?.(startMs, endMs) : null,
        onHover: (hover) => latest.current.onHover(hover),
      }),
      dataOf(now.timesMs, now.entries),
      element,
    );
    plot.current = made;
    return () => {
      plot.current = null;
      made.destroy();
    };
  }, [host, shape, width, height, unit, zone, syncKey, theme]);

  useEffect(() => {
    const drawn = plot.current;
    if (!drawn || drawn.data[0] === timesMs || drawn.series.length !== entries.length + 1) return;
    drawn.setData(dataOf(timesMs, entries));
  }, [timesMs, entries]);

  return plot;
}

function dataOf(timesMs: readonly number[], entries: readonly PlotEntry[]): uPlot.AlignedData {
  return [timesMs, ...entries.map((entry) => entry.values)] as uPlot.AlignedData;
}
