// What the page derives from a snapshot: pure functions, without words.

import { MINUTE } from "./duration";
import type { EndpointView, Problem, Reason, Snapshot, Strategy, Weighed } from "./generated/control";
import type { Status } from "./messages";

/** The overall state, as in the tray icon. */
export type Overall = "healthy" | "degraded" | "all_down" | "paused" | "offline" | "empty";

/** What the head of the page shows. */
export type InUse =
  | { is: "endpoint"; endpoint: EndpointView; why: Reason | undefined }
  | { is: "distributing" }
  | { is: "nothing" }
  | { is: "empty" }
  | { is: "starting" }
  | { is: "stopped" };

export interface Group {
  name: string;
  endpoints: EndpointView[];
  usable: number;
}

export function usable(endpoint: EndpointView): boolean {
  return endpoint.state === "ready" || endpoint.state === "recovering";
}

export function overall(snapshot: Snapshot): Overall {
  if (!hasEngine(snapshot)) return "all_down";
  if (snapshot.endpoints.length === 0) return "empty";
  if (snapshot.offline_since_ms !== null) return "offline";
  // A recovering endpoint does not count: its next trial decides.
  if (!snapshot.endpoints.some(({ state }) => state === "ready")) return "all_down";
  if (snapshot.paused) return "paused";
  const ails = snapshot.endpoints.some(ailing) || snapshot.problems.some(matters);
  return ails ? "degraded" : "healthy";
}

/** Whether an engine runs. If not, the problems of the snapshot say why. */
export function hasEngine(snapshot: Snapshot): boolean {
  return snapshot.listening.proxy !== "";
}

/** Whether something is wrong with an endpoint. One that was switched off is as it should be. */
function ailing({ state, reason }: EndpointView): boolean {
  if (state === "ready") return reason !== null;
  return state !== "disabled" && state !== "draining";
}

/** Whether a problem is worth a warning mark, and not only a line in the list. */
function matters({ kind }: Problem): boolean {
  return kind !== "config_warning" && kind !== "no_endpoints";
}

/** How long it is worth showing; the engine leaves it out after that too, but may have nothing new to send. */
const WEIGHED_MS = 10 * MINUTE;

/** What was weighed last against a prompt cache, if it is recent. */
export function weighed(snapshot: Snapshot, now: number): Weighed | undefined {
  const last = snapshot.weighed ?? undefined;
  return last !== undefined && now - last.at_ms < WEIGHED_MS ? last : undefined;
}

export function inUse(snapshot: Snapshot): InUse {
  const endpoint = snapshot.endpoints.find(({ name }) => name === snapshot.current);
  if (endpoint) return { is: "endpoint", endpoint, why: snapshot.decision?.why };
  if (snapshot.endpoints.some(usable)) return { is: "distributing" };
  if (!hasEngine(snapshot)) return { is: snapshot.problems.length > 0 ? "stopped" : "starting" };
  return { is: snapshot.endpoints.length === 0 ? "empty" : "nothing" };
}

/** The pinned endpoint, or the one in use; none while requests are distributed. */
export function checked(snapshot: Snapshot): string | null {
  return snapshot.mode.mode === "manual" ? snapshot.mode.endpoint : snapshot.current;
}

/** Groups, in the order of the configuration. */
export function groups(endpoints: readonly EndpointView[]): Group[] {
  const byName = new Map<string, EndpointView[]>();
  for (const endpoint of endpoints) {
    const group = byName.get(endpoint.group);
    if (group) group.push(endpoint);
    else byName.set(endpoint.group, [endpoint]);
  }
  return [...byName].map(([name, members]) => ({
    name,
    endpoints: members,
    usable: members.filter(usable).length,
  }));
}

/** Why an endpoint is in its state, or else why it was not chosen, unless the list shows that anyway. */
export function reasonOf(snapshot: Snapshot, endpoint: EndpointView): Reason | undefined {
  if (endpoint.reason) return endpoint.reason;
  if (!usable(endpoint)) return endpoint.last_error ?? undefined;
  const why = snapshot.decision?.others.find((other) => other.endpoint === endpoint.name)?.why;
  return why?.code === "not_pinned" ? undefined : why;
}

/** Whether "try again now" would have an effect. */
export function canReinstate(endpoint: EndpointView): boolean {
  switch (endpoint.state) {
    case "recovering":
    case "failing":
    case "throttled":
    case "refused":
    case "exhausted":
      return true;
    case "ready":
    case "draining":
    case "disabled":
    case "no_credential":
      return false;
  }
}

/** The problems to list. The view without endpoints says by itself that there are none. */
export function problems(snapshot: Snapshot): Problem[] {
  if (snapshot.endpoints.length > 0) return snapshot.problems;
  return snapshot.problems.filter(({ kind }) => kind !== "no_endpoints");
}

/** When the first endpoint is tried again. */
export function backAt(snapshot: Snapshot): number | undefined {
  const times = snapshot.endpoints.flatMap(({ until_ms }) => until_ms ?? []);
  return times.length > 0 ? Math.min(...times) : undefined;
}

/** How `strategy` chooses. */
export function by(strategy: Strategy): Status {
  switch (strategy) {
    case "latency":
      return { status: "by_latency" };
    case "priority":
      return { status: "by_priority" };
    case "price":
      return { status: "by_price" };
    case "round_robin":
      return { status: "by_turn" };
    case "weighted_round_robin":
      return { status: "by_weight" };
    case "random":
      return { status: "by_chance" };
  }
}
