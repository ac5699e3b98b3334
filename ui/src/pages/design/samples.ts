// Made-up data for the page that shows the design system.

import type { Matrix } from "../../lib/matrix";

const STEPS = 120;
const STEP_MS = 30_000;
const FIRST_MS = 1_767_261_600_000;

export const SAMPLE_MATRIX: Matrix = {
  timesMs: Array.from({ length: STEPS }, (_, step) => FIRST_MS + step * STEP_MS),
  series: ["web-1", "web-2", "worker-1"].map((instance, index) => ({
    labels: { __name__: "node_load1", job: "node", instance },
    values: Array.from({ length: STEPS }, (_, step) =>
      index === 2 && step > 50 && step < 62 ? null : 2 + index + Math.sin(step / (7 + index)) * (1 + index * 0.4),
    ),
  })),
  warnings: [],
};

export const SAMPLE_ROWS = [
  { id: "web-1", state: "up", load: 0.42, bytes: 812_345_678 },
  { id: "web-2", state: "up", load: 1.93, bytes: 2_012_345_678 },
  { id: "worker-1", state: "down", load: null, bytes: null },
] as const;
