// Which rows of a long list are drawn.

/** The first row to draw, and the one after the last. */
export interface Range {
  from: number;
  to: number;
}

/** Rows beyond either edge, so that scrolling finds them drawn. */
const BEYOND = 8;

/** The rows to draw for a box of this height and scroll position, in pixels. */
export function visible(top: number, height: number, row: number, count: number): Range {
  const first = Math.floor(top / row);
  const last = Math.ceil((top + height) / row);
  return { from: clamp(first - BEYOND, count), to: clamp(last + BEYOND, count) };
}

/** The scroll position that shows a row; unchanged if it is in sight already. */
export function reveal(index: number, top: number, height: number, row: number): number {
  if (index * row < top) return index * row;
  if ((index + 1) * row > top + height) return (index + 1) * row - height;
  return top;
}

function clamp(index: number, count: number): number {
  return Math.min(Math.max(index, 0), count);
}
