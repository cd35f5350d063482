import { describe, expect, it } from "vitest";

import { Journal } from "../src/lib/journal.svelte";
import { EVERYTHING } from "../src/lib/route";
import { FakeBackend } from "./fake";
import { Recorded } from "./journal";
import { until } from "./until";

const numbers = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, index) => from - index);

function opened(count: number) {
  const backend = new FakeBackend();
  backend.recorded = new Recorded(count);
  return { backend, journal: new Journal(backend, EVERYTHING) };
}

/** Reads the next page. */
async function readOn(journal: Journal) {
  await until(() => expect(journal.reading.state).not.toBe("reading"));
  journal.more();
}

const ids = (journal: Journal) => journal.rows.map(({ id }) => id);

describe("the rows of the journal", () => {
  it("are read to the oldest, none left out and none twice", async () => {
    const { backend, journal } = opened(2_300);

    while (journal.reading.state !== "all") await readOn(journal);
    journal.more();

    expect(ids(journal)).toEqual(numbers(2_300, 1));
    expect(backend.asked).toHaveLength(5);
  });

  it("stay one list when requests end while it is read", async () => {
    const { backend, journal } = opened(1_700);

    while (journal.reading.state !== "all") {
      await readOn(journal);
      backend.recorded.count += 3;
      await journal.follow();
    }

    expect(ids(journal)).toEqual(numbers(backend.recorded.count, 1));
  });
});
