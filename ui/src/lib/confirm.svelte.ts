// What a browser may not do by itself: it waits until the operating system's user has confirmed it in the terminal or
// in the tray, and goes on.

import type { Backend } from "./backend";
import { failure } from "./failure";
import type { Confirmation, ControlError } from "./generated/control";
import type { Phrase } from "./messages";

/** The time between two looks at how a confirmation stands. */
const LOOK_MS = 1_000;

interface Waiting {
  confirmation: Confirmation;
  cancel: () => void;
}

const FAILURES = {
  refused: "confirm_refused",
  gone: "confirm_gone",
  cancelled: "confirm_cancelled",
} as const satisfies Record<string, Phrase>;

type Outcome = "allowed" | keyof typeof FAILURES;

export class Confirmations {
  #waiting = $state.raw<readonly Waiting[]>([]);

  constructor(
    private readonly backend: Backend,
    private readonly say: (code: Phrase) => string,
  ) {}

  /** What the page waits for. If there are several, the oldest. */
  get asked(): Confirmation | undefined {
    return this.#waiting[0]?.confirmation;
  }

  /** Waits for it no more. */
  cancel() {
    this.#waiting[0]?.cancel();
  }

  /** Resolves when it is confirmed. Fails with a `ControlError` if it is not. */
  async confirmed(confirmation: Confirmation): Promise<void> {
    const outcome = await this.#outcome(confirmation);
    if (outcome === "allowed") return;
    await this.backend.withdraw(confirmation.number);
    throw { code: "not_possible", message: this.say(FAILURES[outcome]) } satisfies ControlError;
  }

  async #outcome(confirmation: Confirmation): Promise<Outcome> {
    let isCancelled = false;
    let wake: () => void = () => undefined;
    const waiting: Waiting = {
      confirmation,
      cancel: () => {
        isCancelled = true;
        wake();
      },
    };
    this.#waiting = [...this.#waiting, waiting];
    try {
      for (let left = confirmation.left_ms; left > 0; left -= LOOK_MS) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          setTimeout(resolve, LOOK_MS);
        });
        if (isCancelled) return "cancelled";
        const standing = await this.#standing(confirmation.number);
        if (standing !== "waiting") return standing;
      }
      return "gone";
    } finally {
      this.#waiting = this.#waiting.filter((other) => other !== waiting);
    }
  }

  /** A program that cannot be reached for a moment has not answered. */
  async #standing(number: number) {
    try {
      return await this.backend.standing(number);
    } catch (thrown) {
      const { code } = failure(thrown, "internal");
      return code === "unreachable" ? "waiting" : "gone";
    }
  }
}

/** The backend, where what has to be confirmed waits until it is, and is sent again. */
export function confirming(backend: Backend, confirmations: Confirmations): Backend {
  async function after<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    try {
      return await ask();
    } catch (thrown) {
      const { confirmation } = failure(thrown, "internal");
      if (!confirmation) throw thrown;
      await confirmations.confirmed(confirmation);
      return ask();
    }
  }
  return {
    snapshot: () => backend.snapshot(),
    subscribe: (listener, onState) => backend.subscribe(listener, onState),
    execute: (command) => after(() => backend.execute(command)),
    requests: (filter, paging) => backend.requests(filter, paging),
    request: (id) => backend.request(id),
    usage: (asked) => backend.usage(asked),
    history: (asked) => backend.history(asked),
    configuration: () => backend.configuration(),
    check: (command) => backend.check(command),
    diagnose: (tested) => after(() => backend.diagnose(tested)),
    standing: (number) => backend.standing(number),
    withdraw: (number) => backend.withdraw(number),
    exportLink: (filter, format) => backend.exportLink(filter, format),
    onSaved: (listener) => backend.onSaved(listener),
    guard: (wouldLose, ask) => backend.guard(wouldLose, ask),
    close: () => backend.close(),
  };
}
