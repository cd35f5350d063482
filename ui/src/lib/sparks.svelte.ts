// The latencies of the last checks, for the sparklines of the overview.
//
// The engine tells those that it remembers. Where these are few, the journal knows earlier ones; what is
// checked from then on is added.

import type { Backend } from "./backend";
import { DAY } from "./duration";
import type { EndpointView, Snapshot } from "./generated/control";
import { latencies } from "./history";

/** As many as a sparkline shows. */
export const SHOWN = 24;

/** How far back it is of use to know. */
const SINCE_MS = DAY;

/** Checks are further apart than this; the time of the same one may differ by a little. */
const APART_MS = 500;

interface Line {
  values: readonly (number | null)[];
  /** The check that came last. */
  last: number | null;
}

export class Sparks {
  #lines = $state.raw<ReadonlyMap<string, Line>>(new Map());

  constructor(private readonly backend: Backend) {}

  /** Asks the journal, if it can add something. */
  async seed(snapshot: Snapshot) {
    const wanting = snapshot.endpoints.filter(({ latency_history }) => latency_history.length < SHOWN);
    if (snapshot.journal.path === null || wanting.length === 0) return;
    try {
      const query = { since_ms: snapshot.taken_at_ms - SINCE_MS, until_ms: null, endpoint: null };
      const histories = await this.backend.history(query);
      const known = new Map(histories.map((history) => [history.endpoint, latencies(history, SHOWN)]));
      this.#lines = new Map(
        wanting.map(({ name, last_check_ms }) => [name, { values: known.get(name) ?? [], last: last_check_ms }]),
      );
    } catch {
      // What the engine tells is enough to draw.
    }
  }

  /** Adds the checks that ended since. */
  follow({ endpoints }: Snapshot) {
    let isChanged = false;
    const lines = new Map(this.#lines);
    for (const { name, last_check_ms, latency_history } of endpoints) {
      const line = lines.get(name);
      const newest = latency_history.at(-1);
      if (!line || newest === undefined || last_check_ms === null) continue;
      if (last_check_ms - (line.last ?? 0) < APART_MS) continue;
      lines.set(name, { values: [...line.values, newest].slice(-SHOWN), last: last_check_ms });
      isChanged = true;
    }
    if (isChanged) this.#lines = lines;
  }

  /** Whichever reaches further back. */
  of({ name, latency_history }: EndpointView): readonly (number | null)[] {
    const known = this.#lines.get(name)?.values ?? [];
    return known.length > latency_history.length ? known : latency_history;
  }
}
