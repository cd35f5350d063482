// What the components share: the last snapshot, the connection, the clock, and commands under way.
//
// The snapshot is the only state of the engine here. Commands change nothing in it: their effect comes with the next
// snapshot.

import { createContext } from "svelte";
import { MediaQuery } from "svelte/reactivity";

import type { Backend, Connection } from "./backend";
import { Confirmations, confirming } from "./confirm.svelte";
import { failure } from "./failure";
import type { Command, ControlError, Overall, Snapshot } from "./generated/control";
import { type Coded, type Language, meaning, named, option, type Parameters, type Phrase, phrase, resolve, sentence, text } from "./messages";

/** A failure, shown until it is dismissed or some time has passed. */
export interface Toast {
  id: number;
  error: ControlError;
}

/** An answer to a question is older than the last event by at most this. */
const OVERTAKEN_MS = 5_000;

const TOAST_MS = 10_000;

export class Store {
  snapshot = $state.raw<Snapshot>();
  connection = $state.raw<Connection>({ state: "connecting" });
  toasts = $state.raw<readonly Toast[]>([]);
  /** Milliseconds since the Unix epoch, to the second. */
  now = $state(Date.now());

  /** For queries, and for commands whose failure is shown elsewhere than in a toast. What has to be confirmed waits
      until it is. */
  readonly backend: Backend;
  readonly confirmations: Confirmations;

  /** How things are as a whole: what the engine says, unless the page has lost it. */
  readonly overall: Overall = $derived(
    this.connection.state === "lost" ? "disconnected" : (this.snapshot?.status.overall ?? "starting"),
  );

  readonly language: Language = $derived(
    resolve(this.snapshot?.appearance.language ?? "auto", navigator.language),
  );

  #systemIsDark = new MediaQuery("(prefers-color-scheme: dark)");
  readonly theme: "dark" | "light" = $derived.by(() => {
    const choice = this.snapshot?.appearance.theme ?? "auto";
    return choice === "auto" ? (this.#systemIsDark.current ? "dark" : "light") : choice;
  });

  #underWay = $state.raw<ReadonlySet<string>>(new Set());
  #stop: (() => void) | undefined;
  #lastToast = 0;

  constructor(backend: Backend) {
    this.confirmations = new Confirmations(backend, (code) => this.say(code));
    this.backend = confirming(backend, this.confirmations);
  }

  /** Follows the engine until the returned function is called. */
  start(): () => void {
    this.connect();
    const ticking = setInterval(() => (this.now = Date.now()), 1_000);
    return () => {
      clearInterval(ticking);
      this.#stop?.();
    };
  }

  /** Connects, or reconnects. */
  connect() {
    this.#stop?.();
    this.connection = { state: "connecting" };
    this.#stop = this.backend.subscribe(
      (snapshot) => this.#take(snapshot),
      (connection) => (this.connection = connection),
    );
  }

  /** Carries out a command. A failure becomes a toast. A command that is under way is not sent again. Returns whether
      it was carried out. */
  async run(command: Command): Promise<boolean> {
    const key = JSON.stringify(command);
    if (this.#underWay.has(key)) return false;
    this.#underWay = new Set(this.#underWay).add(key);
    try {
      await this.backend.execute(command);
      return true;
    } catch (thrown) {
      this.complain(failure(thrown, "internal"));
      return false;
    } finally {
      const left = new Set(this.#underWay);
      left.delete(key);
      this.#underWay = left;
    }
  }

  /** Whether this command is under way. */
  pending(command: Command): boolean {
    return this.#underWay.has(JSON.stringify(command));
  }

  /** Shows a failure for a while. */
  complain(error: ControlError) {
    this.#lastToast += 1;
    const id = this.#lastToast;
    this.toasts = [...this.toasts.slice(-2), { id, error }];
    setTimeout(() => this.dismiss(id), TOAST_MS);
  }

  dismiss(id: number) {
    this.toasts = this.toasts.filter((toast) => toast.id !== id);
  }

  say(code: Phrase, parameters?: Parameters): string {
    return phrase(this.language, code, parameters);
  }

  text(coded: Coded): string {
    return text(this.language, coded);
  }

  /** A phrase for a value of a kind; without one, the value. */
  name(kind: string, value: string): string {
    return named(this.language, kind, value);
  }

  /** What a word means that a key of the configuration takes. */
  option(key: string, word: string): string {
    return option(this.language, key, word);
  }

  /** The meaning of a key of the configuration. */
  meaning(key: string): string {
    return meaning(this.language, key);
  }

  sentence(coded: Coded): string {
    return sentence(this.language, coded);
  }

  /** Drops an answer that an event has overtaken. If the clock was set back, all later snapshots seem older, but by
      more. */
  #take(snapshot: Snapshot) {
    const last = this.snapshot;
    const older = last === undefined ? 0 : last.taken_at_ms - snapshot.taken_at_ms;
    const stale =
      last?.started_at_ms === snapshot.started_at_ms && older > 0 && older < OVERTAKEN_MS;
    if (stale) return;
    this.snapshot = snapshot;
    this.now = Date.now();
  }
}

/** The store of the page. */
export const [theStore, provideStore] = createContext<Store>();
