// One host: what it is, and how it has been.

import { getRouteApi, Link } from "@tanstack/react-router";
import { type ReactNode, useMemo } from "react";
import { useInstant } from "../../app/data";
import { MetricChart } from "../../app/MetricChart";
import { Page } from "../../app/Page";
import { Value } from "../../design/Value";
import css from "./HostPage.module.css";
import { hostCharts, hostMatchers } from "./hostCharts";

const route = getRouteApi("/hosts/$instance");

export default function HostPage() {
  const { instance } = route.useParams();
  const { job = "" } = route.useSearch();
  const charts = useMemo(() => hostCharts(job, instance), [job, instance]);
  return (
    <Page title={instance} actions={<Link to="/hosts">All hosts</Link>}>
      <Facts job={job} instance={instance} />
      <div className={css.charts}>
        {charts.map((chart) => (
          <MetricChart key={chart.title} {...chart} height={180} syncKey="host" />
        ))}
      </div>
    </Page>
  );
}

function Facts({ job, instance }: { job: string; instance: string }) {
  const host = hostMatchers(job, instance);
  const system = useInstant(`node_uname_info{${host}}`).data?.samples[0]?.labels;
  const cpus = useInstant(`count(count by (cpu) (node_cpu_seconds_total{${host}}))`).data?.samples[0]?.value;
  const memory = useInstant(`node_memory_MemTotal_bytes{${host}}`).data?.samples[0]?.value;
  const uptime = useInstant(`time() - node_boot_time_seconds{${host}}`).data?.samples[0]?.value;
  return (
    <dl className={css.facts}>
      <Fact name="System">
        {system ? [system.sysname, system.release, system.machine].filter(Boolean).join(" ") : "–"}
      </Fact>
      <Fact name="Processors">
        <Value value={cpus} />
      </Fact>
      <Fact name="Memory">
        <Value value={memory} unit="bytes" />
      </Fact>
      <Fact name="Up for">
        <Value value={uptime} unit="seconds" />
      </Fact>
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt className="dim">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
