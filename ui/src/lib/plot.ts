// How all charts look in the page's theme.

/** Reads a variable of the style sheet. */
export type Read = (name: string) => string;

/** Room at the right for half of the widest label of the axis, which may be centred on the edge. In pixels. */
export const EDGE_PX = 26;

/** The look in the current theme. After a change of theme a chart has to be drawn again. */
export function themed() {
  const style = getComputedStyle(document.documentElement);
  const read: Read = (name) => style.getPropertyValue(name).trim();
  return {
    read,
    axis: {
      stroke: read("--muted"),
      font: `11px ${read("--sans")}`,
      grid: { stroke: read("--line"), width: 1 },
      ticks: { show: false },
    },
  };
}
