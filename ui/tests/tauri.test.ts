import { emit } from "@tauri-apps/api/event";
import { clearMocks, mockIPC } from "@tauri-apps/api/mocks";
import { afterEach, describe, expect, it, vi } from "vitest";

import type { Connection } from "../src/lib/backend";
import { tauriBackend } from "../src/lib/backend.tauri";
import { SNAPSHOTS } from "./snapshots";

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
    await vi.waitFor(() => expect(states).toEqual([{ state: "live" }]));
    await emit("snapshot", paused);

    expect(seen).toEqual([healthy, paused]);
    stop();
  });
});
