import { describe, expect, it } from "vitest";

import { span } from "../src/lib/duration";
import { beginning } from "../src/lib/messages";
import { nearestStep, secondsToMove, STEPS } from "../src/lib/worth";
import { backAt, checked, groups, problems } from "../src/lib/view";
import { NOW, SNAPSHOTS } from "./snapshots";

describe("a snapshot", () => {
  it("marks the one in use, or the pinned one, or none while requests are distributed", () => {
    expect(checked(SNAPSHOTS.healthy)).toBe("Tokyo");
    expect(checked(SNAPSHOTS.manual)).toBe("Singapore");
    expect(checked(SNAPSHOTS.distributing)).toBeNull();
  });

  it("has its groups in the order of the configuration, with how many answer", () => {
    const list = groups(SNAPSHOTS.many.endpoints);

    expect(list.map(({ name }) => name)).toEqual(["Asia", "Europe", "America"]);
    expect(list.reduce((sum, { endpoints }) => sum + endpoints.length, 0)).toBe(40);
    expect(list[0]).toMatchObject({ answering: 13, enabled: 14 });
  });

  it("begins a paragraph with a capital, but leaves names alone", () => {
    expect(beginning("the keychain is locked")).toBe("The keychain is locked");
    expect(beginning("server.port is busy")).toBe("server.port is busy");
    expect(beginning("config.toml, line 3")).toBe("config.toml, line 3");
    expect(beginning("Claude Code was connected")).toBe("Claude Code was connected");
  });

  it("without endpoints leaves it to the empty list to say so", () => {
    expect(problems(SNAPSHOTS.empty)).toEqual([]);
    expect(problems(SNAPSHOTS.problems)).toHaveLength(3);
  });

  it("tells when the first endpoint is back", () => {
    expect(backAt(SNAPSHOTS["all-down"])).toBe(NOW + 42_000);
    expect(backAt(SNAPSHOTS.healthy)).toBeUndefined();
  });
});

describe("a span", () => {
  it.each([
    [-500, { status: "seconds", seconds: 0 }],
    [27_300, { status: "seconds", seconds: 28 }],
    [125_000, { status: "minutes", minutes: 2 }],
    [3_700_000, { status: "hours", hours: 1, minutes: 1 }],
    [90_000_000, { status: "days", days: 1, hours: 1 }],
  ])("of %d ms is in its largest units", (ms, said) => {
    expect(span(ms)).toEqual(said);
  });
});

describe("what a second is worth", () => {
  it("has the nearest step by ratio, and zero for itself alone", () => {
    const near = (usd: number) => STEPS[nearestStep(usd)];

    expect(STEPS.map(near)).toEqual(STEPS);
    expect([near(0.000_01), near(0.013), near(0.016), near(90)]).toEqual([0.001, 0.01, 0.02, 1]);
  });

  it("says how much waiting is worth fifty cents", () => {
    expect([0.001, 0.01, 0.1, 1].map(secondsToMove)).toEqual([500, 50, 5, 0.5]);
    expect(secondsToMove(0)).toBe(Infinity);
  });
});
