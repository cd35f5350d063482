// Which rows of a long list are worth drawing.

/** The first row to draw, and the one after the last. */
export interface Range {
  from: number;
  to: number;
}

/** Rows beyond either edge, so that what comes into sight is there already. */
const BEYOND = 8;

/** The rows that a box of this height shows after having been scrolled so far. */
export function visible(top: number, height: number, row: number, count: number): Range {
  const first = Math.floor(top / row);
  const last = Math.ceil((top + height) / row);
  return { from: clamp(first - BEYOND, count), to: clamp(last + BEYOND, count) };
}

/** Where to scroll so that a row is in sight; as it is, if it is. */
export function reveal(index: number, top: number, height: number, row: number): number {
  if (index * row < top) return index * row;
  if ((index + 1) * row > top + height) return (index + 1) * row - height;
  return top;
}

function clamp(index: number, count: number): number {
  return Math.min(Math.max(index, 0), count);
}
