// Range queries travel as Arrow: columns of times and values, and each label set once.

import { type Column, tableFromIPC } from "@uwdata/flechette";
import type { Labels } from "../lib/labels";
import type { Matrix, Series } from "../lib/matrix";

export const ARROW = "application/vnd.apache.arrow.stream";

/**
 * Rows of one series stand together, its samples in the order of time.
 *
 * @param bytes the stream.
 * @param startMs of the query.
 * @param endMs of the query.
 * @param stepMs between two points.
 */
export function decodeMatrix(bytes: Uint8Array, startMs: number, endMs: number, stepMs: number): Matrix {
  const table = tableFromIPC(bytes, { useMap: false });
  const steps = Math.floor((endMs - startMs) / stepMs) + 1;
  const timesMs = Array.from({ length: steps }, (_, step) => startMs + step * stepMs);
  const warnings = JSON.parse(table.schema.metadata?.get("vedette.warnings") ?? "[]") as string[];
  const series: Series[] = [];
  const labels = table.getChild("labels") as Column<unknown>;
  const times = table.getChild("time") as Column<number>;
  const values = table.getChild("value") as Column<number>;
  let previousKey = -1;
  let current: (number | null)[] = [];
  let row = 0;
  labels.data.forEach((batch, index) => {
    const keys = (batch as unknown as { values: Int32Array }).values;
    const timeBatch = times.data[index];
    const valueBatch = values.data[index];
    if (!timeBatch || !valueBatch) return;
    for (let at = 0; at < batch.length; at += 1, row += 1) {
      const key = keys[at] ?? 0;
      if (key !== previousKey) {
        previousKey = key;
        current = new Array<number | null>(steps).fill(null);
        series.push({ labels: labelsOf(labels.at(row)), values: current });
      }
      const step = Math.round((Number(timeBatch.at(at)) - startMs) / stepMs);
      if (step >= 0 && step < steps) current[step] = Number(valueBatch.at(at));
    }
  });
  return { timesMs, series, warnings };
}

function labelsOf(value: unknown): Labels {
  if (value instanceof Map) return Object.fromEntries(value as Map<string, string>);
  if (Array.isArray(value)) return Object.fromEntries(value as [string, string][]);
  return (value ?? {}) as Labels;
}
