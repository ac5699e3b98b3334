// The frame around a chart: title, menu (copy as link, PNG, CSV, query), crosshair with values, legend.

import { type ReactNode, useLayoutEffect, useMemo, useRef, useState } from "react";
import "uplot/dist/uPlot.min.css";
import { matrixToCsv } from "../lib/csv";
import { shortNames } from "../lib/labels";
import type { Matrix } from "../lib/matrix";
import { formatTime, type Zone } from "../lib/time";
import { formatValue, type Unit } from "../lib/units";
import css from "./Chart.module.css";
import { ChartLegend, Swatch } from "./ChartLegend";
import { chartToPng, fileName, saveFile } from "./chartExport";
import { ActionMenu, IconButton } from "./controls";
import type { Hover } from "./plot";
import { type PlotEntry, usePlot } from "./usePlot";

export interface ChartProps {
  readonly title: string;
  readonly matrix: Matrix;
  /** Of an earlier window, moved onto this one's times. */
  readonly comparison?: Matrix | null;
  readonly comparisonName?: string;
  readonly names?: readonly string[];
  readonly unit?: Unit;
  readonly zone?: Zone;
  readonly height?: number;
  readonly query?: string;
  /** Charts with the same key share their crosshair. */
  readonly syncKey?: string;
  readonly onZoom?: (startMs: number, endMs: number) => void;
  readonly isBusy?: boolean;
  readonly isLegendHidden?: boolean;
  readonly actions?: ReactNode;
}

const MAX_DRAWN = 500;
const TIP_ROWS = 10;

export function Chart(props: ChartProps) {
  const { title, matrix, comparison, unit = "number", zone = "local", height = 240, isBusy = false } = props;
  const { query, syncKey, onZoom, comparisonName = "before" } = props;
  const host = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [hover, setHover] = useState<Hover | null>(null);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const drawn = useMemo(() => matrix.series.slice(0, MAX_DRAWN), [matrix]);
  const names = useMemo(() => props.names ?? shortNames(drawn.map((series) => series.labels)), [drawn, props.names]);
  const entries = useMemo<PlotEntry[]>(() => {
    const now = drawn.map((series, index) => ({
      name: names[index] ?? "",
      values: series.values,
      look: index,
      isComparison: false,
    }));
    const past = (comparison?.series ?? []).slice(0, MAX_DRAWN).map((series, index) => ({
      name: `${names[index] ?? ""} · ${comparisonName}`,
      values: series.values,
      look: index,
      isComparison: true,
    }));
    return [...now, ...past];
  }, [drawn, names, comparison, comparisonName]);

  useLayoutEffect(() => {
    const element = host.current;
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const plot = usePlot({
    host,
    timesMs: matrix.timesMs,
    entries,
    hidden,
    width,
    height,
    unit,
    zone,
    syncKey,
    onZoom,
    onHover: setHover,
  });

  const toggle = (name: string, isAlone: boolean): void => {
    const others = entries.filter((entry) => entry.name !== name).map((entry) => entry.name);
    const onlyThis = !hidden.has(name) && others.every((other) => hidden.has(other));
    if (isAlone) setHidden(onlyThis ? new Set() : new Set(others));
    else
      setHidden((now) => (now.has(name) ? new Set([...now].filter((one) => one !== name)) : new Set([...now, name])));
  };

  const actions = [
    { id: "link", label: "Copy link to this view", icon: "link", onAction: () => copy(location.href) },
    ...(query ? [{ id: "query", label: "Copy query", icon: "copy", onAction: () => copy(query) } as const] : []),
    {
      id: "csv",
      label: "Save as CSV",
      icon: "download",
      onAction: () => saveFile(fileName(title, "csv"), new Blob([matrixToCsv(matrix, names)], { type: "text/csv" })),
    },
    {
      id: "png",
      label: "Save as PNG",
      icon: "download",
      onAction: async () => {
        const image = plot.current && (await chartToPng(plot.current, title, names));
        if (image) saveFile(fileName(title, "png"), image);
      },
    },
  ] as const;

  return (
    <figure className={css.frame} style={{ margin: 0 }} aria-label={title || "Chart"}>
      <div className={css.header}>
        <figcaption className={css.title}>{title}</figcaption>
        <span className="spread row">
          {props.actions}
          <ActionMenu label={`${title} actions`} actions={actions}>
            <IconButton label="Chart actions" icon="more" isSmall />
          </ActionMenu>
        </span>
      </div>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: leaving the plot ends the hover that uPlot began */}
      <div
        ref={host}
        className={`${css.plot} ${isBusy ? css.busy : ""}`}
        style={{ minHeight: height }}
        onMouseLeave={() => setHover(null)}
      >
        {hover?.isOwn && (
          <Tip
            hover={hover}
            entries={entries}
            hidden={hidden}
            timeMs={matrix.timesMs[hover.step]}
            width={width}
            unit={unit}
            zone={zone}
          />
        )}
      </div>
      {matrix.series.length > MAX_DRAWN && (
        <p className={css.note}>
          {MAX_DRAWN} of {matrix.series.length} series are drawn. Narrow the query, or take the top ones with topk().
        </p>
      )}
      {!props.isLegendHidden && (
        <ChartLegend entries={entries} hidden={hidden} onToggle={toggle} unit={unit} step={hover?.step ?? null} />
      )}
    </figure>
  );
}

interface TipProps {
  readonly hover: Hover;
  readonly entries: readonly PlotEntry[];
  readonly hidden: ReadonlySet<string>;
  readonly timeMs: number | undefined;
  readonly width: number;
  readonly unit: Unit;
  readonly zone: Zone;
}

function Tip({ hover, entries, hidden, timeMs, width, unit, zone }: TipProps) {
  const rows = entries
    .map((entry, index) => ({ ...entry, index, value: entry.values[hover.step] ?? null }))
    .filter((row) => row.value !== null && !hidden.has(row.name))
    .sort((a, b) => (b.value ?? 0) - (a.value ?? 0));
  if (timeMs === undefined || rows.length === 0) return null;
  // The nearest is always among those that are shown.
  const at = Math.max(
    0,
    rows.findIndex((row) => row.index === hover.nearest),
  );
  const first = Math.max(0, Math.min(at - TIP_ROWS / 2, rows.length - TIP_ROWS));
  const isRight = hover.left > width / 2;
  return (
    <div className={css.tip} style={isRight ? { right: width - hover.left + 12 } : { left: hover.left + 12 }}>
      <strong className="number">{formatTime(timeMs, zone)}</strong>
      {rows.slice(first, first + TIP_ROWS).map((row) => (
        <div key={row.index} className={`${css.tipRow} ${row.index === hover.nearest ? css.near : ""}`}>
          <Swatch look={row.look} isComparison={row.isComparison} />
          <span className={css.tipName}>{row.name}</span>
          <span className={`number ${css.tipValue}`}>{formatValue(row.value ?? Number.NaN, unit)}</span>
        </div>
      ))}
      {rows.length > TIP_ROWS && <span className="dim">and {rows.length - TIP_ROWS} more</span>}
    </div>
  );
}

function copy(text: string): void {
  // Refused where the page is not in focus, or served without TLS from elsewhere; there is nothing to mend then.
  navigator.clipboard?.writeText(text).catch(() => undefined);
}
