// A chart of one expression over the page's time range, in a card, with its own loading, empty and error states.

import { Chart } from "../design/Chart";
import { Empty, Loading, QueryErrorNotice, Warnings } from "../design/States";
import type { Unit } from "../lib/units";
import { fillIn, useRange, useSteps } from "./data";
import { usePageTime } from "./time/TimeContext";

export interface MetricChartProps {
  readonly title: string;
  /** PromQL; `$window` becomes a duration that suits the range. */
  readonly expr: string;
  readonly unit: Unit;
  readonly height?: number;
  /** Charts with the same key share their crosshair. */
  readonly syncKey: string;
  readonly isLegendHidden?: boolean;
}

const POINTS = 160;

export function MetricChart({ title, expr, unit, height = 150, syncKey, isLegendHidden = false }: MetricChartProps) {
  const { setWindow, zone } = usePageTime();
  const { stepMs } = useSteps(POINTS);
  const { data, error, isPlaceholderData } = useRange(expr, { points: POINTS });
  return (
    <div className="card">
      {error ? (
        <>
          <h3>{title}</h3>
          <QueryErrorNotice error={error} query={expr} />
        </>
      ) : !data ? (
        <Loading what={title} />
      ) : data.series.length === 0 ? (
        <>
          <h3>{title}</h3>
          <Empty title="Nothing was measured in this time yet" />
        </>
      ) : (
        <>
          <Warnings texts={data.warnings} />
          <Chart
            title={title}
            matrix={data}
            unit={unit}
            zone={zone}
            height={height}
            query={fillIn(expr, stepMs)}
            syncKey={syncKey}
            isBusy={isPlaceholderData}
            isLegendHidden={isLegendHidden}
            onZoom={(startMs, endMs) => setWindow({ startMs, endMs })}
          />
        </>
      )}
    </div>
  );
}
