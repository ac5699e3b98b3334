// What a query answers, as a graph over the page's time or as a table of its end.

import { useMemo } from "react";
import type { Sample } from "../../api/prometheus";
import { useComparison, useInstant, useRange } from "../../app/data";
import { usePageTime } from "../../app/time/TimeContext";
import { Chart } from "../../design/Chart";
import { saveFile } from "../../design/chartExport";
import { Button } from "../../design/controls";
import { DataTable, type TableColumn } from "../../design/DataTable";
import { Empty, Loading, QueryErrorNotice, Warnings } from "../../design/States";
import { Value } from "../../design/Value";
import { rowsToCsv } from "../../lib/csv";
import { formatLabels } from "../../lib/labels";
import { formatTime } from "../../lib/time";
import { guessUnit, type Unit } from "../../lib/units";
import css from "./ExplorePage.module.css";

export function QueryGraph({ query, title }: { query: string; title: string }) {
  const { setWindow, zone, compare } = usePageTime();
  const { data, error, isPlaceholderData } = useRange(query);
  const past = useComparison(query);
  if (error) return <QueryErrorNotice error={error} query={query} />;
  if (!data) return <Loading what="Asking" />;
  return (
    <div className="stack">
      <Warnings texts={data.warnings} />
      {data.series.length === 0 ? (
        <Nothing />
      ) : (
        <div className="card">
          <Chart
            title={title}
            matrix={data}
            comparison={past.data ?? null}
            comparisonName={compare === "week" ? "the week before" : "the day before"}
            unit={guessUnit(query)}
            zone={zone}
            height={320}
            query={query}
            syncKey="explore"
            isBusy={isPlaceholderData}
            onZoom={(startMs, endMs) => setWindow({ startMs, endMs })}
          />
        </div>
      )}
    </div>
  );
}

export function QueryTable({ query, title }: { query: string; title: string }) {
  const { zone } = usePageTime();
  const { data, error } = useInstant(query);
  const unit = guessUnit(query);
  const columns = useMemo(() => sampleColumns(unit), [unit]);
  if (error) return <QueryErrorNotice error={error} query={query} />;
  if (!data) return <Loading what="Asking" />;
  const [first] = data.samples;
  const save = (): void => {
    const rows = data.samples.map((sample) => [formatLabels(sample.labels), String(sample.value)]);
    saveFile("query.csv", new Blob([rowsToCsv([["series", "value"], ...rows])], { type: "text/csv" }));
  };
  return (
    <div className="stack">
      <Warnings texts={data.warnings} />
      {data.kind === "string" ? (
        <p className="card mono">{data.text}</p>
      ) : !first ? (
        <Nothing />
      ) : (
        <>
          <div className="row">
            <span className="mono">{title}</span>
            <span className={css.summary}>
              {data.samples.length} series at {formatTime(first.timeMs, zone)}
            </span>
            <span className="spread">
              <Button look="quiet" icon="download" isSmall onPress={save}>
                CSV
              </Button>
            </span>
          </div>
          <DataTable
            label={`Answer to ${title}`}
            rows={data.samples}
            columns={columns}
            rowId={(sample) => formatLabels(sample.labels)}
          />
        </>
      )}
    </div>
  );
}

function sampleColumns(unit: Unit): readonly TableColumn<Sample>[] {
  return [
    {
      id: "series",
      title: "Series",
      value: (sample) => formatLabels(sample.labels),
      render: (sample) => <span className={css.labels}>{formatLabels(sample.labels)}</span>,
    },
    {
      id: "value",
      title: "Value",
      align: "end",
      value: (sample) => sample.value,
      render: (sample) => <Value value={sample.value} unit={unit} />,
    },
  ];
}

function Nothing() {
  return (
    <Empty title="The query is right, and finds nothing">
      Widen the time range, or take label matchers away one by one until something appears.
    </Empty>
  );
}
