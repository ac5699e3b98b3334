// uPlot in Vedette's colours: what a chart looks like and how it answers to the mouse. Drawing only, no React.

import uPlot from "uplot";
import { formatTime, type Zone } from "../lib/time";
import { formatValue, type Unit } from "../lib/units";

export const SERIES_COLOURS = 8;
const DASHES: readonly number[][] = [[], [6, 4], [2, 3], [10, 4, 2, 4]];

/** Which colour and dash the n-th series has: after eight colours the dash changes, so that no two look alike soon. */
export function seriesLook(index: number): { variable: string; dash: number[] } {
  return {
    variable: `--series-${(index % SERIES_COLOURS) + 1}`,
    dash: DASHES[Math.floor(index / SERIES_COLOURS) % DASHES.length] ?? [],
  };
}

/** Steps of an axis of bytes: 1, 2, 4 … KiB and not 1,000 bytes. */
const BINARY_INCREMENTS: number[] = Array.from({ length: 60 }, (_, power) => 2 ** power);

export interface PlotSeries {
  readonly name: string;
  readonly isShown: boolean;
  /** Of the previous day or week: drawn faint. */
  readonly isComparison: boolean;
  readonly look: number;
}

export interface PlotOptions {
  readonly width: number;
  readonly height: number;
  readonly series: readonly PlotSeries[];
  readonly unit: Unit;
  readonly zone: Zone;
  readonly syncKey: string | null;
  readonly onZoom: ((startMs: number, endMs: number) => void) | null;
  readonly onHover: (hover: Hover | null) => void;
}

export interface Hover {
  readonly step: number;
  readonly left: number;
  readonly top: number;
  /** Index of the series nearest to the cursor. */
  readonly nearest: number | null;
  /** False where the cursor is over another chart that shares it. */
  readonly isOwn: boolean;
}

export function colour(variable: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(variable).trim();
}

export function plotOptions(options: PlotOptions): uPlot.Options {
  const { unit, zone, onZoom, onHover, syncKey } = options;
  const many = options.series.length > 50;
  const axis = {
    stroke: colour("--dim"),
    font: `11px ${getComputedStyle(document.body).fontFamily}`,
    grid: { stroke: colour("--grid"), width: 1 },
    ticks: { stroke: colour("--grid"), width: 1, size: 4 },
  };
  return {
    width: options.width,
    height: options.height,
    ms: 1,
    legend: { show: false },
    padding: [8, 8, 0, 0],
    ...(zone === "utc" ? { tzDate: (timeMs: number) => uPlot.tzDate(new Date(timeMs), "Etc/UTC") } : {}),
    cursor: {
      points: { show: !many, size: 6 },
      drag: { x: onZoom !== null, y: false, setScale: false },
      focus: { prox: 24 },
      ...(syncKey ? { sync: { key: syncKey, setSeries: false } } : {}),
    },
    focus: { alpha: many ? 0.15 : 1 },
    scales: { x: { time: true }, y: { range: padded } },
    axes: [
      { ...axis, space: 70, size: 30, values: timeTicks(zone) },
      {
        ...axis,
        space: 32,
        ...(unit === "bytes" || unit === "bytes/s" ? { incrs: BINARY_INCREMENTS } : {}),
        size: (_plot, values) => 14 + Math.max(24, ...(values ?? []).map((text) => text.length * 6.4)),
        values: (_plot, splits) => splits.map((value) => formatValue(value, unit)),
      },
    ],
    series: [
      {},
      ...options.series.map((series) => {
        const look = seriesLook(series.look);
        return {
          label: series.name,
          show: series.isShown,
          stroke: colour(look.variable),
          width: 1.5,
          dash: series.isComparison ? [2, 4] : look.dash,
          alpha: series.isComparison ? 0.6 : 1,
          points: { show: true, filter: isolatedPoints },
          spanGaps: false,
        };
      }),
    ],
    hooks: {
      setSelect: [
        (plot) => {
          if (plot.select.width > 4 && onZoom)
            onZoom(plot.posToVal(plot.select.left, "x"), plot.posToVal(plot.select.left + plot.select.width, "x"));
          plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
        },
      ],
      setCursor: [
        (plot) => {
          const { idx, left = -1, top = -1 } = plot.cursor;
          if (idx === null || idx === undefined || left < 0) onHover(null);
          else
            onHover({
              step: idx,
              left: left + plot.bbox.left / devicePixelRatio,
              top,
              nearest: nearest(plot, idx, top),
              isOwn: plot.over.matches(":hover"),
            });
        },
      ],
    },
  };
}

/** A point is drawn only where it has no neighbours, and would be lost between two gaps. */
function isolatedPoints(plot: uPlot, index: number): number[] | null {
  const values = plot.data[index];
  if (!values) return null;
  const found: number[] = [];
  for (let at = 0; at < values.length; at += 1) {
    const alone = (values[at - 1] ?? null) === null && (values[at + 1] ?? null) === null;
    if ((values[at] ?? null) !== null && alone) found.push(at);
  }
  return found;
}

function nearest(plot: uPlot, step: number, top: number): number | null {
  let best: number | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (let index = 1; index < plot.data.length; index += 1) {
    const value = plot.data[index]?.[step];
    if (value === null || value === undefined || !plot.series[index]?.show) continue;
    const distance = Math.abs(plot.valToPos(value, "y") - top);
    if (distance < bestDistance) [best, bestDistance] = [index - 1, distance];
  }
  return best;
}

/** The scale begins at zero unless values are far from it, and a flat line stands in its middle. */
function padded(_plot: uPlot, low: number | null, high: number | null): uPlot.Range.MinMax {
  if (low === null || high === null || !Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
  if (low === high) return low === 0 ? [0, 1] : low > 0 ? [0, low * 1.5] : [low * 1.5, 0];
  const margin = (high - low) * 0.06;
  const bottom = low >= 0 && low < high * 0.6 ? 0 : low - margin;
  return [bottom, high + margin];
}

function timeTicks(zone: Zone): uPlot.Axis.DynamicValues {
  return (_plot, splits, _axis, _space, step) => {
    let previousDay = "";
    return splits.map((timeMs) => {
      const text = formatTime(timeMs, zone, step < 60_000 ? "second" : "minute");
      const [day = "", time = ""] = text.split(" ");
      const isNewDay = previousDay !== "" && day !== previousDay;
      previousDay = day;
      if (step >= 86_400_000) return day.slice(5);
      return isNewDay || time === "00:00" ? `${day.slice(5)}\n${time}` : time;
    });
  };
}
