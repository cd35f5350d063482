import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Store } from "../src/lib/store.svelte";
import { FakeBackend } from "./fake";
import { SNAPSHOTS } from "./snapshots";

const { healthy, paused } = SNAPSHOTS;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("the store", () => {
  it("has no snapshot until the engine has told one", () => {
    const backend = new FakeBackend();
    const store = new Store(backend);
    store.start();

    expect(store.snapshot).toBeUndefined();
    expect(store.connection.state).toBe("connecting");
    backend.send(healthy);
    expect(store.snapshot).toEqual(healthy);
    expect(store.connection.state).toBe("live");
  });

  it("keeps a newer snapshot when an older one comes late", () => {
    const backend = new FakeBackend(paused);
    const store = new Store(backend);
    store.start();

    backend.send({ ...healthy, taken_at_ms: paused.taken_at_ms - 1 });

    expect(store.snapshot?.paused).toBe(true);
  });

  it("takes an older snapshot of an engine that was started anew", () => {
    const backend = new FakeBackend(paused);
    const store = new Store(backend);
    store.start();

    backend.send({ ...healthy, started_at_ms: 1, taken_at_ms: 2 });

    expect(store.snapshot?.paused).toBe(false);
  });

  it("keeps the last snapshot when the connection is lost", () => {
    const backend = new FakeBackend(healthy);
    const store = new Store(backend);
    store.start();

    backend.lose("the socket closed");

    expect(store.connection.state).toBe("lost");
    expect(store.snapshot).toEqual(healthy);
  });

  it("knows a command under way, and does not send it twice", async () => {
    const backend = new FakeBackend(healthy);
    let finish = () => {};
    backend.outcome = () => new Promise((done) => (finish = () => done({ message: "" })));
    const store = new Store(backend);

    const first = store.run({ command: "refresh" });
    await store.run({ command: "refresh" });

    expect(store.pending({ command: "refresh" })).toBe(true);
    expect(store.pending({ command: "auto" })).toBe(false);
    expect(backend.commands).toEqual([{ command: "refresh" }]);
    finish();
    await first;
    expect(store.pending({ command: "refresh" })).toBe(false);
  });

  it("shows a failed command as a toast that goes away", async () => {
    const backend = new FakeBackend(healthy);
    const error = { code: "not_possible", message: "Tokyo is switched off" } as const;
    backend.outcome = () => Promise.reject(error);
    const store = new Store(backend);

    await store.run({ command: "use", endpoint: "Tokyo" });

    expect(store.toasts.map((toast) => toast.error)).toEqual([error]);
    vi.runOnlyPendingTimers();
    expect(store.toasts).toEqual([]);
  });

  it("stops following the engine when it is stopped", () => {
    const backend = new FakeBackend(healthy);
    const stop = new Store(backend).start();

    stop();

    expect(backend.followed).toBe(false);
  });
});
