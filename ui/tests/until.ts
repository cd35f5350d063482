// Waiting for what comes at some point, however slow the machine is.

import { flushSync } from "svelte";
import { vi } from "vitest";

/** Less than the limit of a test in vite.config.ts, so that what was waited for is what is reported. */
const LIMIT_MS = 280_000;

/** What `find` finds, as soon as it does not fail any more. The page's own clock goes on meanwhile. */
export function until<Found>(find: () => Found): Promise<Found> {
  return vi.waitFor(
    () => {
      flushSync();
      return find();
    },
    { timeout: LIMIT_MS },
  );
}
