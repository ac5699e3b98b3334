// Prometheus' HTTP API, as far as the pages use it.

import type { Labels } from "../lib/labels";
import type { Matrix } from "../lib/matrix";
import { ARROW, decodeMatrix } from "./arrow";
import { ApiError, getJson, request } from "./http";

interface Envelope<T> {
  readonly data: T;
  readonly warnings?: string[];
}

export interface Sample {
  readonly labels: Labels;
  readonly timeMs: number;
  readonly value: number;
}

export interface InstantAnswer {
  readonly kind: "vector" | "matrix" | "scalar" | "string";
  readonly samples: Sample[];
  readonly text: string;
  readonly warnings: string[];
}

interface InstantData {
  resultType: InstantAnswer["kind"];
  result:
    | { metric: Record<string, string>; value?: [number, string]; values?: [number, string][] }[]
    | [number, string];
}

/** JSON has no word for these. */
export function parseValue(text: string): number {
  if (text === "+Inf") return Number.POSITIVE_INFINITY;
  if (text === "-Inf") return Number.NEGATIVE_INFINITY;
  return Number(text);
}

export async function queryInstant(expr: string, timeMs: number, signal?: AbortSignal): Promise<InstantAnswer> {
  const response = await request("/api/v1/query", {
    form: { query: expr, time: String(timeMs / 1000), limit: "5000" },
    ...(signal ? { signal } : {}),
  });
  const { data, warnings = [] } = (await response.json()) as Envelope<InstantData>;
  if (data.resultType === "scalar" || data.resultType === "string") {
    const [timeS, text] = data.result as [number, string];
    const value = data.resultType === "scalar" ? parseValue(text) : Number.NaN;
    return { kind: data.resultType, samples: [{ labels: {}, timeMs: timeS * 1000, value }], text, warnings };
  }
  const rows = data.result as {
    metric: Record<string, string>;
    value?: [number, string];
    values?: [number, string][];
  }[];
  const samples = rows.flatMap(({ metric, value, values }) => {
    const last = value ?? values?.at(-1);
    return last ? [{ labels: metric, timeMs: last[0] * 1000, value: parseValue(last[1]) }] : [];
  });
  return { kind: data.resultType, samples, text: "", warnings };
}

export interface RangeQuery {
  readonly expr: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

/** So many series are drawn at most; the answer says when there were more. */
export const MAX_SERIES = 1000;

export async function queryRange(query: RangeQuery, signal?: AbortSignal): Promise<Matrix> {
  const { expr, startMs, endMs, stepMs } = query;
  const response = await request("/api/v1/query_range", {
    form: {
      query: expr,
      start: String(startMs / 1000),
      end: String(endMs / 1000),
      step: String(stepMs / 1000),
    },
    accept: ARROW,
    ...(signal ? { signal } : {}),
  });
  if (!response.headers.get("content-type")?.startsWith(ARROW))
    throw new ApiError(response.status, "unexpected", "the answer to a range query is not in Arrow's form");
  return decodeMatrix(new Uint8Array(await response.arrayBuffer()), startMs, endMs, stepMs);
}

export interface Target {
  readonly discoveredLabels: Labels;
  readonly labels: Labels;
  readonly scrapePool: string;
  readonly scrapeUrl: string;
  readonly lastError: string;
  readonly lastScrape: string;
  readonly lastScrapeDuration: number;
  readonly health: "up" | "down" | "unknown";
  readonly scrapeInterval: string;
  readonly scrapeTimeout: string;
}

export interface DroppedTarget {
  readonly discoveredLabels: Labels;
  readonly scrapePool: string;
}

export interface Targets {
  readonly activeTargets: Target[];
  readonly droppedTargets: DroppedTarget[];
  readonly droppedTargetCounts: Record<string, number>;
}

export const getTargets = async (signal?: AbortSignal): Promise<Targets> =>
  (await getJson<Envelope<Targets>>("/api/v1/targets", signal)).data;

export interface Metadata {
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

export const getMetadata = async (signal?: AbortSignal): Promise<Record<string, Metadata[]>> =>
  (await getJson<Envelope<Record<string, Metadata[]>>>("/api/v1/metadata", signal)).data;

export const getMetricNames = async (signal?: AbortSignal): Promise<string[]> =>
  (await getJson<Envelope<string[]>>("/api/v1/label/__name__/values", signal)).data;

/** How many series each metric has. */
export async function getSeriesCounts(nowMs: number, signal?: AbortSignal): Promise<Map<string, number>> {
  const answer = await queryInstant('count by (__name__) ({__name__!=""})', nowMs, signal);
  return new Map(answer.samples.map((sample) => [sample.labels.__name__ ?? "", sample.value]));
}

export const formatQuery = async (expr: string): Promise<string> =>
  ((await (await request("/api/v1/format_query", { form: { query: expr } })).json()) as Envelope<string>).data;
