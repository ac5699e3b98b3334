// The hosts, each in a row: how busy, how full, and how it went.

import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { useRange } from "../../app/data";
import { DataTable, type TableColumn } from "../../design/DataTable";
import { Meter } from "../../design/Meter";
import { Sparkline } from "../../design/Sparkline";
import { Empty, ErrorNotice, Loading } from "../../design/States";
import { Value } from "../../design/Value";
import { HOST_QUERIES, type Host, type HostMeasure, hostsOf } from "./hosts";

const POINTS = 60;

export function useHosts(): { hosts: Host[] | null; error: unknown } {
  const cpu = useRange(HOST_QUERIES.cpu, { points: POINTS });
  const memory = useRange(HOST_QUERIES.memory, { points: POINTS });
  const disk = useRange(HOST_QUERIES.disk, { points: POINTS });
  const load = useRange(HOST_QUERIES.load, { points: POINTS });
  const received = useRange(HOST_QUERIES.received, { points: POINTS });
  const uptime = useRange(HOST_QUERIES.uptime, { points: POINTS });
  const data = [cpu.data, memory.data, disk.data, load.data, received.data, uptime.data];
  const hosts = useMemo(() => {
    const names: HostMeasure[] = ["cpu", "memory", "disk", "load", "received", "uptime"];
    if (data.every((matrix) => matrix === undefined)) return null;
    return hostsOf(Object.fromEntries(names.flatMap((name, at) => (data[at] ? [[name, data[at]]] : []))));
    // biome-ignore lint/correctness/useExhaustiveDependencies: the list is new each time, what is in it is not
  }, data);
  const failed = [cpu, memory, disk, load, received, uptime].find((query) => query.error);
  return { hosts, error: failed?.error ?? null };
}

const measured = (measure: HostMeasure) => (host: Host) => host.now[measure] ?? null;

const COLUMNS: readonly TableColumn<Host>[] = [
  {
    id: "name",
    title: "Host",
    value: (host) => host.name,
    render: (host) => (
      <Link to="/hosts/$instance" params={{ instance: host.name }} search={{ job: host.job }}>
        {host.name}
      </Link>
    ),
  },
  {
    id: "cpu",
    title: "CPU",
    value: measured("cpu"),
    render: (host) => <Meter label="CPU busy" ratio={host.now.cpu} />,
  },
  {
    id: "cpuHistory",
    title: "CPU, over time",
    value: measured("cpu"),
    render: (host) => <Sparkline label={`CPU of ${host.name}`} values={host.history.cpu ?? []} max={1} />,
  },
  {
    id: "memory",
    title: "Memory",
    value: measured("memory"),
    render: (host) => <Meter label="Memory in use" ratio={host.now.memory} warnFrom={0.85} badFrom={0.95} />,
  },
  {
    id: "memoryHistory",
    title: "Memory, over time",
    value: measured("memory"),
    render: (host) => <Sparkline label={`Memory of ${host.name}`} values={host.history.memory ?? []} max={1} />,
  },
  {
    id: "disk",
    title: "Fullest disk",
    value: measured("disk"),
    render: (host) => <Meter label="Fullest disk" ratio={host.now.disk} warnFrom={0.8} badFrom={0.9} />,
  },
  {
    id: "load",
    title: "Load",
    value: measured("load"),
    align: "end",
    render: (host) => <Value value={host.now.load} />,
  },
  {
    id: "received",
    title: "Network in",
    value: measured("received"),
    align: "end",
    render: (host) => <Value value={host.now.received} unit="bytes/s" />,
  },
  {
    id: "uptime",
    title: "Up for",
    value: measured("uptime"),
    align: "end",
    render: (host) => <Value value={host.now.uptime} unit="seconds" />,
  },
];

export function HostTable() {
  const { hosts, error } = useHosts();
  if (error) return <ErrorNotice error={error} title="The hosts cannot be read" />;
  if (hosts === null) return <Loading what="Reading the hosts" />;
  if (hosts.length === 0)
    return (
      <Empty title="No host has been seen in this time">
        Vedette watches its own machine unless <code>host: &#123;enabled: false&#125;</code> is set. For others, scrape
        their node_exporter: add a job to <code>scrape_configs</code>.
      </Empty>
    );
  return <DataTable label="Hosts" rows={hosts} columns={COLUMNS} rowId={(host) => host.id} />;
}
