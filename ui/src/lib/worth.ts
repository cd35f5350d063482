// `routing.second_usd`: what a second less to wait is worth. `core::worth` decides by it.

/** The key whose field is a slider. */
export const SECOND_USD = "routing.second_usd";

/** The steps of the slider, in USD. */
export const STEPS = [0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1] as const;

/** A conversation whose cache has this many tokens, what it costs to write it again instead of reading it (Opus 5.5 by
    list prices), and the risk of a move (`RISK_USD` of `core::worth`), in USD. */
export const EXAMPLE = { tokens: 100_000, write_usd: 0.48, risk_usd: 0.02 } as const;

/** The place of the step that is nearest by ratio; zero is only itself. */
export function nearestStep(usd: number): number {
  if (!(usd > 0)) return 0;
  const distance = (step: number) => Math.abs(Math.log(usd / step));
  const nearest = STEPS.slice(1).reduce((best, step) => (distance(step) < distance(best) ? step : best));
  return STEPS.indexOf(nearest);
}

/** How much waiting the example has to save in all until it moves, in seconds. */
export function secondsToMove(usd: number): number {
  return (EXAMPLE.write_usd + EXAMPLE.risk_usd) / usd;
}
