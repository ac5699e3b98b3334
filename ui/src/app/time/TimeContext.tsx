// The time range of the page: in the URL, resolved to a window that moves on with every refresh.

import { useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from "react";
import {
  absoluteRange,
  DEFAULT_RANGE,
  resolveRange,
  shiftWindow,
  type TimeRange,
  type TimeWindow,
  widenWindow,
  type Zone,
} from "../../lib/time";
import type { Compare, FrameSearch } from "../search";

export const REFRESHES: readonly { readonly id: string; readonly label: string; readonly ms: number }[] = [
  { id: "off", label: "Off", ms: 0 },
  { id: "5s", label: "5 s", ms: 5_000 },
  { id: "15s", label: "15 s", ms: 15_000 },
  { id: "1m", label: "1 min", ms: 60_000 },
  { id: "5m", label: "5 min", ms: 300_000 },
];
const DEFAULT_REFRESH = "15s";

export interface PageTime {
  readonly range: TimeRange;
  readonly window: TimeWindow;
  /** Whether the URL's range means no window; the default is shown then. */
  readonly isInvalid: boolean;
  readonly nowMs: number;
  readonly zone: Zone;
  readonly refresh: string;
  readonly compare: Compare | null;
  readonly set: (change: Partial<FrameSearch>) => void;
  readonly setWindow: (window: TimeWindow) => void;
  readonly shift: (direction: -1 | 1) => void;
  readonly widen: () => void;
  readonly refreshNow: () => void;
}

const Context = createContext<PageTime | null>(null);

export function usePageTime(): PageTime {
  const time = useContext(Context);
  if (!time) throw new Error("usePageTime is for pages within TimeProvider");
  return time;
}

export function TimeProvider({ children }: { children: ReactNode }) {
  const search = useSearch({ strict: false }) as FrameSearch;
  const navigate = useNavigate();
  const client = useQueryClient();
  const [nowMs, setNowMs] = useState(() => Date.now());
  const { tz: zone = "local", refresh = DEFAULT_REFRESH, compare = null } = search;
  const { from = DEFAULT_RANGE.from, to = DEFAULT_RANGE.to } = search;

  const refreshNow = useCallback(() => {
    setNowMs(Date.now());
    client.invalidateQueries();
  }, [client]);

  const everyMs = REFRESHES.find((known) => known.id === refresh)?.ms ?? 0;
  const moves = to.startsWith("now");
  useEffect(() => {
    if (everyMs === 0 || !moves) return;
    // A page that nobody sees asks for nothing.
    const timer = setInterval(() => !document.hidden && setNowMs(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs, moves]);

  const set = useCallback(
    (change: Partial<FrameSearch>) => {
      setNowMs(Date.now());
      navigate({ to: ".", search: (old: Record<string, unknown>) => ({ ...old, ...change }) } as never);
    },
    [navigate],
  );

  const time = useMemo<PageTime>(() => {
    const range = { from, to };
    const found = resolveRange(range, nowMs, zone);
    const window = found ?? { startMs: nowMs - 3_600_000, endMs: nowMs };
    const setWindow = (to: TimeWindow): void => set(absoluteRange(to));
    return {
      range,
      window,
      isInvalid: found === null,
      nowMs,
      zone,
      refresh,
      compare,
      set,
      setWindow,
      shift: (direction) => setWindow(shiftWindow(window, direction)),
      widen: () => setWindow(widenWindow(window, nowMs)),
      refreshNow,
    };
  }, [from, to, nowMs, zone, refresh, compare, set, refreshNow]);

  return <Context.Provider value={time}>{children}</Context.Provider>;
}
