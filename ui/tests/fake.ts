// A backend without an engine: it says what it is told to say and records what it is asked.

import type { Backend, Connection } from "../src/lib/backend";
import type { Command, Done, Snapshot } from "../src/lib/generated/control";

export class FakeBackend implements Backend {
  readonly commands: Command[] = [];
  /** What a command comes to. */
  outcome: () => Promise<Done> = async () => ({ message: "done" });
  subscriptions = 0;

  #listener: ((snapshot: Snapshot) => void) | undefined;
  #onState: ((connection: Connection) => void) | undefined;

  constructor(private state?: Snapshot) {}

  async snapshot(): Promise<Snapshot> {
    if (!this.state) throw { code: "unreachable", message: "nobody is there" };
    return this.state;
  }

  subscribe(
    listener: (snapshot: Snapshot) => void,
    onState: (connection: Connection) => void,
  ): () => void {
    this.subscriptions += 1;
    this.#listener = listener;
    this.#onState = onState;
    if (this.state) this.send(this.state);
    return () => {
      this.#listener = undefined;
      this.#onState = undefined;
    };
  }

  execute(command: Command): Promise<Done> {
    this.commands.push(command);
    return this.outcome();
  }

  send(snapshot: Snapshot) {
    this.state = snapshot;
    this.#listener?.(snapshot);
    this.#onState?.({ state: "live" });
  }

  lose(message: string) {
    this.#onState?.({ state: "lost", error: { code: "unreachable", message } });
  }

  get followed(): boolean {
    return this.#listener !== undefined;
  }
}
