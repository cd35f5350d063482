// The latencies of the last checks, for the sparklines of the overview.
//
// The engine remembers the latest. If it has only a few, earlier ones are read from the journal, and later checks are
// added to them here.

import type { Backend } from "./backend";
import { DAY } from "./duration";
import type { EndpointView, Snapshot } from "./generated/control";
import { latencies } from "./history";

/** The most values in a sparkline. */
export const SHOWN = 24;

/** How far back the journal is read. */
const SINCE_MS = DAY;

/** Two check times closer than this are the same check: the engine reports it with a small error. */
const APART_MS = 500;

interface Line {
  values: readonly (number | null)[];
  /** Time of the last check in it. */
  last: number | null;
}

export class Sparks {
  #lines = $state.raw<ReadonlyMap<string, Line>>(new Map());

  constructor(private readonly backend: Backend) {}

  /** Reads earlier checks from the journal, if there may be some. */
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
      // The values that the engine remembers are enough to draw.
    }
  }

  /** Adds the latest check of each endpoint, if it is new. */
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

  /** The longer one of the line here and what the engine remembers. */
  of({ name, latency_history }: EndpointView): readonly (number | null)[] {
    const known = this.#lines.get(name)?.values ?? [];
    return known.length > latency_history.length ? known : latency_history;
  }
}
