// What a metric is and the query with which one begins to look at it. Pure.

import type { Metadata } from "../../api/prometheus";

export interface Metric {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly series: number | null;
}

/** Metadata stand under a family's name; its series end in `_total`, `_bucket`, `_sum`, `_count` and so on. */
export function metadataOf(name: string, all: Readonly<Record<string, readonly Metadata[]>>): Metadata | null {
  const names = [name, name.replace(/_(?:total|bucket|sum|count|created|info)$/, "")];
  for (const known of names) {
    const [first] = all[known] ?? [];
    if (first) return first;
  }
  return null;
}

export function metricsOf(
  names: readonly string[],
  metadata: Readonly<Record<string, readonly Metadata[]>>,
  counts: ReadonlyMap<string, number>,
): Metric[] {
  return names.map((name) => {
    const known = metadataOf(name, metadata);
    return { name, type: known?.type ?? "unknown", help: known?.help ?? "", series: counts.get(name) ?? null };
  });
}

export function findMetrics(metrics: readonly Metric[], typed: string): Metric[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  return metrics.filter((metric) => {
    const text = `${metric.name} ${metric.help} ${metric.type}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** A first query that shows something useful: counters as rates, histograms as a quantile. */
export function firstQuery(metric: Pick<Metric, "name" | "type">): string {
  const { name, type } = metric;
  if (name.endsWith("_bucket")) return `histogram_quantile(0.95, sum by (le) (rate(${name}[5m])))`;
  if (type === "counter" || name.endsWith("_total")) return `rate(${name}[5m])`;
  if ((type === "histogram" || type === "summary") && /_(?:sum|count)$/.test(name)) return `rate(${name}[5m])`;
  return name;
}
