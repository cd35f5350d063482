// Sums over the journal, arranged for a chart: a bar per span of time, a series per part.

import type { Usage, UsageReport } from "./generated/control";
import { sum } from "./sum";
import { input } from "./tokens";

/** What a chart measures. */
export type Metric = "cost" | "tokens" | "requests";

export const METRICS: readonly Metric[] = ["cost", "tokens", "requests"];

export interface Part {
  name: string;
  isRest: boolean;
  /** Whether its cost is unknown: it was used, but has no price. */
  isUnknown: boolean;
  values: number[];
}

export interface Bars {
  /** The spans of time, in order. */
  keys: string[];
  /** The largest parts; one with `isRest` at the end has the others. */
  parts: Part[];
}

/** The most parts: more colours could not be told apart. */
const PARTS = 6;

export function measure(usage: Usage, metric: Metric): number {
  switch (metric) {
    case "cost":
      return usage.cost_usd;
    case "tokens":
      return input(usage.tokens) + usage.tokens.output;
    case "requests":
      return usage.requests;
  }
}

export function bars(report: UsageReport, metric: Metric, keys: readonly string[]): Bars {
  const all = keys.length > 0 ? [...keys] : [...new Set(report.rows.map(({ key }) => key))];
  const places = new Map(all.map((key, index) => [key, index]));
  const byPart = new Map<string, number[]>();
  for (const row of report.rows) {
    const place = places.get(row.key);
    if (place === undefined) continue;
    const values = byPart.get(row.split) ?? all.map(() => 0);
    values[place] = (values[place] ?? 0) + measure(row, metric);
    byPart.set(row.split, values);
  }
  const unpriced = new Set(report.rows.filter((row) => row.unpriced > 0).map(({ split }) => split));
  const isUnknown = (name: string, values: readonly number[]) =>
    metric === "cost" && unpriced.has(name) && sum(values) === 0;
  const sorted = [...byPart].sort(([, a], [, b]) => sum(b) - sum(a));
  const parts = sorted.slice(0, PARTS).map(([name, values]) => ({
    name,
    isRest: false,
    isUnknown: isUnknown(name, values),
    values,
  }));
  const rest = sorted.slice(PARTS).map(([, values]) => values);
  if (rest.length > 0) {
    const values = all.map((_, index) => sum(rest.map((part) => part[index] ?? 0)));
    parts.push({ name: "", isRest: true, isUnknown: false, values });
  }
  return { keys: all, parts };
}

/** Every day of a span, in the journal's notation. */
export function days(from: number, to: number): string[] {
  const found: string[] = [];
  const at = new Date(from);
  at.setHours(12, 0, 0, 0);
  for (; at.getTime() < to + 43_200_000 && found.length < 400; at.setDate(at.getDate() + 1)) {
    const name = dayOf(at);
    if (name > dayOf(new Date(to))) break;
    found.push(name);
  }
  return found;
}

/** Every hour of a span, in the journal's notation. */
export function hours(from: number, to: number): string[] {
  const found: string[] = [];
  for (let at = from; at <= to; at += 3_600_000) found.push(hourOf(new Date(at)));
  if (found.at(-1) !== hourOf(new Date(to))) found.push(hourOf(new Date(to)));
  return [...new Set(found)];
}

function hourOf(at: Date): string {
  return `${dayOf(at)}T${String(at.getHours()).padStart(2, "0")}`;
}

function dayOf(at: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}
