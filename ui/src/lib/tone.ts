// How states look: good, bad, or in between. A word beside the mark always says the same.

import type { EndpointState, Overall, RequestEnd } from "./generated/control";

export type Tone = "good" | "busy" | "warn" | "bad" | "off";

/** How an endpoint's state looks. */
export function tone(state: EndpointState): Tone {
  switch (state) {
    case "ready":
      return "good";
    case "recovering":
    case "draining":
      return "busy";
    case "faltering":
    case "throttled":
      return "warn";
    case "unreachable":
    case "failing":
    case "refused":
    case "exhausted":
    case "no_credential":
      return "bad";
    case "disabled":
      return "off";
  }
}

/** How the overall status looks. */
export function overallTone(overall: Overall): Tone {
  switch (overall) {
    case "well":
      return "good";
    case "paused":
      return "busy";
    case "degraded":
      return "warn";
    case "out":
    case "offline":
      return "bad";
    case "starting":
    case "disconnected":
      return "off";
  }
}

/** How the end of a request looks. */
export function endTone(end: RequestEnd): Tone {
  switch (end) {
    case "answered":
      return "good";
    case "abandoned":
      return "off";
    case "aborted":
    case "refused":
      return "warn";
    case "failed":
      return "bad";
  }
}
