import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Connection } from "../src/lib/backend";
import { httpBackend } from "../src/lib/backend.http";
import { SNAPSHOTS } from "./snapshots";

const API = new URL("http://127.0.0.1:8081/api/v1/");
const { healthy } = SNAPSHOTS;

/** The browser's event stream, without a network. */
class FakeEventSource extends EventTarget {
  static readonly CLOSED = 2;
  static readonly opened: FakeEventSource[] = [];
  readyState = 1;

  constructor(readonly url: URL) {
    super();
    FakeEventSource.opened.push(this);
  }

  close() {
    this.readyState = FakeEventSource.CLOSED;
  }
}

const answers = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", FakeEventSource);
  FakeEventSource.opened.length = 0;
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("the backend over HTTP", () => {
  it("sends a command as JSON", async () => {
    const fetched = vi.fn(async () => answers({ message: "done" }));
    vi.stubGlobal("fetch", fetched);

    const done = await httpBackend(API).execute({ command: "use", endpoint: "Tokyo" });

    expect(done).toEqual({ message: "done" });
    expect(fetched).toHaveBeenCalledWith(
      new URL("http://127.0.0.1:8081/api/v1/commands"),
      expect.objectContaining({ method: "POST", body: '{"command":"use","endpoint":"Tokyo"}' }),
    );
  });

  it("fails with the engine's own error", async () => {
    const error = { code: "unknown_endpoint", message: "no endpoint is called X" };
    vi.stubGlobal("fetch", async () => answers(error, 404));

    await expect(httpBackend(API).snapshot()).rejects.toEqual(error);
  });

  it("says that nobody is there", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));

    await expect(httpBackend(API).snapshot()).rejects.toMatchObject({ code: "unreachable" });
  });

  it("tells every snapshot of the event stream", () => {
    const seen: unknown[] = [];
    httpBackend(API).subscribe((snapshot) => seen.push(snapshot), () => undefined);

    const event = new MessageEvent("snapshot", { data: JSON.stringify(healthy) });
    FakeEventSource.opened[0]?.dispatchEvent(event);

    expect(seen).toEqual([healthy]);
  });

  it("asks when nothing was heard for a while, and says that the engine is lost", async () => {
    const states: Connection[] = [];
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    const stop = httpBackend(API).subscribe(() => undefined, (state) => states.push(state));

    await vi.advanceTimersByTimeAsync(20_000);

    expect(states.at(-1)).toMatchObject({ state: "lost", error: { code: "unreachable" } });
    stop();
  });

  it("connects again when the stream was closed", async () => {
    vi.stubGlobal("fetch", async () => answers(healthy));
    const seen: unknown[] = [];
    httpBackend(API).subscribe((snapshot) => seen.push(snapshot), () => undefined);

    FakeEventSource.opened[0]?.close();
    FakeEventSource.opened[0]?.dispatchEvent(new Event("error"));
    await vi.advanceTimersByTimeAsync(0);

    expect(seen).toEqual([healthy]);
    expect(FakeEventSource.opened).toHaveLength(2);
  });
});
