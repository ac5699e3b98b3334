// What is scraped, what is down and why, and what relabelling dropped.

import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import type { DroppedTarget, Target } from "../../api/prometheus";
import { useTargets } from "../../app/data";
import { Page } from "../../app/Page";
import type { TargetsSearch } from "../../app/router";
import { Badge } from "../../design/Badge";
import { Select, Tabs, TextInput, Toggles } from "../../design/controls";
import { DataTable, type TableColumn } from "../../design/DataTable";
import { Empty, ErrorNotice, Loading } from "../../design/States";
import { RelativeTime, Value } from "../../design/Value";
import { formatLabels } from "../../lib/labels";
import { TargetDetail } from "./TargetDetail";
import css from "./TargetsPage.module.css";
import { durationSeconds, filterTargets, HEALTH_STATUS, lastScrapeMs, targetId } from "./targets";

const route = getRouteApi("/targets");

export default function TargetsPage() {
  const search = route.useSearch();
  const navigate = useNavigate({ from: "/targets" });
  const { data, error } = useTargets();
  const change = useCallback(
    (part: Partial<Record<keyof TargetsSearch, string | undefined>>): void => {
      navigate({ search: (old) => ({ ...old, ...part }) as TargetsSearch, replace: true });
    },
    [navigate],
  );
  const columns = useMemo(
    () => targetColumns((target) => change({ target: target.scrapeUrl, pool: target.scrapePool })),
    [change],
  );
  if (error) return <ErrorNotice error={error} title="The targets cannot be read" />;
  if (!data) return <Loading what="Reading the targets" />;
  const active = data.activeTargets;
  const pools = [...new Set(active.map((target) => target.scrapePool))].sort();
  const shown = filterTargets(active, search);
  const open = active.find(
    (target) => target.scrapeUrl === search.target && (!search.pool || target.scrapePool === search.pool),
  );
  const down = active.filter((target) => target.health === "down").length;
  const droppedCount = Object.values(data.droppedTargetCounts).reduce((sum, count) => sum + count, 0);
  return (
    <Page
      title="Targets"
      actions={
        <>
          <Badge status="ok">{active.length - down} up</Badge>
          {down > 0 && <Badge status="bad">{down} down</Badge>}
        </>
      }
    >
      <Tabs
        label="Targets"
        tabs={[
          {
            id: "active",
            title: `Scraped (${active.length})`,
            content: (
              <div className="stack">
                <div className={css.filters}>
                  <TextInput
                    label="Find"
                    type="search"
                    value={search.find ?? ""}
                    onChange={(find) => change({ find })}
                    placeholder="address, label or error"
                  />
                  <Toggles
                    label="State"
                    value={search.health ?? "all"}
                    onChange={(health) => change({ health: health === "all" ? undefined : health })}
                    choices={[
                      { id: "all", label: "All" },
                      { id: "up", label: "Up" },
                      { id: "down", label: "Down" },
                    ]}
                  />
                  <Select
                    label="Job"
                    value={search.pool ?? "all"}
                    onChange={(pool) => change({ pool: pool === "all" ? undefined : pool })}
                    choices={[{ id: "all", label: "All jobs" }, ...pools.map((pool) => ({ id: pool, label: pool }))]}
                  />
                </div>
                {shown.length === 0 ? (
                  <Empty title={active.length === 0 ? "Nothing is scraped yet" : "No target fits"}>
                    {active.length === 0 && (
                      <>
                        Add a job to <code>scrape_configs</code> in the configuration, and reload.
                      </>
                    )}
                  </Empty>
                ) : (
                  <DataTable
                    label="Scraped targets"
                    rows={shown}
                    columns={columns}
                    rowId={targetId}
                    sortedBy={{ id: "health", desc: false }}
                  />
                )}
              </div>
            ),
          },
          { id: "dropped", title: `Dropped (${droppedCount})`, content: <Dropped targets={data.droppedTargets} /> },
        ]}
      />
      {open && <TargetDetail target={open} onClose={() => change({ target: undefined })} />}
    </Page>
  );
}

function targetColumns(open: (target: Target) => void): readonly TableColumn<Target>[] {
  return [
    {
      id: "health",
      title: "State",
      value: (target) => ["down", "unknown", "up"].indexOf(target.health),
      render: (target) => <Badge status={HEALTH_STATUS[target.health]}>{target.health}</Badge>,
    },
    { id: "pool", title: "Job", value: (target) => target.scrapePool },
    {
      id: "url",
      title: "Target",
      minWidth: 220,
      value: (target) => target.scrapeUrl,
      render: (target) => (
        <>
          <button type="button" className={css.open} onClick={() => open(target)}>
            {target.scrapeUrl}
          </button>
          {target.lastError && <div className={css.error}>{target.lastError}</div>}
        </>
      ),
    },
    {
      id: "labels",
      title: "Labels",
      minWidth: 200,
      value: (target) => formatLabels(target.labels),
      render: (target) => (
        <span className={css.labels}>
          {Object.entries(target.labels)
            .filter(([name]) => name !== "job")
            .map(([name, value]) => (
              <span key={name} className={css.label}>
                {name}={value}
              </span>
            ))}
        </span>
      ),
    },
    {
      id: "last",
      title: "Last scrape",
      value: lastScrapeMs,
      render: (target) => <RelativeTime timeMs={lastScrapeMs(target)} />,
    },
    {
      id: "took",
      title: "Took",
      align: "end",
      value: (target) => target.lastScrapeDuration,
      render: (target) => <Value value={target.lastScrapeDuration} unit="seconds" />,
    },
    {
      id: "interval",
      title: "Every",
      align: "end",
      value: (target) => durationSeconds(target.scrapeInterval),
      render: (target) => target.scrapeInterval,
    },
  ];
}

const DROPPED_COLUMNS: readonly TableColumn<DroppedTarget>[] = [
  { id: "pool", title: "Job", value: (target) => target.scrapePool },
  {
    id: "labels",
    title: "Discovered labels",
    value: (target) => formatLabels(target.discoveredLabels),
    render: (target) => <span className="mono">{formatLabels(target.discoveredLabels)}</span>,
  },
];

function Dropped({ targets }: { targets: readonly DroppedTarget[] }) {
  if (targets.length === 0) return <Empty title="Relabelling has dropped no target" />;
  return (
    <DataTable
      label="Dropped targets"
      rows={targets}
      columns={DROPPED_COLUMNS}
      rowId={(target) => `${target.scrapePool} ${formatLabels(target.discoveredLabels)}`}
    />
  );
}
