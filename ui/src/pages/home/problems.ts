// What is wrong now. Later capabilities add their own sources; the page knows none of them by name.

import { getLedger } from "../../api/ledger";
import { getTargets, queryInstant } from "../../api/prometheus";
import type { Status } from "../../design/Badge";
import { formatValue } from "../../lib/units";
import { REAL_FILESYSTEMS } from "../hosts/hosts";

export interface Problem {
  readonly id: string;
  readonly status: Status;
  readonly title: string;
  readonly detail: string;
  /** Where its cause is. */
  readonly to: "/targets" | "/explore";
  readonly search: Record<string, string | string[]>;
}

export interface ProblemSource {
  readonly id: string;
  readonly load: (nowMs: number, signal: AbortSignal) => Promise<Problem[]>;
}

const FREE_RATIO = 0.1;

export const PROBLEM_SOURCES: readonly ProblemSource[] = [
  {
    id: "targets",
    load: async (_nowMs, signal) =>
      (await getTargets(signal)).activeTargets
        .filter((target) => target.health === "down")
        .map((target) => ({
          id: `target ${target.scrapePool} ${target.scrapeUrl}`,
          status: "bad",
          title: `${target.scrapePool}: ${target.labels.instance ?? target.scrapeUrl} is down`,
          detail: target.lastError,
          to: "/targets",
          search: { pool: target.scrapePool, target: target.scrapeUrl },
        })),
  },
  {
    id: "disks",
    load: async (nowMs, signal) => {
      const free = `node_filesystem_avail_bytes{${REAL_FILESYSTEMS}} / node_filesystem_size_bytes{${REAL_FILESYSTEMS}}`;
      const { samples } = await queryInstant(`${free} < ${FREE_RATIO}`, nowMs, signal);
      return samples.map(({ labels, value }) => ({
        id: `disk ${labels.instance} ${labels.mountpoint}`,
        status: value < FREE_RATIO / 2 ? "bad" : "warn",
        title: `${labels.instance}: ${labels.mountpoint} is almost full`,
        detail: `${formatValue(value, "ratio")} of ${labels.device} is free`,
        to: "/explore",
        search: { q: [`node_filesystem_avail_bytes{instance="${labels.instance}",mountpoint="${labels.mountpoint}"}`] },
      }));
    },
  },
  {
    id: "ingest",
    load: async (_nowMs, signal) =>
      (await getLedger(signal))
        .filter((source) => source.lastProblem && Object.keys(source.dropped).length > 0)
        .map((source) => ({
          id: `ingest ${source.source}`,
          status: "warn",
          title: `Samples from ${source.source} are dropped`,
          detail: `${source.lastProblem}; ${Object.entries(source.dropped)
            .map(([reason, count]) => `${count} ${reason.replaceAll("_", " ")}`)
            .join(", ")}`,
          to: "/targets",
          search: {},
        })),
  },
];
