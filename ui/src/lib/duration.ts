// Durations in milliseconds, and how they are shown.

import type { Status } from "./messages";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export function milliseconds(ms: number): Status {
  return { status: "milliseconds", ms: String(Math.round(ms)) };
}

/** A duration in its two largest units. */
export function span(ms: number): Status {
  const seconds = Math.max(0, Math.ceil(ms / 1_000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (minutes === 0) return { status: "seconds", seconds };
  if (hours === 0) return { status: "minutes", minutes };
  if (days === 0) return { status: "hours", hours, minutes: minutes % 60 };
  return { status: "days", days, hours: hours % 24 };
}

/** How long something took, with tenths of a second. */
export function took(ms: number): Status {
  if (ms < 1_000) return milliseconds(ms);
  if (ms < 60_000) return { status: "seconds", seconds: (ms / 1_000).toFixed(1) };
  return span(ms);
}
