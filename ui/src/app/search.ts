// The part of every page's URL that belongs to the frame around it: time range, zone, refresh, comparison.

import { textOf } from "../lib/search";
import type { Zone } from "../lib/time";

export type Compare = "day" | "week";

export interface FrameSearch {
  from?: string;
  to?: string;
  refresh?: string;
  tz?: Zone;
  compare?: Compare;
}

/** What is kept when one page leads to another. */
export const KEPT: (keyof FrameSearch)[] = ["from", "to", "refresh", "tz"];

export function frameSearch(search: Record<string, unknown>): FrameSearch {
  const from = textOf(search, "from");
  const to = textOf(search, "to");
  const refresh = textOf(search, "refresh");
  const tz = textOf(search, "tz");
  const compare = textOf(search, "compare");
  return {
    ...(from ? { from } : {}),
    ...(to ? { to } : {}),
    ...(refresh ? { refresh } : {}),
    ...(tz === "utc" ? { tz } : {}),
    ...(compare === "day" || compare === "week" ? { compare } : {}),
  };
}
