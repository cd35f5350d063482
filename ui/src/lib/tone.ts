// How states look: good, bad, or in between. A word beside the mark always says the same.

import type { EndpointState, RequestEnd } from "./generated/control";

export type Tone = "good" | "busy" | "warn" | "bad" | "off";

/** How an endpoint's state looks. */
export function tone(state: EndpointState): Tone {
  switch (state) {
    case "ready":
      return "good";
    case "recovering":
    case "draining":
      return "busy";
    case "throttled":
      return "warn";
    case "failing":
    case "refused":
    case "exhausted":
    case "no_credential":
      return "bad";
    case "disabled":
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
