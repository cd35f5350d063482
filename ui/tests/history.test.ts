import { describe, expect, it } from "vitest";

import type { HistoryPoint, HistoryQuery } from "../src/lib/generated/control";
import { isSeen, latencies, line, measured, SEEN_MS, timeline, times } from "../src/lib/history";
import { SHOWN, Sparks } from "../src/lib/sparks.svelte";
import { FakeBackend } from "./fake";
import { endpoint, NOW, snapshot } from "./snapshots";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const point = (ago: number, fields: Partial<HistoryPoint> = {}): HistoryPoint => ({
  at_ms: NOW - ago,
  span_ms: MINUTE,
  latency_ms: null,
  ttft_ms: null,
  attempts: 0,
  failures: 0,
  state: null,
  ...fields,
});
const checked = (ago: number, latency_ms: number) => point(ago, { latency_ms, state: "ready" });
const latency = ({ latency }: { latency: number | null }) => latency;

describe("a timeline", () => {
  it.each([
    ["hour", 60],
    ["day", 144],
    ["week", 168],
    ["month", 180],
  ] as const)("of a %s has %i steps, the last of which is now", (range, count) => {
    const { steps, since, until } = timeline([], range, NOW + 20_000);

    const length = (steps[1]?.at ?? 0) - (steps[0]?.at ?? 0);
    expect(steps).toHaveLength(count);
    expect(steps[0]?.at).toBe(since);
    expect(until - (steps.at(-1)?.at ?? 0)).toBeLessThan(length);
  });

  it("gathers what is in one step, and answers count for the first event", () => {
    const points = [
      point(8 * MINUTE, { latency_ms: 100, ttft_ms: 1_000, attempts: 1, state: "ready" }),
      point(5 * MINUTE, { latency_ms: 200, ttft_ms: 400, attempts: 6, failures: 1, state: "throttled" }),
      point(3 * MINUTE, { attempts: 1, failures: 1 }),
    ];

    const seen = timeline(points, "day", NOW - 1).steps.filter(isSeen);

    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ latency: 150, ttft: 500, attempts: 8, failures: 2, state: "throttled" });
  });

  it("leaves out what was before and knows the state from then", () => {
    const { steps, runs, since } = timeline([checked(2 * HOUR, 80), checked(100 * MINUTE, 80)], "hour", NOW);

    expect(steps.filter(isSeen)).toEqual([]);
    expect(runs).toEqual([{ from: since, to: NOW - 100 * MINUTE + SEEN_MS, state: "ready" }]);
  });

  it("joins the same state, and does not guess one that nobody has seen for long", () => {
    const points = [checked(20 * HOUR, 80), checked(20 * HOUR - MINUTE, 81), point(HOUR, { state: "failing" }), checked(MINUTE, 90)];

    const { runs } = timeline(points, "day", NOW);

    expect(runs).toEqual([
      { from: NOW - 20 * HOUR, to: NOW - 20 * HOUR + MINUTE + SEEN_MS, state: "ready" },
      { from: NOW - HOUR, to: NOW - MINUTE, state: "failing" },
      { from: NOW - MINUTE, to: NOW, state: "ready" },
    ]);
  });

  it("tells for how long each state lasted, and what nobody has seen", () => {
    const points = [point(HOUR - MINUTE, { state: "failing" }), checked(45 * MINUTE, 80)];

    const found = times(timeline(points, "hour", NOW));

    expect(found).toEqual({ states: [["ready", 45 * MINUTE], ["failing", 14 * MINUTE]], unseen: 0 });
    expect(times(timeline([], "hour", NOW))).toEqual({ states: [], unseen: 59 * MINUTE });
  });

  it("has a line that goes on between checks and is broken where nothing answered", () => {
    const points = [checked(50 * MINUTE, 80), checked(40 * MINUTE, 90), point(35 * MINUTE, { state: "failing" }), checked(30 * MINUTE, 85)];

    const values = line(timeline(points, "hour", NOW), latency);

    const at = (ago: number) => values.at(-1 - ago);
    expect([at(51), at(50), at(45), at(40), at(37), at(35), at(30), at(29)]).toEqual([null, 80, undefined, 90, undefined, null, 85, null]);
  });

  it("has a line that is broken where nobody looked", () => {
    const values = line(timeline([checked(9 * HOUR, 80), checked(3 * HOUR, 90)], "day", NOW), latency);

    expect(values.filter((value) => value === undefined)).toEqual([]);
  });

  it("says what was measured, or that nothing was", () => {
    const { steps } = timeline([checked(50 * MINUTE, 80), checked(40 * MINUTE, 100)], "hour", NOW);

    expect(measured(steps, latency)).toEqual({ mean: 90, lowest: 80, highest: 100 });
    expect(measured(steps, ({ ttft }) => ttft)).toBeUndefined();
  });
});

describe("a sparkline", () => {
  const kept = { path: "/journal.db", bytes: 1, dropped: 0 };
  const young = (fields = {}) =>
    snapshot({ journal: kept, endpoints: [endpoint("Tokyo", { latency_history: [90, 91], last_check_ms: NOW - 9_000, ...fields })] });
  const of = (sparks: Sparks, from = young()) => from.endpoints.map((view) => sparks.of(view))[0];

  class Remembering extends FakeBackend {
    override async history(query: HistoryQuery) {
      this.histories.push(query);
      return [{ endpoint: "Tokyo", points: [checked(9 * MINUTE, 80), point(8 * MINUTE, { state: "failing" }), point(7 * MINUTE, { attempts: 1 }), checked(MINUTE, 82)] }];
    }
  }

  it("begins with what the journal knows, a failed check being a gap", async () => {
    const sparks = new Sparks(new Remembering());

    await sparks.seed(young());

    expect(of(sparks)).toEqual([80, null, 82]);
  });

  it("goes on with each check, once", async () => {
    const sparks = new Sparks(new Remembering());
    await sparks.seed(young());

    const next = young({ latency_history: [90, 91, 95], last_check_ms: NOW });
    sparks.follow(young({ last_check_ms: NOW - 8_999 }));
    sparks.follow(next);
    sparks.follow(next);

    expect(of(sparks, next)).toEqual([80, null, 82, 95]);
  });

  it("does not ask where the engine remembers enough, or nothing is kept", async () => {
    const backend = new Remembering();
    const full = young({ latency_history: Array.from({ length: SHOWN }, () => 70) });

    await new Sparks(backend).seed(full);
    await new Sparks(backend).seed({ ...young(), journal: { ...kept, path: null } });

    expect(backend.histories).toEqual([]);
  });

  it("is the engine's where the journal knows less or cannot be read", async () => {
    const backend = new FakeBackend();
    backend.reading = () => Promise.reject({ code: "internal", message: "the journal is locked" });
    const sparks = new Sparks(backend);

    await sparks.seed(young());

    expect(of(sparks)).toEqual([90, 91]);
    expect(latencies({ endpoint: "Tokyo", points: [] }, SHOWN)).toEqual([]);
  });
});
