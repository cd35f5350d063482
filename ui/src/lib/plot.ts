// What all charts look like, in the page's theme.

/** A colour or font of the style sheet, by the name of its variable. */
export type Read = (name: string) => string;

/** Room at the right of a chart for half of the widest label below it: one may belong to the very edge. */
export const EDGE_PX = 26;

/** As it is now: a chart has to be drawn again when the theme changes. */
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
