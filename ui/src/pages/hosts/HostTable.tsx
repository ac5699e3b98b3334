// The hosts, each in a row: how busy, how full, and how it went.

import { Link } from "@tanstack/react-router";
import { useInstant, useRange } from "../../app/data";
import { DataTable, type TableColumn } from "../../design/DataTable";
import { Meter } from "../../design/Meter";
import { Sparkline } from "../../design/Sparkline";
import { Empty, ErrorNotice, Loading } from "../../design/States";
import { Value } from "../../design/Value";
import { HOST_QUERIES, type Host, type HostMeasure, hostsOf } from "./hosts";

const POINTS = 60;

function useHosts(): { hosts: Host[] | null; error: unknown } {
  const now = {
    cpu: useInstant(HOST_QUERIES.cpu),
    memory: useInstant(HOST_QUERIES.memory),
    disk: useInstant(HOST_QUERIES.disk),
    load: useInstant(HOST_QUERIES.load),
    received: useInstant(HOST_QUERIES.received),
    uptime: useInstant(HOST_QUERIES.uptime),
  };
  const cpu = useRange(HOST_QUERIES.cpu, { points: POINTS });
  const memory = useRange(HOST_QUERIES.memory, { points: POINTS });
  const answers = Object.entries(now);
  const failed = answers.find(([, { error }]) => error)?.[1].error ?? null;
  // Drawn when all have come, so that columns do not jump in one after the other.
  if (answers.some(([, { data }]) => data === undefined)) return { hosts: null, error: failed };
  const samples = Object.fromEntries(answers.map(([measure, { data }]) => [measure, data?.samples ?? []]));
  const history = { ...(cpu.data ? { cpu: cpu.data } : {}), ...(memory.data ? { memory: memory.data } : {}) };
  return { hosts: hostsOf(samples, history), error: failed };
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
