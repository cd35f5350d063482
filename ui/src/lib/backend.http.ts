// The engine behind the admin HTTP API that served this page.

import type { Backend } from "./backend";
import { failure } from "./failure";
import type { ControlError, Done, Snapshot } from "./generated/control";

/** A quiet engine sends nothing that a page can see, so after this long it is asked. */
const QUIET_MS = 20_000;

/** A browser gives up an event stream that was answered with an error. */
const RECONNECT_MS = 3_000;

export function httpBackend(api: URL): Backend {
  const snapshot = () => ask<Snapshot>(new URL("snapshot", api));
  return {
    snapshot,
    subscribe: (listener, onState) =>
      new Subscription(new URL("events", api), snapshot, listener, onState).stop,
    execute: (command) =>
      ask<Done>(new URL("commands", api), {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(command),
      }),
  };
}

class Subscription {
  #events: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(
    private readonly url: URL,
    private readonly snapshot: Backend["snapshot"],
    private readonly listener: Parameters<Backend["subscribe"]>[0],
    private readonly onState: Parameters<Backend["subscribe"]>[1],
  ) {
    this.#connect();
  }

  readonly stop = () => {
    this.#stopped = true;
    this.#events?.close();
    clearTimeout(this.#timer);
  };

  #connect() {
    this.#events?.close();
    const events = new EventSource(this.url);
    this.#events = events;
    events.addEventListener("snapshot", (event: MessageEvent<string>) => {
      this.#take(JSON.parse(event.data) as Snapshot);
    });
    // The reason of a failure is not told here; a plain request learns it.
    events.addEventListener("error", () => void this.#ask());
    this.#after(QUIET_MS, () => void this.#ask());
  }

  #take(snapshot: Snapshot) {
    this.listener(snapshot);
    this.onState({ state: "live" });
    this.#after(QUIET_MS, () => void this.#ask());
  }

  async #ask() {
    try {
      const snapshot = await this.snapshot();
      if (this.#stopped) return;
      this.#take(snapshot);
      if (this.#events?.readyState === EventSource.CLOSED) this.#connect();
    } catch (thrown) {
      if (this.#stopped) return;
      this.onState({ state: "lost", error: failure(thrown, "unreachable") });
      this.#after(RECONNECT_MS, () => this.#connect());
    }
  }

  #after(ms: number, then: () => void) {
    clearTimeout(this.#timer);
    if (!this.#stopped) this.#timer = setTimeout(then, ms);
  }
}

async function ask<Answer>(url: URL, init?: RequestInit): Promise<Answer> {
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(url, init);
    body = await response.json();
  } catch (thrown) {
    throw failure(thrown, "unreachable") satisfies ControlError;
  }
  if (!response.ok) throw failure(body, "internal") satisfies ControlError;
  return body as Answer;
}
