// Questions to the metrics: several queries, as graphs or tables. All of it is in the URL.

import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useCallback, useEffect, useState } from "react";
import { Page } from "../../app/Page";
import type { ExploreView } from "../../app/router";
import { usePageTime } from "../../app/time/TimeContext";
import { Button, Dialog, Toggles } from "../../design/controls";
import { Empty } from "../../design/States";
import css from "./ExplorePage.module.css";
import { MetricBrowser } from "./MetricBrowser";
import { QueryGraph, QueryTable } from "./QueryResult";
import { QueryRow } from "./QueryRow";

const route = getRouteApi("/explore");
const NO_QUERIES: string[] = [""];
const EXAMPLES = [
  "up",
  'sum by (mode) (rate(node_cpu_seconds_total{mode!="idle"}[1m]))',
  "topk(5, rate(node_disk_written_bytes_total[1m]))",
];
const letterOf = (index: number): string => String.fromCharCode(65 + (index % 26));

export default function ExplorePage() {
  const { q: asked = NO_QUERIES, view = "graph" } = route.useSearch();
  const navigate = useNavigate({ from: "/explore" });
  const { refreshNow } = usePageTime();
  const [texts, setTexts] = useState(asked);
  const [isBrowsing, setBrowsing] = useState(false);
  // The back button, and links into this page, change what is asked.
  const key = JSON.stringify(asked);
  useEffect(() => setTexts(JSON.parse(key) as string[]), [key]);

  const run = useCallback(
    (queries: readonly string[]): void => {
      // The same question again means: as of now.
      if (JSON.stringify(queries) === key) refreshNow();
      navigate({ search: (old) => ({ ...old, q: queries.length > 0 ? [...queries] : [""] }) });
    },
    [navigate, key, refreshNow],
  );
  const replaced = (index: number, text: string): string[] => texts.map((old, at) => (at === index ? text : old));
  const choose = useCallback(
    (query: string): void => {
      setBrowsing(false);
      const free = texts.findIndex((text) => text.trim() === "");
      run(free === -1 ? [...texts, query] : texts.map((text, at) => (at === free ? query : text)));
    },
    [texts, run],
  );
  const shown = asked.filter((query) => query.trim() !== "");

  return (
    <Page
      title="Explore metrics"
      actions={
        <Toggles<ExploreView>
          label="Show as"
          value={view}
          onChange={(next) => navigate({ search: (old) => ({ ...old, view: next }) })}
          choices={[
            { id: "graph", label: "Graph" },
            { id: "table", label: "Table" },
          ]}
        />
      }
    >
      <div className="stack">
        {texts.map((text, index) => (
          <QueryRow
            // Rows are told apart by where they stand: A, B, C.
            // biome-ignore lint/suspicious/noArrayIndexKey: as said above
            key={index}
            letter={letterOf(index)}
            text={text}
            onChange={(next) => setTexts((old) => old.map((one, at) => (at === index ? next : one)))}
            onRun={(next) => run(replaced(index, next))}
            onRemove={texts.length > 1 ? () => run(texts.filter((_, at) => at !== index)) : null}
            autoFocus={index === 0 && shown.length === 0}
          />
        ))}
        <div className="row">
          <Button icon="plus" onPress={() => setTexts((old) => [...old, ""])}>
            Add query
          </Button>
          <Button icon="search" onPress={() => setBrowsing(true)}>
            Browse metrics
          </Button>
          <span className={css.summary}>
            <kbd>Enter</kbd> runs, <kbd>Shift Enter</kbd> begins a line
          </span>
        </div>
      </div>
      <div className={css.results}>
        {shown.length === 0 && (
          <Empty title="Ask something">
            Type a query, browse the metrics, or begin with one of these:
            <br />
            <span className={css.examples}>
              {EXAMPLES.map((example) => (
                <button key={example} type="button" className={css.choose} onClick={() => run([example])}>
                  {example}
                </button>
              ))}
            </span>
          </Empty>
        )}
        {asked.map((query, index) => {
          if (query.trim() === "") return null;
          const key = `${letterOf(index)} ${query}`;
          const title = asked.length > 1 ? `${letterOf(index)}: ${query}` : query;
          return view === "table" ? (
            <QueryTable key={key} query={query} title={title} />
          ) : (
            <QueryGraph key={key} query={query} title={title} />
          );
        })}
      </div>
      <Dialog label="Metrics" isOpen={isBrowsing} onOpenChange={setBrowsing}>
        <h2>Metrics</h2>
        <MetricBrowser onChoose={choose} />
      </Dialog>
    </Page>
  );
}
