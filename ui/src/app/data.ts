// What pages ask of the server, within the page's time range. What was there stays while the next answer is on its way.

import { keepPreviousData, type UseQueryResult, useQuery } from "@tanstack/react-query";
import { useRef } from "react";
import { mayPass } from "../api/http";
import { getTargets, type InstantAnswer, queryInstant, queryRange, type Targets } from "../api/prometheus";
import type { Matrix } from "../lib/matrix";
import { alignWindow, chooseStep, type TimeWindow } from "../lib/time";
import { usePageTime } from "./time/TimeContext";

/** An answer: what was there stays while the next is on its way, and while the server is away. */
export interface Answer<T> {
  readonly data: T | undefined;
  readonly error: Error | null;
  /** Whether this is not yet the answer to what is asked now. */
  readonly isPlaceholderData: boolean;
}

/** Keeps the last answer about a subject through errors that may pass by themselves. */
function useKept<T>({ data, error, isPlaceholderData }: UseQueryResult<T>, subject: string): Answer<T> {
  const kept = useRef<{ subject: string; data: T } | null>(null);
  if (data !== undefined && !isPlaceholderData) kept.current = { subject, data };
  if (data === undefined && mayPass(error) && kept.current?.subject === subject)
    return { data: kept.current.data, error: null, isPlaceholderData: true };
  return { data, error, isPlaceholderData };
}

interface RangeOptions {
  /** Points of a chart, or of a sparkline. */
  readonly points?: number;
  readonly isEnabled?: boolean;
}

/** A window and step for so many points, the same for a while, so that equal questions are asked once. */
export function useSteps(points: number): TimeWindow & { stepMs: number } {
  const { window } = usePageTime();
  const stepMs = chooseStep(window, points);
  return { ...alignWindow(window, stepMs), stepMs };
}

/** `$window` in an expression becomes a duration that spans several scrapes and at least one step. */
export function fillIn(expr: string, stepMs: number): string {
  return expr.replaceAll("$window", `${Math.max(120, Math.ceil(stepMs / 1000))}s`);
}

export function useRange(expr: string, { points = 240, isEnabled = true }: RangeOptions = {}): Answer<Matrix> {
  const { startMs, endMs, stepMs } = useSteps(points);
  const filled = fillIn(expr, stepMs);
  const answer = useQuery({
    queryKey: ["range", filled, startMs, endMs, stepMs],
    queryFn: ({ signal }) => queryRange({ expr: filled, startMs, endMs, stepMs }, signal),
    enabled: isEnabled && expr.trim() !== "",
    placeholderData: keepPreviousData,
  });
  return useKept(answer, expr);
}

const BACK_MS = { day: 86_400_000, week: 7 * 86_400_000 } as const;

/** The same, a day or a week before, moved onto the window's own times; nothing unless that is asked for. */
export function useComparison(expr: string, { points = 240 }: RangeOptions = {}): UseQueryResult<Matrix> {
  const { compare } = usePageTime();
  const { startMs, endMs, stepMs } = useSteps(points);
  const backMs = compare ? BACK_MS[compare] : 0;
  return useQuery({
    queryKey: ["range", expr, startMs - backMs, endMs - backMs, stepMs, "moved"],
    queryFn: async ({ signal }) => {
      const past = await queryRange({ expr, startMs: startMs - backMs, endMs: endMs - backMs, stepMs }, signal);
      return { ...past, timesMs: past.timesMs.map((timeMs) => timeMs + backMs) };
    },
    enabled: compare !== null && expr.trim() !== "",
  });
}

export function useInstant(expr: string, { isEnabled = true }: RangeOptions = {}): Answer<InstantAnswer> {
  const { window } = usePageTime();
  const timeMs = Math.floor(window.endMs / 1000) * 1000;
  const filled = fillIn(expr, 0);
  const answer = useQuery({
    queryKey: ["instant", filled, timeMs],
    queryFn: ({ signal }) => queryInstant(filled, timeMs, signal),
    enabled: isEnabled && expr.trim() !== "",
    placeholderData: keepPreviousData,
  });
  return useKept(answer, expr);
}

export function useTargets(): Answer<Targets> {
  const { nowMs } = usePageTime();
  const answer = useQuery({
    queryKey: ["targets", nowMs],
    queryFn: ({ signal }) => getTargets(signal),
    placeholderData: keepPreviousData,
  });
  return useKept(answer, "targets");
}
