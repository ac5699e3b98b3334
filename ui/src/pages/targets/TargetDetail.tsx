// One target: why it is down, what relabelling made of it, how long its scrapes take.

import type { Target } from "../../api/prometheus";
import { useRange } from "../../app/data";
import { usePageTime } from "../../app/time/TimeContext";
import { Badge } from "../../design/Badge";
import { Chart } from "../../design/Chart";
import { Button, Dialog } from "../../design/controls";
import { DataTable, type TableColumn } from "../../design/DataTable";
import { ErrorNotice, Loading } from "../../design/States";
import { RelativeTime, Value } from "../../design/Value";
import css from "./TargetsPage.module.css";
import { HEALTH_STATUS, type LabelChange, labelChanges, lastScrapeMs } from "./targets";

const COLUMNS: readonly TableColumn<LabelChange>[] = [
  { id: "name", title: "Label", value: (row) => row.name, render: (row) => <code>{row.name}</code> },
  { id: "before", title: "Discovered", value: (row) => row.before, render: (row) => <Text text={row.before} /> },
  { id: "after", title: "After relabelling", value: (row) => row.after, render: (row) => <Text text={row.after} /> },
];

function Text({ text }: { text: string | null }) {
  return text === null ? <span className="dim">–</span> : <span className="mono">{text === "" ? '""' : text}</span>;
}

export function TargetDetail({ target, onClose }: { target: Target; onClose: () => void }) {
  const { zone } = usePageTime();
  const selector = `job=${JSON.stringify(target.labels.job ?? "")},instance=${JSON.stringify(target.labels.instance ?? "")}`;
  const query = `scrape_duration_seconds{${selector}}`;
  const { data, error } = useRange(query, { points: 120 });
  const name = target.labels.instance ?? target.scrapeUrl;
  return (
    <Dialog label={`Target ${name}`} isOpen onOpenChange={(isOpen) => !isOpen && onClose()}>
      <div className="stack">
        <div className="row">
          <h2>{name}</h2>
          <Badge status={HEALTH_STATUS[target.health]}>{target.health}</Badge>
          <span className="spread">
            <Button look="quiet" icon="close" aria-label="Close" onPress={onClose} />
          </span>
        </div>
        {target.lastError && <ErrorNotice error={target.lastError} title="The last scrape failed" />}
        <dl className={css.facts}>
          <dt>Job</dt>
          <dd>{target.scrapePool}</dd>
          <dt>Address</dt>
          <dd className="mono">{target.scrapeUrl}</dd>
          <dt>Last scrape</dt>
          <dd>
            <RelativeTime timeMs={lastScrapeMs(target)} />, took{" "}
            <Value value={target.lastScrapeDuration} unit="seconds" />
          </dd>
          <dt>Every</dt>
          <dd>
            {target.scrapeInterval}, given up after {target.scrapeTimeout}
          </dd>
        </dl>
        {error ? (
          <ErrorNotice error={error} />
        ) : data === undefined ? (
          <Loading />
        ) : (
          data.series.length > 0 && (
            <Chart
              title="Time of a scrape"
              matrix={data}
              unit="seconds"
              height={130}
              query={query}
              zone={zone}
              isLegendHidden
            />
          )
        )}
        <DataTable
          label="Labels"
          rows={labelChanges(target)}
          columns={COLUMNS}
          rowId={(row) => row.name}
          maxHeight={280}
        />
      </div>
    </Dialog>
  );
}
