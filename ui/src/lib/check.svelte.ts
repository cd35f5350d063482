// What the engine would say of a change, asked while one types.

import type { Backend } from "./backend";
import type { Command, Complaint } from "./generated/control";

/** As long as a typing person pauses. */
const PAUSE_MS = 300;

export class Check {
  complaints = $state.raw<readonly Complaint[]>([]);

  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = 0;

  constructor(private readonly backend: Backend) {}

  /** Asks in a moment, unless there is something newer to ask by then. */
  soon(command: Command) {
    this.#asked += 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(command), PAUSE_MS);
  }

  /** Forgets what was asked and what was said. */
  stop() {
    this.#asked += 1;
    clearTimeout(this.#timer);
    this.complaints = [];
  }

  /** What is said of a field, by its name or the end of its key's path. */
  of(field: string): Complaint[] {
    return this.complaints.filter((complaint) => isOf(complaint, field));
  }

  /** What is said of none of these fields. */
  besides(fields: readonly string[]): Complaint[] {
    return this.complaints.filter((complaint) => !fields.some((field) => isOf(complaint, field)));
  }

  async #ask(command: Command) {
    const asked = this.#asked;
    try {
      const complaints = await this.backend.check(command);
      if (asked === this.#asked) this.complaints = complaints;
    } catch {
      // Saving says what is wrong.
      if (asked === this.#asked) this.complaints = [];
    }
  }
}

function isOf({ field }: Complaint, name: string): boolean {
  return field !== null && (field === name || field.endsWith(`.${name}`));
}
