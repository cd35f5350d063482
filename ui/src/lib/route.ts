// A place in the page, and the fragment that names it. The fragment works in the window and in a browser, can be
// linked to, and follows the back button.

import type { RequestFilter, UsageBy } from "./generated/control";

export type View = "overview" | "requests" | "usage" | "endpoints" | "settings";

export const VIEWS: readonly View[] = ["overview", "requests", "usage", "endpoints", "settings"];

/** What usage is grouped by. */
export type Dimension = Exclude<UsageBy, "hour">;

export const DIMENSIONS: readonly Dimension[] = ["day", "endpoint", "model", "session"];

export type Route =
  | { view: "overview" }
  | { view: "requests"; id: number | undefined; filter: RequestFilter }
  | { view: "usage"; days: number; by: Dimension }
  | { view: "endpoints"; open: Open }
  | { view: "settings"; section: string | undefined };

/** What is open beside the list of endpoints. */
export type Open = { is: "nothing" } | { is: "new" } | { is: "endpoint"; name: string };

export const EVERYTHING: RequestFilter = {
  since_ms: null,
  until_ms: null,
  endpoint: null,
  model: null,
  session: null,
  status: null,
  failed: false,
  text: null,
};

/** The place at which a view starts. */
export function start(view: View): Route {
  switch (view) {
    case "overview":
      return { view };
    case "requests":
      return { view, id: undefined, filter: EVERYTHING };
    case "usage":
      return { view, days: 7, by: "day" };
    case "endpoints":
      return { view, open: { is: "nothing" } };
    case "settings":
      return { view, section: undefined };
  }
}

/** The place that a fragment names, or the overview. */
export function parse(fragment: string): Route {
  const [path = "", search = ""] = fragment.replace(/^#\/?/, "").split("?", 2);
  const [view, rest] = path.split("/", 2).map(decoded);
  const said = new URLSearchParams(search);
  switch (view) {
    case "requests":
      return { view, id: natural(rest), filter: filterOf(said) };
    case "usage": {
      const by = DIMENSIONS.find((dimension) => dimension === said.get("by")) ?? "day";
      return { view, days: natural(said.get("days")) ?? 7, by };
    }
    case "endpoints":
      if (rest) return { view, open: { is: "endpoint", name: rest } };
      return { view, open: { is: said.has("new") ? "new" : "nothing" } };
    case "settings":
      return { view, section: rest || undefined };
    default:
      return { view: "overview" };
  }
}

/** The fragment of a place. */
export function href(route: Route): string {
  switch (route.view) {
    case "overview":
      return "#/";
    case "requests":
      return address(["requests", route.id], searchOf(route.filter));
    case "usage":
      return address(["usage"], { days: route.days, by: route.by });
    case "endpoints":
      return addressOf(route.open);
    case "settings":
      return address(["settings", route.section]);
  }
}

function addressOf(open: Open): string {
  switch (open.is) {
    case "nothing":
      return address(["endpoints"]);
    case "new":
      return address(["endpoints"], { new: 1 });
    case "endpoint":
      return address(["endpoints", open.name]);
  }
}

function filterOf(said: URLSearchParams): RequestFilter {
  return {
    since_ms: natural(said.get("since_ms")) ?? null,
    until_ms: natural(said.get("until_ms")) ?? null,
    endpoint: said.get("endpoint"),
    model: said.get("model"),
    session: said.get("session"),
    status: natural(said.get("status")) ?? null,
    failed: said.has("failed"),
    text: said.get("text"),
  };
}

function searchOf(filter: RequestFilter): Record<string, string | number> {
  const said: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(filter)) {
    if (value === true) said[name] = 1;
    else if (value !== null && value !== false && value !== "") said[name] = value;
  }
  return said;
}

function address(
  path: readonly (string | number | undefined)[],
  said: Record<string, string | number> = {},
): string {
  const steps = path.filter((step) => step !== undefined).map(encodeURIComponent);
  const search = new URLSearchParams(Object.entries(said).map(([name, value]) => [name, String(value)]));
  return `#/${steps.join("/")}${search.size > 0 ? `?${search}` : ""}`;
}

function decoded(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}

function natural(value: string | null | undefined): number | undefined {
  return value && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}
