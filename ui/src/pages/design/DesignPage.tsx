// Every piece of the design system, in the theme that is chosen: the reference for who builds a page.

import { type ReactNode, useState } from "react";
import { Page } from "../../app/Page";
import { Badge } from "../../design/Badge";
import { Chart } from "../../design/Chart";
import {
  ActionMenu,
  Button,
  Checkbox,
  Dialog,
  IconButton,
  Select,
  Tabs,
  TextInput,
  Toggles,
} from "../../design/controls";
import { DataTable, type TableColumn } from "../../design/DataTable";
import { QueryEditor } from "../../design/LazyQueryEditor";
import { Meter } from "../../design/Meter";
import { Sparkline } from "../../design/Sparkline";
import { Empty, ErrorNotice, Loading, QueryErrorNotice, Warnings } from "../../design/States";
import { chooseTheme, useTheme } from "../../design/theme";
import { RelativeTime, Value } from "../../design/Value";
import css from "./DesignPage.module.css";
import { SAMPLE_MATRIX, SAMPLE_ROWS } from "./samples";

const COLOURS = [
  "ground",
  "surface",
  "sunken",
  "ink",
  "dim",
  "line",
  "control-line",
  "accent",
  "accent-soft",
  "ok",
  "warn",
  "bad",
  "info",
];
const SERIES = [1, 2, 3, 4, 5, 6, 7, 8].map((number) => `series-${number}`);
type SampleRow = (typeof SAMPLE_ROWS)[number];

const COLUMNS: readonly TableColumn<SampleRow>[] = [
  { id: "id", title: "Host", value: (row) => row.id },
  {
    id: "state",
    title: "State",
    value: (row) => row.state,
    render: (row) => <Badge status={row.state === "up" ? "ok" : "bad"}>{row.state}</Badge>,
  },
  { id: "load", title: "Load", align: "end", value: (row) => row.load, render: (row) => <Value value={row.load} /> },
  {
    id: "bytes",
    title: "Memory",
    align: "end",
    value: (row) => row.bytes,
    render: (row) => <Value value={row.bytes} unit="bytes" />,
  },
];

export default function DesignPage() {
  const theme = useTheme();
  return (
    <Page
      title="Design system"
      actions={
        <Toggles
          label="Theme"
          value={theme}
          onChange={chooseTheme}
          choices={[
            { id: "light", label: "Light" },
            { id: "dark", label: "Dark" },
          ]}
        />
      }
    >
      <Piece title="Colours">
        <div className={css.swatches}>
          {[...COLOURS, ...SERIES].map((name) => (
            <span key={name} className={css.swatch}>
              <span className={css.colour} style={{ background: `var(--${name})` }} />
              {name}
            </span>
          ))}
        </div>
      </Piece>
      <Piece title="Type">
        <h1>Title of a page</h1>
        <h2>Title of a section</h2>
        <h3>Title of a part</h3>
        <p>
          Text, <span className="dim">what matters less</span>, <code>code</code>, <kbd>Ctrl K</kbd>,{" "}
          <a href="#main">a link</a>.
        </p>
      </Piece>
      <Piece title="States and numbers">
        <div className="row">
          <Badge status="ok">up</Badge>
          <Badge status="warn">at risk</Badge>
          <Badge status="bad">down</Badge>
          <Badge status="info">new</Badge>
          <Badge status="unknown">unknown</Badge>
          <Value value={1234567} />
          <Value value={82_345_678_900} unit="bytes" />
          <Value value={0.00042} unit="seconds" />
          <Value value={0.437} unit="ratio" />
          <Value value={null} />
          <RelativeTime timeMs={SAMPLE_MATRIX.timesMs[0] ?? 0} />
          <Meter label="Example" ratio={0.42} />
          <Meter label="Example, high" ratio={0.95} />
          <Sparkline label="Example" values={SAMPLE_MATRIX.series[0]?.values ?? []} />
        </div>
      </Piece>
      <Piece title="Controls">
        <Controls />
      </Piece>
      <Piece title="Query editor">
        <Editor />
      </Piece>
      <Piece title="Chart">
        <Chart title="Load" matrix={SAMPLE_MATRIX} query="node_load1" zone="utc" />
      </Piece>
      <Piece title="Table">
        <DataTable label="Example" rows={SAMPLE_ROWS} columns={COLUMNS} rowId={(row) => row.id} />
      </Piece>
      <Piece title="Empty, loading, failed">
        <Empty title="Nothing is scraped yet">Add a job to the configuration, and reload.</Empty>
        <Loading />
        <ErrorNotice error="connection refused" title="The last scrape failed" />
        <QueryErrorNotice error='1:12: parse error: unexpected ")"' query="sum(rate(up)" />
        <Warnings texts={["the answer was cut off at 1000 series"]} />
      </Piece>
    </Page>
  );
}

function Piece({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="card stack" aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function Controls() {
  const [text, setText] = useState("web-1");
  const [choice, setChoice] = useState<"a" | "b">("a");
  const [isOn, setOn] = useState(true);
  const [isOpen, setOpen] = useState(false);
  const choices = [
    { id: "a", label: "First" },
    { id: "b", label: "Second" },
  ] as const;
  return (
    <>
      <div className="row">
        <Button look="primary">Primary</Button>
        <Button>Plain</Button>
        <Button look="quiet">Quiet</Button>
        <Button isDisabled>Disabled</Button>
        <IconButton label="Refresh" icon="refresh" />
        <ActionMenu
          label="Example menu"
          actions={[{ id: "copy", label: "Copy", icon: "copy", onAction: () => undefined }]}
        >
          <Button icon="more">Menu</Button>
        </ActionMenu>
        <Button onPress={() => setOpen(true)}>Dialog</Button>
        <Toggles label="Example choice" value={choice} onChange={setChoice} choices={choices} />
        <Checkbox label="Checked" isSelected={isOn} onChange={setOn} />
      </div>
      <div className="row">
        <TextInput label="A field" value={text} onChange={setText} />
        <TextInput label="A field with an error" value={text} onChange={setText} error="There is no such host" />
        <Select label="A choice" value={choice} onChange={setChoice} choices={choices} />
      </div>
      <Tabs
        label="Example tabs"
        tabs={[
          { id: "one", title: "One", content: <p>The first panel.</p> },
          { id: "two", title: "Two", content: <p>The second panel.</p> },
        ]}
      />
      <Dialog label="Example dialog" isOpen={isOpen} onOpenChange={setOpen}>
        <h2>A dialog</h2>
        <p>Escape closes it.</p>
      </Dialog>
    </>
  );
}

function Editor() {
  const [query, setQuery] = useState('sum by (mode) (rate(node_cpu_seconds_total{mode!="idle"}[1m]))');
  return <QueryEditor label="Example query" value={query} onChange={setQuery} onRun={() => undefined} />;
}
