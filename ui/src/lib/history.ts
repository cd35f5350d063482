// How an endpoint was over time, arranged for a chart: spans of equal length, and for how long it was in
// which state.
//
// The journal has a row only where something was seen. A state lasts until the next one is seen, but not
// longer than checks may be apart: after that nobody knows, and it is not guessed.

import { DAY, HOUR, MINUTE } from "./duration";
import type { EndpointHistory, EndpointState, HistoryPoint } from "./generated/control";
import { sum } from "./sum";
import { tone } from "./tone";

export type Range = "hour" | "day" | "week" | "month";

export const RANGES: readonly Range[] = ["hour", "day", "week", "month"];

/** How long it is, and how long one step of it. */
export const SPANS: Record<Range, { length: number; step: number }> = {
  hour: { length: HOUR, step: MINUTE },
  day: { length: DAY, step: 10 * MINUTE },
  week: { length: 7 * DAY, step: HOUR },
  month: { length: 30 * DAY, step: 4 * HOUR },
};

/** What is seldom used is checked once an hour, a little sooner or later. */
export const SEEN_MS = 70 * MINUTE;

/** One step of the chart. */
export interface Step {
  at: number;
  latency: number | null;
  ttft: number | null;
  attempts: number;
  failures: number;
  /** The last that was seen in it. */
  state: EndpointState | null;
}

/** A time in one state. */
export interface Run {
  from: number;
  to: number;
  state: EndpointState;
}

export interface Timeline {
  since: number;
  until: number;
  /** Every one from the first to the last, also those in which nothing was seen. */
  steps: Step[];
  runs: Run[];
}

/** What was measured, all in all. */
export interface Measured {
  mean: number;
  lowest: number;
  highest: number;
}

export function timeline(points: readonly HistoryPoint[], range: Range, now: number): Timeline {
  const { length, step } = SPANS[range];
  const since = Math.floor((now - length) / step) * step + step;
  const count = Math.floor((now - since) / step) + 1;
  const gathered = Array.from({ length: count }, (): HistoryPoint[] => []);
  for (const point of points) gathered[Math.floor((point.at_ms - since) / step)]?.push(point);
  return {
    since,
    until: now,
    steps: gathered.map((members, index) => gather(since + index * step, members)),
    runs: runs(points, since, now),
  };
}

/** Whether there is anything to say of a step. */
export function isSeen({ latency, ttft, attempts, state }: Step): boolean {
  return latency !== null || ttft !== null || attempts > 0 || state !== null;
}

/** The values of a line: where there is none, it goes on (`undefined`) or is broken (`null`). */
export function line(
  { steps }: Timeline,
  value: (step: Step) => number | null,
): (number | null | undefined)[] {
  const measured = steps.flatMap((step, index) => (value(step) === null ? [] : [index]));
  let next = 0;
  return steps.map((step, index) => {
    while ((measured[next] ?? Infinity) < index) next += 1;
    const found = value(step);
    if (found !== null) return found;
    const [before, after] = [steps[measured[next - 1] ?? -1], steps[measured[next] ?? -1]];
    const isNear = before !== undefined && after !== undefined && after.at - before.at <= SEEN_MS;
    return isNear && !isOut(step.state) ? undefined : null;
  });
}

export function measured(steps: readonly Step[], value: (step: Step) => number | null): Measured | undefined {
  const values = steps.flatMap((step) => value(step) ?? []);
  if (values.length === 0) return undefined;
  return {
    mean: sum(values) / values.length,
    lowest: Math.min(...values),
    highest: Math.max(...values),
  };
}

/** For how long it was in which state, the longest first, and for how long nobody looked. */
export function times({ since, until, runs: all }: Timeline): {
  states: [EndpointState, number][];
  unseen: number;
} {
  const lasted = new Map<EndpointState, number>();
  for (const { from, to, state } of all) lasted.set(state, (lasted.get(state) ?? 0) + to - from);
  const states = [...lasted].sort(([, a], [, b]) => b - a);
  return { states, unseen: Math.max(0, until - since - sum(states.map(([, ms]) => ms))) };
}

/** The newest latencies, a failed check being `null`: what a sparkline begins with. */
export function latencies({ points }: EndpointHistory, count: number): (number | null)[] {
  return points
    .filter(({ latency_ms, state }) => latency_ms !== null || isOut(state))
    .slice(-count)
    .map(({ latency_ms }) => latency_ms);
}

function isOut(state: EndpointState | null): boolean {
  return state !== null && (tone(state) === "bad" || tone(state) === "warn");
}

/** A mean of TTFT counts as many times as there were answers. */
function gather(at: number, members: readonly HistoryPoint[]): Step {
  return {
    at,
    latency: mean(members.map(({ latency_ms }) => [latency_ms, 1])),
    ttft: mean(members.map(({ ttft_ms, attempts, failures }) => [ttft_ms, Math.max(attempts - failures, 1)])),
    attempts: sum(members.map(({ attempts }) => attempts)),
    failures: sum(members.map(({ failures }) => failures)),
    state: members.findLast(({ state }) => state !== null)?.state ?? null,
  };
}

function runs(points: readonly HistoryPoint[], since: number, until: number): Run[] {
  const seen = points.filter(({ state }) => state !== null);
  const found: Run[] = [];
  seen.forEach(({ at_ms, span_ms, state }, index) => {
    if (state === null) return;
    const lasts = at_ms + Math.max(span_ms, SEEN_MS);
    const from = Math.max(at_ms, since);
    const to = Math.min(seen[index + 1]?.at_ms ?? until, lasts, until);
    if (to <= from) return;
    const last = found.at(-1);
    if (last?.state === state && last.to === from) last.to = to;
    else found.push({ from, to, state });
  });
  return found;
}

function mean(weighed: readonly [number | null, number][]): number | null {
  const known = weighed.filter((one): one is [number, number] => one[0] !== null);
  if (known.length === 0) return null;
  return sum(known.map(([value, weight]) => value * weight)) / sum(known.map(([, weight]) => weight));
}
