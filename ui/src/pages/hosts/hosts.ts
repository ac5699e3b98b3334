// What is known of each host, out of node_exporter's metrics.

import type { Sample } from "../../api/prometheus";
import type { Labels } from "../../lib/labels";
import type { Matrix } from "../../lib/matrix";

export const REAL_FILESYSTEMS = 'fstype!~"tmpfs|ramfs|overlay|squashfs|devtmpfs|iso9660|fuse.*"';

export const HOST_QUERIES = {
  cpu: '1 - avg by (job, instance) (rate(node_cpu_seconds_total{mode="idle"}[$window]))',
  memory: "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes",
  disk: `max by (job, instance) (1 - node_filesystem_avail_bytes{${REAL_FILESYSTEMS}} / node_filesystem_size_bytes{${REAL_FILESYSTEMS}})`,
  load: "node_load1",
  received: 'sum by (job, instance) (rate(node_network_receive_bytes_total{device!="lo"}[$window]))',
  uptime: "time() - node_boot_time_seconds",
} as const;

export type HostMeasure = keyof typeof HOST_QUERIES;

export interface Host {
  readonly id: string;
  readonly name: string;
  readonly job: string;
  readonly now: Readonly<Partial<Record<HostMeasure, number>>>;
  readonly history: Readonly<Partial<Record<HostMeasure, (number | null)[]>>>;
}

/**
 * One entry for each host that any of the answers knows.
 *
 * @param now the last values: a host that has only just appeared has no history yet.
 * @param history values over the page's time.
 */
export function hostsOf(
  now: Readonly<Partial<Record<HostMeasure, readonly Sample[]>>>,
  history: Readonly<Partial<Record<HostMeasure, Matrix>>>,
): Host[] {
  const found = new Map<string, Host>();
  const hostOf = (labels: Labels): Host => {
    const { instance = "", job = "" } = labels;
    const id = `${job} ${instance}`;
    return found.get(id) ?? { id, name: instance, job, now: {}, history: {} };
  };
  for (const [measure, samples] of Object.entries(now))
    for (const { labels, value } of samples) {
      const host = hostOf(labels);
      found.set(host.id, { ...host, now: { ...host.now, [measure]: value } });
    }
  for (const [measure, matrix] of Object.entries(history))
    for (const { labels, values } of matrix.series) {
      const host = hostOf(labels);
      found.set(host.id, { ...host, history: { ...host.history, [measure]: values } });
    }
  return [...found.values()].sort((a, b) => a.name.localeCompare(b.name));
}
