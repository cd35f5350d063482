import { emit } from "@tauri-apps/api/event";
import { clearMocks, mockIPC, mockWindows } from "@tauri-apps/api/mocks";
import { afterEach, describe, expect, it } from "vitest";

import type { Connection } from "../src/lib/backend";
import { tauriBackend } from "../src/lib/backend.tauri";
import { EVERYTHING } from "../src/lib/route";
import { SNAPSHOTS } from "./snapshots";
import { until } from "./until";

const { healthy, paused } = SNAPSHOTS;

afterEach(() => {
  clearMocks();
});

describe("the backend in the desktop program", () => {
  it("has one command for everything", async () => {
    const asked: unknown[] = [];
    mockIPC((command, payload) => {
      asked.push([command, payload]);
      return { message: "done" };
    });

    await tauriBackend().execute({ command: "use", endpoint: "Tokyo" });

    const request = { ask: "execute", command: { command: "use", endpoint: "Tokyo" } };
    expect(asked).toEqual([["control", { request }]]);
  });

  it("asks every question through that command, by its name", async () => {
    const asked: unknown[] = [];
    mockIPC((_, payload) => {
      asked.push((payload as { request: { ask: string } }).request);
      return [];
    });
    const backend = tauriBackend();
    const paging = { before: null, after: 7, limit: 100 };
    const query = { since_ms: 1, until_ms: null };

    await backend.requests(EVERYTHING, paging);
    await backend.request(7);
    await backend.usage({ ...query, by: "day", split: null });
    await backend.history({ ...query, endpoint: null });
    await backend.configuration();
    await backend.check({ command: "pause" });
    await backend.diagnose({ what: "configured", endpoint: "Tokyo" });

    expect(asked).toEqual([
      { ask: "requests", filter: EVERYTHING, paging },
      { ask: "request", id: 7 },
      { ask: "usage", query: { ...query, by: "day", split: null } },
      { ask: "history", query: { ...query, endpoint: null } },
      { ask: "configuration" },
      { ask: "check", command: { command: "pause" } },
      { ask: "diagnose", tested: { what: "configured", endpoint: "Tokyo" } },
    ]);
    expect(backend.exportLink(EVERYTHING, "csv")).toBeNull();
  });

  it("fails with the engine's own error, or with what the shell said", async () => {
    const error = { code: "not_possible", message: "Tokyo is switched off" };
    mockIPC(() => Promise.reject(error));
    await expect(tauriBackend().snapshot()).rejects.toEqual(error);

    mockIPC(() => Promise.reject("command control not found"));
    await expect(tauriBackend().snapshot()).rejects.toEqual({
      code: "internal",
      message: "command control not found",
    });
  });

  it("tells the state now and after every change", async () => {
    mockIPC(() => healthy, { shouldMockEvents: true });
    const seen: unknown[] = [];
    const states: Connection[] = [];

    const stop = tauriBackend().subscribe(
      (snapshot) => seen.push(snapshot),
      (state) => states.push(state),
    );
    await until(() => expect(states).toEqual([{ state: "live" }]));
    await emit("snapshot", paused);

    expect(seen).toEqual([healthy, paused]);
    stop();
  });

  it("closes the window unless something would be lost by it", async () => {
    mockWindows("main");
    const done: string[] = [];
    mockIPC((command) => void done.push(command), { shouldMockEvents: true });
    let isUnsaved = true;
    let asked = 0;

    const stop = tauriBackend().guard(
      () => isUnsaved,
      () => (asked += 1),
    );
    await emit("tauri://close-requested");
    expect([asked, done]).toEqual([1, []]);
    isUnsaved = false;
    await emit("tauri://close-requested");
    stop();

    expect([asked, done]).toEqual([1, ["plugin:window|destroy"]]);
  });

  it("tells where a file was saved, until it is not asked any more", async () => {
    mockIPC(() => undefined, { shouldMockEvents: true });
    const seen: unknown[] = [];

    const stop = tauriBackend().onSaved((path) => seen.push(path));
    await emit("saved", "/home/ada/Downloads/zephyr-requests.csv");
    await emit("saved", null);
    stop();

    expect(seen).toEqual(["/home/ada/Downloads/zephyr-requests.csv", null]);
  });
});
