// An endpoint over time, arranged for a chart: steps of equal length, and how long each state lasted.
//
// The journal has a row only for a minute in which something was seen. A state lasts until the next one was seen, but
// not longer than checks may be apart: after that it is unknown, and shown so.

import { DAY, HOUR, MINUTE } from "./duration";
import type { EndpointHistory, EndpointState, HistoryPoint } from "./generated/control";
import { sum } from "./sum";
import { tone } from "./tone";

export type Range = "hour" | "day" | "week" | "month";

export const RANGES: readonly Range[] = ["hour", "day", "week", "month"];

/** Length of a range and of one of its steps, in milliseconds. */
export const SPANS: Record<Range, { length: number; step: number }> = {
  hour: { length: HOUR, step: MINUTE },
  day: { length: DAY, step: 10 * MINUTE },
  week: { length: 7 * DAY, step: HOUR },
  month: { length: 30 * DAY, step: 4 * HOUR },
};

/** An endpoint that is rarely used is checked about once an hour. */
export const SEEN_MS = 70 * MINUTE;

/** One step of the chart. */
export interface Step {
  at: number;
  latency: number | null;
  ttft: number | null;
  attempts: number;
  failures: number;
  /** The last state that was seen in it. */
  state: EndpointState | null;
}

/** A time during which the state stayed the same. */
export interface Run {
  from: number;
  to: number;
  state: EndpointState;
}

export interface Timeline {
  since: number;
  until: number;
  /** All steps, including those in which nothing was seen. */
  steps: Step[];
  runs: Run[];
}

/** A summary of measurements, in milliseconds. */
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

/** Whether anything was seen in a step. */
export function isSeen({ latency, ttft, attempts, state }: Step): boolean {
  return latency !== null || ttft !== null || attempts > 0 || state !== null;
}

/** The values of a line. Without a value the line continues (`undefined`) or has a gap (`null`). */
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

/** How long each state lasted, the longest first, and how long the state was unknown. */
export function times({ since, until, runs: all }: Timeline): {
  states: [EndpointState, number][];
  unseen: number;
} {
  const lasted = new Map<EndpointState, number>();
  for (const { from, to, state } of all) lasted.set(state, (lasted.get(state) ?? 0) + to - from);
  const states = [...lasted].sort(([, a], [, b]) => b - a);
  return { states, unseen: Math.max(0, until - since - sum(states.map(([, ms]) => ms))) };
}

/** The latest latencies for a sparkline; `null` is a failed check. */
export function latencies({ points }: EndpointHistory, count: number): (number | null)[] {
  return points
    .filter(({ latency_ms, state }) => latency_ms !== null || isOut(state))
    .slice(-count)
    .map(({ latency_ms }) => latency_ms);
}

function isOut(state: EndpointState | null): boolean {
  return state !== null && (tone(state) === "bad" || tone(state) === "warn");
}

/** The mean of TTFT is weighted by the number of answers. */
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
