import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Connection } from "../src/lib/backend";
import { httpBackend } from "../src/lib/backend.http";
import { EVERYTHING } from "../src/lib/route";
import { takeCode } from "../src/lib/session.http";
import { SNAPSHOTS } from "./snapshots";
import { until } from "./until";

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
  localStorage.clear();
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

  it("asks the journal by the names of its parameters, and says nothing of what does not matter", async () => {
    const asked: string[] = [];
    vi.stubGlobal("fetch", async (url: URL) => {
      asked.push(url.pathname + url.search);
      return answers({});
    });
    const backend = httpBackend(API);
    const filter = { ...EVERYTHING, endpoint: "Tokyo & Co", failed: true, text: "" };

    await backend.requests(filter, { before: 7, after: null, limit: 500 });
    await backend.request(7);
    await backend.usage({ since_ms: 5, until_ms: null, by: "day", split: "model" });
    await backend.history({ since_ms: null, until_ms: null, endpoint: null });
    await backend.configuration();

    expect(asked).toEqual([
      "/api/v1/requests?endpoint=Tokyo+%26+Co&failed=true&before=7&limit=500",
      "/api/v1/requests/7",
      "/api/v1/usage?since_ms=5&by=day&split=model",
      "/api/v1/history",
      "/api/v1/configuration",
    ]);
    expect(backend.exportLink(filter, "csv")).toBe(
      `${API.href}requests/export?endpoint=Tokyo+%26+Co&failed=true&format=csv`,
    );
  });

  it("sends checks and tests as JSON", async () => {
    const fetched = vi.fn(async () => answers([]));
    vi.stubGlobal("fetch", fetched);

    await httpBackend(API).check({ command: "pause" });
    await httpBackend(API).diagnose({ what: "configured", endpoint: "Tokyo" });

    expect(fetched.mock.calls).toMatchObject([
      [new URL("check", API), { method: "POST", body: '{"command":"pause"}' }],
      [new URL("diagnose", API), { method: "POST", body: '{"what":"configured","endpoint":"Tokyo"}' }],
    ]);
  });

  it("signs in with its one-time code before anything else is asked", async () => {
    const asked: [string, unknown][] = [];
    vi.stubGlobal("fetch", async (url: URL, init?: RequestInit) => {
      asked.push([url.pathname, init?.body]);
      return answers({});
    });
    const backend = httpBackend(API, "one-time");

    await Promise.all([backend.snapshot(), backend.configuration()]);
    const stop = backend.subscribe(() => undefined, () => undefined);
    await until(() => expect(FakeEventSource.opened).toHaveLength(1));
    stop();

    expect(asked[0]).toEqual(["/api/v1/session", '{"code":"one-time"}']);
    expect(asked.filter(([path]) => path === "/api/v1/session")).toHaveLength(1);
  });

  it("says the key that it got when it signed in with whatever it asks, also in another tab", async () => {
    const said: (string | null)[] = [];
    vi.stubGlobal("fetch", async (url: URL, init?: RequestInit) => {
      said.push(new Headers(init?.headers).get("x-zephyr-page"));
      return answers(url.pathname.endsWith("/session") ? { key: "k-1" } : {});
    });

    await httpBackend(API, "one-time").snapshot();
    const otherTab = httpBackend(API);
    await otherTab.execute({ command: "pause" });
    const stop = otherTab.subscribe(() => undefined, () => undefined);
    stop();

    expect(said).toEqual([null, "k-1", "k-1"]);
    expect(FakeEventSource.opened[0]?.url.href).toBe(`${API.href}events?page_key=k-1`);
    expect(otherTab.exportLink(EVERYTHING, "csv")).toBe(
      `${API.href}requests/export?format=csv&page_key=k-1`,
    );
  });

  it("says that one has to sign in, whatever the answer looks like", async () => {
    vi.stubGlobal("fetch", async () => answers("no", 401));

    await expect(httpBackend(API).snapshot()).rejects.toMatchObject({ code: "unauthorized" });
  });

  it("takes the code out of the address", () => {
    history.replaceState(null, "", "#code=one-time");

    const code = takeCode();

    expect(code).toBe("one-time");
    expect(location.href).not.toContain("one-time");
    expect(takeCode()).toBeUndefined();
  });
});
