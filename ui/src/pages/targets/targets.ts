// Which targets are shown, and how a scrape is judged. Pure.

import type { Target } from "../../api/prometheus";
import type { Status } from "../../design/Badge";

export interface TargetFilter {
  readonly pool?: string | undefined;
  readonly health?: string | undefined;
  readonly find?: string | undefined;
}

export function filterTargets(targets: readonly Target[], { pool, health, find }: TargetFilter): Target[] {
  const words = (find ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  return targets.filter((target) => {
    if (pool && target.scrapePool !== pool) return false;
    if (health && target.health !== health) return false;
    const text = `${target.scrapePool} ${target.scrapeUrl} ${Object.entries(target.labels).flat().join(" ")} ${target.lastError}`;
    return words.every((word) => text.toLowerCase().includes(word));
  });
}

export const HEALTH_STATUS: Readonly<Record<Target["health"], Status>> = { up: "ok", down: "bad", unknown: "unknown" };

export const targetId = (target: Target): string =>
  `${target.scrapePool} ${target.scrapeUrl} ${target.labels.instance ?? ""}`;

/** When it was last fetched; null for never, which Go writes as the year 1. */
export function lastScrapeMs(target: Target): number | null {
  return target.lastScrape.startsWith("0001-") ? null : Date.parse(target.lastScrape);
}

const UNIT_S: Readonly<Record<string, number>> = {
  ms: 0.001,
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
  w: 604_800,
  y: 31_536_000,
};

/** Seconds of a duration such as `1m30s`. */
export function durationSeconds(text: string): number {
  return [...text.matchAll(/(\d+)(ms|[smhdwy])/g)].reduce(
    (sum, [, n, unit]) => sum + Number(n) * (UNIT_S[unit ?? ""] ?? 0),
    0,
  );
}

export interface LabelChange {
  readonly name: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** Labels as they were discovered and as relabelling left them, those that differ first. */
export function labelChanges(target: Pick<Target, "labels" | "discoveredLabels">): LabelChange[] {
  const names = new Set([...Object.keys(target.labels), ...Object.keys(target.discoveredLabels)]);
  const isInner = (name: string): boolean => name.startsWith("__");
  return [...names]
    .map((name) => ({ name, before: target.discoveredLabels[name] ?? null, after: target.labels[name] ?? null }))
    .sort((a, b) => Number(isInner(a.name)) - Number(isInner(b.name)) || a.name.localeCompare(b.name));
}
