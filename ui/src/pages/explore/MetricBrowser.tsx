// All metrics with type, help and number of series: for finding one whose name one does not know.

import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { getMetadata, getMetricNames, getSeriesCounts } from "../../api/prometheus";
import { usePageTime } from "../../app/time/TimeContext";
import { TextInput } from "../../design/controls";
import { DataTable, type TableColumn } from "../../design/DataTable";
import { Empty, ErrorNotice, Loading } from "../../design/States";
import { Value } from "../../design/Value";
import css from "./ExplorePage.module.css";
import { findMetrics, firstQuery, type Metric, metricsOf } from "./metrics";

const NO_COUNTS: ReadonlyMap<string, number> = new Map();
const KEEP_MS = 60_000;

export function MetricBrowser({ onChoose }: { onChoose: (query: string) => void }) {
  const { nowMs } = usePageTime();
  const [typed, setTyped] = useState("");
  const names = useQuery({
    queryKey: ["metricNames"],
    queryFn: ({ signal }) => getMetricNames(signal),
    staleTime: KEEP_MS,
  });
  const metadata = useQuery({
    queryKey: ["metadata"],
    queryFn: ({ signal }) => getMetadata(signal),
    staleTime: KEEP_MS,
  });
  const counts = useQuery({
    queryKey: ["seriesCounts"],
    queryFn: ({ signal }) => getSeriesCounts(nowMs, signal),
    staleTime: KEEP_MS,
  });
  const metrics = useMemo(
    () => (names.data ? metricsOf(names.data, metadata.data ?? {}, counts.data ?? NO_COUNTS) : null),
    [names.data, metadata.data, counts.data],
  );
  const columns = useMemo(() => metricColumns(onChoose), [onChoose]);
  if (names.error) return <ErrorNotice error={names.error} title="The metrics cannot be read" />;
  if (metrics === null) return <Loading what="Reading the metrics" />;
  const found = findMetrics(metrics, typed);
  return (
    <div className="stack">
      <TextInput
        label={`Find one of ${metrics.length} metrics`}
        type="search"
        value={typed}
        onChange={setTyped}
        placeholder="a part of its name, help or type"
        autoFocus
      />
      {found.length === 0 ? (
        <Empty title={metrics.length === 0 ? "There are no metrics yet" : "No metric fits"} />
      ) : (
        <DataTable label="Metrics" rows={found} columns={columns} rowId={(metric) => metric.name} maxHeight={420} />
      )}
    </div>
  );
}

function metricColumns(onChoose: (query: string) => void): readonly TableColumn<Metric>[] {
  return [
    {
      id: "name",
      title: "Metric",
      value: (metric) => metric.name,
      render: (metric) => (
        <>
          <button type="button" className={css.choose} onClick={() => onChoose(firstQuery(metric))}>
            {metric.name}
          </button>
          <div className="dim">{metric.help}</div>
        </>
      ),
    },
    {
      id: "type",
      title: "Type",
      value: (metric) => metric.type,
      render: (metric) => <span className="dim">{metric.type}</span>,
    },
    {
      id: "series",
      title: "Series",
      align: "end",
      value: (metric) => metric.series,
      render: (metric) => <Value value={metric.series} />,
    },
  ];
}
