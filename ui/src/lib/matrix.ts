// The answer to a range query, as columns.

import type { Labels } from "./labels";

export interface Series {
  readonly labels: Labels;
  /** One for each of the matrix's times; null where there is no sample. */
  readonly values: (number | null)[];
}

export interface Matrix {
  readonly timesMs: number[];
  readonly series: Series[];
  readonly warnings: string[];
}
