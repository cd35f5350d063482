// The list of requests, scrolled as a person scrolls it. Every step follows a change of the page, so a slow
// machine takes longer and sees the same.

import type { Locator } from "@playwright/test";

/** What was seen on the way. */
export interface Passage {
  /** The most rows that were in the page at once. */
  mostRows: number;
  /** Rows at another place than their number says: one was skipped or doubled before them. */
  misplaced: string[];
}

/** Scrolls down whenever there is more, until request 1 is in the page. The requests are numbered from `newest`
    down to 1, and all of them are shown. */
export function scrollToOldest(list: Locator, newest: number): Promise<Passage> {
  return list.evaluate(
    (box, newest) =>
      new Promise<Passage>((arrived, failed) => {
        const passage: Passage = { mostRows: 0, misplaced: [] };
        const step = () => {
          const rows = [...box.querySelectorAll<HTMLElement>('[data-testid="request"]')];
          passage.mostRows = Math.max(passage.mostRows, rows.length);
          for (const { dataset, ariaRowIndex } of rows) {
            // The head of the table is its first row.
            const expected = newest - (Number(ariaRowIndex) - 2);
            if (Number(dataset["id"]) !== expected) passage.misplaced.push(`${dataset["id"]} at the place of ${expected}`);
          }
          const isOver = rows.some(({ dataset }) => dataset["id"] === "1");
          const retry = box.parentElement?.querySelector('[data-testid="retry-reading"]');
          if (isOver || retry) changes.disconnect();
          if (retry) failed(new Error(retry.parentElement?.textContent ?? "the list could not be read"));
          else if (isOver) arrived(passage);
          else box.scrollTop = box.scrollHeight;
        };
        const changes = new MutationObserver(step);
        changes.observe(box.parentElement ?? box, { attributes: true, childList: true, subtree: true });
        step();
      }),
    newest,
  );
}

/** Jumps to places all over the list; tells those at which the next frame lacks a row that is in sight, or has
    another one. Frames are counted, not time: the scroll event comes before the first one's end. */
export function unfilledPlaces(list: Locator, newest: number): Promise<number[]> {
  return list.evaluate(async (box, newest) => {
    const PLACES = 60;
    const ROW_PX = 36;
    const frame = () => new Promise(requestAnimationFrame);
    const unfilled: number[] = [];
    for (let place = 0; place < PLACES; place += 1) {
      box.scrollTop = Math.floor((box.scrollHeight / PLACES) * place);
      await frame();
      await frame();
      const { top, bottom } = box.getBoundingClientRect();
      const rows = [...box.querySelectorAll<HTMLElement>('[data-testid="request"]')];
      const edges = rows.map((row) => row.getBoundingClientRect());
      const isFilled = edges.some((row) => row.top <= top + ROW_PX) && edges.some((row) => row.bottom >= bottom - ROW_PX);
      const isRight = rows.every(({ dataset, ariaRowIndex }) => Number(dataset["id"]) === newest - (Number(ariaRowIndex) - 2));
      if (!isFilled || !isRight) unfilled.push(place);
    }
    return unfilled;
  }, newest);
}
