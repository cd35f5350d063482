// Checks a change with the engine while it is typed.

import type { Backend } from "./backend";
import type { Command, Complaint } from "./generated/control";

/** The pause in typing after which a check starts. */
const PAUSE_MS = 300;

export class Check {
  complaints = $state.raw<readonly Complaint[]>([]);

  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = 0;

  constructor(private readonly backend: Backend) {}

  /** Checks after a pause, unless a newer change comes first. */
  soon(command: Command) {
    this.#asked += 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(command), PAUSE_MS);
  }

  /** Drops the check under way and the complaints. */
  stop() {
    this.#asked += 1;
    clearTimeout(this.#timer);
    this.complaints = [];
  }

  /** Complaints about a field, given its name or the last part of its key. */
  of(field: string): Complaint[] {
    return this.complaints.filter((complaint) => isOf(complaint, field));
  }

  /** Complaints about other fields than these, or none in particular. */
  besides(fields: readonly string[]): Complaint[] {
    return this.complaints.filter((complaint) => !fields.some((field) => isOf(complaint, field)));
  }

  async #ask(command: Command) {
    const asked = this.#asked;
    try {
      const complaints = await this.backend.check(command);
      if (asked === this.#asked) this.complaints = complaints;
    } catch {
      // Saving will say what is wrong.
      if (asked === this.#asked) this.complaints = [];
    }
  }
}

function isOf({ field }: Complaint, name: string): boolean {
  return field !== null && (field === name || field.endsWith(`.${name}`));
}
