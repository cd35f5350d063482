// Follows the snapshots of the admin API.
//
// An event stream does not say why it failed. A plain request does, so one is made then.

import type { Backend } from "./backend";
import { failure } from "./failure";
import type { Snapshot } from "./generated/control";

/** A page does not see the keep-alives of a quiet engine, so it asks for a snapshot after this long. */
const QUIET_MS = 20_000;

/** A browser does not reopen an event stream that was refused, so the page does, after this long. */
const RECONNECT_MS = 3_000;

export class Subscription {
  #events: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(
    private readonly url: () => URL,
    signedIn: Promise<void> | undefined,
    private readonly snapshot: Backend["snapshot"],
    private readonly listener: Parameters<Backend["subscribe"]>[0],
    private readonly onState: Parameters<Backend["subscribe"]>[1],
  ) {
    if (signedIn) void signedIn.then(() => this.#stopped || this.#connect());
    else this.#connect();
  }

  readonly stop = () => {
    this.#stopped = true;
    this.#events?.close();
    clearTimeout(this.#timer);
  };

  #connect() {
    this.#events?.close();
    const events = new EventSource(this.url());
    this.#events = events;
    events.addEventListener("snapshot", (event: MessageEvent<string>) => {
      this.#take(JSON.parse(event.data) as Snapshot);
    });
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
