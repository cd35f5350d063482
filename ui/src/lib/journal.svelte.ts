// The requests of the journal that match a filter, as far as they have been read.
//
// A hundred thousand whole records would take too much memory. A row has only what the list shows; the record is read
// when a request is opened.

import type { Backend } from "./backend";
import { failure } from "./failure";
import type { ControlError, RequestEnd, RequestFilter, RequestRecord } from "./generated/control";
import { input } from "./tokens";

export interface Row {
  id: number;
  at: number;
  path: string;
  status: number | null;
  end: RequestEnd;
  model: string | null;
  endpoint: string | null;
  attempts: number;
  duration: number;
  ttft: number | null;
  input: number | null;
  output: number | null;
  cost: number | null;
  error: string | null;
}

export type Reading =
  | { state: "reading" }
  | { state: "more" }
  | { state: "all" }
  | { state: "failed"; error: ControlError };

const PAGE = 500;

export class Journal {
  /** Newest first. */
  rows = $state.raw<readonly Row[]>([]);
  reading = $state.raw<Reading>({ state: "reading" });

  #filter: RequestFilter;
  #next: number | null = null;
  #following = false;

  constructor(
    private readonly backend: Backend,
    filter: RequestFilter,
  ) {
    this.#filter = filter;
    void this.#read();
  }

  /** Reads the next page, unless one is being read or there is none. */
  more() {
    if (this.reading.state !== "more") return;
    this.reading = { state: "reading" };
    void this.#read();
  }

  /** Reads again after a failure. */
  retry() {
    if (this.reading.state !== "failed") return;
    this.reading = { state: "reading" };
    void this.#read();
  }

  /** Adds the requests that have ended since. Returns how many rows came. */
  async follow(): Promise<number> {
    const first = this.reading.state === "reading" && this.rows.length === 0;
    if (first || this.#following) return 0;
    this.#following = true;
    let came = 0;
    try {
      for (let after = this.rows[0]?.id ?? 0; ; ) {
        const paging = { before: null, after, limit: PAGE };
        const page = await this.backend.requests(this.#filter, paging);
        this.rows = [...page.requests.map(row).reverse(), ...this.rows];
        came += page.requests.length;
        if (page.next === null) return came;
        after = page.next;
      }
    } catch {
      // The list stays as it is; the next change asks again.
      return came;
    } finally {
      this.#following = false;
    }
  }

  async #read() {
    try {
      const paging = { before: this.#next, after: null, limit: PAGE };
      const page = await this.backend.requests(this.#filter, paging);
      this.rows = [...this.rows, ...page.requests.map(row)];
      this.#next = page.next;
      this.reading = { state: page.next === null ? "all" : "more" };
    } catch (thrown) {
      this.reading = { state: "failed", error: failure(thrown, "internal") };
    }
  }
}

function row(record: RequestRecord): Row {
  return {
    id: record.id,
    at: record.at_ms,
    path: record.path,
    status: record.status,
    end: record.end,
    model: record.served_model ?? record.model,
    endpoint: record.endpoint ?? record.attempts.at(-1)?.endpoint ?? null,
    attempts: record.attempts.length,
    duration: record.duration_ms,
    ttft: record.ttft_ms,
    input: record.tokens && input(record.tokens),
    output: record.tokens && record.tokens.output,
    cost: record.cost_usd,
    error: record.error,
  };
}
