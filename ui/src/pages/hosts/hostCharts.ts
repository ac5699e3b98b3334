// What is drawn of one host. Pure.

import type { Unit } from "../../lib/units";
import { REAL_FILESYSTEMS } from "./hosts";

export interface HostChart {
  readonly title: string;
  readonly expr: string;
  readonly unit: Unit;
}

/** Matchers for the series of one host. */
export function hostMatchers(job: string, instance: string): string {
  return [job && `job=${JSON.stringify(job)}`, `instance=${JSON.stringify(instance)}`].filter(Boolean).join(",");
}

export function hostCharts(job: string, instance: string): HostChart[] {
  const host = hostMatchers(job, instance);
  const disks = `${host},${REAL_FILESYSTEMS}`;
  return [
    {
      title: "CPU by mode",
      expr: `avg by (mode) (rate(node_cpu_seconds_total{${host},mode!="idle"}[$window]))`,
      unit: "ratio",
    },
    { title: "Load", expr: `{__name__=~"node_load(1|5|15)",${host}}`, unit: "number" },
    {
      title: "Memory in use",
      expr: `node_memory_MemTotal_bytes{${host}} - node_memory_MemAvailable_bytes{${host}}`,
      unit: "bytes",
    },
    {
      title: "Disks, how full",
      expr: `max by (mountpoint) (1 - node_filesystem_avail_bytes{${disks}} / node_filesystem_size_bytes{${disks}})`,
      unit: "ratio",
    },
    {
      title: "Disks, read and written",
      expr: `sum by (device) (rate(node_disk_read_bytes_total{${host}}[$window]) + rate(node_disk_written_bytes_total{${host}}[$window]))`,
      unit: "bytes/s",
    },
    {
      title: "Disks, share of time busy",
      expr: `sum by (device) (rate(node_disk_io_time_seconds_total{${host}}[$window]))`,
      unit: "ratio",
    },
    {
      title: "Network in",
      expr: `sum by (device) (rate(node_network_receive_bytes_total{${host},device!="lo"}[$window]))`,
      unit: "bytes/s",
    },
    {
      title: "Network out",
      expr: `sum by (device) (rate(node_network_transmit_bytes_total{${host},device!="lo"}[$window]))`,
      unit: "bytes/s",
    },
  ];
}
