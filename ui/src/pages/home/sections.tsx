// The sections of the start page. A capability that has something to say here adds one.

import { useQueries } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ComponentType } from "react";
import type { Target } from "../../api/prometheus";
import { useTargets } from "../../app/data";
import { MetricChart } from "../../app/MetricChart";
import { usePageTime } from "../../app/time/TimeContext";
import { Badge } from "../../design/Badge";
import { Icon } from "../../design/Icon";
import { Empty, ErrorNotice, Loading } from "../../design/States";
import { HostTable } from "../hosts/HostTable";
import css from "./HomePage.module.css";
import { PROBLEM_SOURCES } from "./problems";

export interface HomeSection {
  readonly id: string;
  readonly title: string;
  readonly Content: ComponentType;
}

export const HOME_SECTIONS: readonly HomeSection[] = [
  { id: "problems", title: "Wrong now", Content: Problems },
  { id: "hosts", title: "Hosts", Content: HostTable },
  { id: "targets", title: "Targets by job", Content: Jobs },
  { id: "vedette", title: "Vedette itself", Content: Itself },
];

function Problems() {
  const { nowMs } = usePageTime();
  const answers = useQueries({
    queries: PROBLEM_SOURCES.map((source) => ({
      queryKey: ["problems", source.id, nowMs],
      queryFn: ({ signal }: { signal: AbortSignal }) => source.load(nowMs, signal),
      placeholderData: (previous: unknown) => previous as never,
    })),
  });
  const problems = answers.flatMap((answer) => answer.data ?? []);
  const failed = answers.filter((answer) => answer.error);
  const isPending = answers.some((answer) => answer.data === undefined && !answer.error);
  if (isPending && problems.length === 0) return <Loading what="Looking around" />;
  return (
    <div className={`card ${css.compact}`}>
      {failed.map((answer) => (
        <ErrorNotice key={String(answer.error)} error={answer.error} title="A part of this could not be read" />
      ))}
      {problems.length === 0 && failed.length === 0 && (
        <p className={css.fine}>
          <Badge status="ok">Fine</Badge> All targets answer, no disk is almost full, nothing is dropped.
        </p>
      )}
      <ul className={css.problems}>
        {problems.map((problem) => (
          <li key={problem.id} className={css.problem}>
            <span>
              <Badge status={problem.status}>{problem.status === "bad" ? "Broken" : "At risk"}</Badge>
            </span>
            <span>
              <Link to={problem.to} search={problem.search as never}>
                {problem.title}
              </Link>
              <div className="dim">{problem.detail}</div>
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Jobs() {
  const { data, error } = useTargets();
  if (error) return <ErrorNotice error={error} title="The targets cannot be read" />;
  if (!data) return <Loading what="Reading the targets" />;
  const jobs = new Map<string, Target[]>();
  for (const target of data.activeTargets)
    jobs.set(target.scrapePool, [...(jobs.get(target.scrapePool) ?? []), target]);
  if (jobs.size === 0) return <Empty title="Nothing is scraped yet">Add a job to the configuration, and reload.</Empty>;
  return (
    <div className={css.jobs}>
      {[...jobs].map(([pool, targets]) => {
        const up = targets.filter((target) => target.health === "up").length;
        const status = up === targets.length ? "ok" : up === 0 ? "bad" : "warn";
        return (
          <Link key={pool} to="/targets" search={{ pool }} className={css.job ?? ""}>
            <Icon name="target" />
            <span className={css.name}>{pool}</span>
            <span className="spread">
              <Badge status={status}>
                {up} of {targets.length} up
              </Badge>
            </span>
          </Link>
        );
      })}
    </div>
  );
}

const ITSELF = [
  { title: "Samples stored", expr: "sum(rate(vedette_samples_stored_total[$window]))", unit: "per second" },
  { title: "Requests answered", expr: "sum(rate(vedette_http_requests_total[$window]))", unit: "per second" },
  { title: "Series known", expr: "sum(vedette_series)", unit: "number" },
] as const;

function Itself() {
  return (
    <div className={css.charts}>
      {ITSELF.map((chart) => (
        <MetricChart key={chart.title} {...chart} syncKey="home" isLegendHidden />
      ))}
    </div>
  );
}
