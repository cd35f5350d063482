// What the page derives from a snapshot: pure functions, without words.

import { MINUTE } from "./duration";
import type { EndpointView, Overall, Problem, Reason, Snapshot, Strategy, Weighed } from "./generated/control";
import type { Status } from "./messages";

export interface Group {
  name: string;
  endpoints: EndpointView[];
  /** How many of them answer. */
  answering: number;
  /** How many of them are switched on. */
  enabled: number;
}

/** Whether it takes requests. */
export function usable({ state }: EndpointView): boolean {
  return state === "ready" || state === "faltering" || state === "recovering";
}

/** Whether it answers, as far as is known: it takes requests, and the last news of it is no failure. */
export function answers(endpoint: EndpointView): boolean {
  return endpoint.state === "ready";
}

/** The endpoint that answers the next request, if it is one and requests are answered. */
export function answering({ endpoints, status: { about } }: Snapshot, overall: Overall): EndpointView | undefined {
  if (!areAnswered(overall)) return undefined;
  switch (about.about) {
    case "endpoint":
      return endpoints.find(({ name }) => name === about.endpoint);
    case "pin":
      return endpoints.find(({ name }) => name === (about.stand_in ?? about.pin));
    case "several":
    case "nothing":
      return undefined;
  }
}

/** Whether requests are answered, as far as is known. */
export function areAnswered(overall: Overall): boolean {
  switch (overall) {
    case "well":
    case "degraded":
    case "paused":
    case "starting":
      return true;
    case "out":
    case "offline":
    case "disconnected":
      return false;
  }
}

/** Whether an engine runs. If not, the problems of the snapshot say why. */
export function hasEngine(snapshot: Snapshot): boolean {
  return snapshot.listening.proxy !== "";
}

/** How long it is worth showing; the engine leaves it out after that too, but may have nothing new to send. */
const WEIGHED_MS = 10 * MINUTE;

/** What was weighed last against a prompt cache, if it is recent. */
export function weighed(snapshot: Snapshot, now: number): Weighed | undefined {
  const last = snapshot.weighed ?? undefined;
  return last !== undefined && now - last.at_ms < WEIGHED_MS ? last : undefined;
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
    answering: members.filter(answers).length,
    enabled: members.filter(({ enabled }) => enabled).length,
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
    case "faltering":
    case "recovering":
    case "failing":
    case "throttled":
    case "refused":
    case "exhausted":
      return true;
    case "ready":
    case "unreachable":
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
