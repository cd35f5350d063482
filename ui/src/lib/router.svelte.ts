// Where the page is: it follows the address, and asks before anything unsaved is left.

import { createContext } from "svelte";

import type { Backend } from "./backend";
import { href, parse, type Route } from "./route";

/** Where somebody wants to go: `closed` is away from the page. */
type Destination = Route | "closed";

/** Whether something unsaved would be lost by going there. */
type Held = (to: Destination) => boolean;

export class Router {
  route = $state.raw<Route>(parse(location.hash));
  /** The destination that waits for an answer: whether unsaved edits may be lost. */
  wanted = $state.raw<Destination>();

  #held = new Set<Held>();
  #backend: Pick<Backend, "guard" | "close">;

  constructor(backend: Pick<Backend, "guard" | "close">) {
    this.#backend = backend;
  }

  /** Follows the address, and asks before the page is closed with unsaved edits. The returned function ends that. */
  start(): () => void {
    const read = () => {
      const route = parse(location.hash);
      if (!this.#holds(route)) this.route = route;
      // The address has changed already, so it is changed back.
      else history.replaceState(null, "", href(this.route));
    };
    addEventListener("hashchange", read);
    const unguard = this.#backend.guard(
      () => this.#wouldLose("closed"),
      () => (this.wanted = "closed"),
    );
    return () => {
      removeEventListener("hashchange", read);
      unguard();
    };
  }

  go(route: Route) {
    if (this.#holds(route)) return;
    location.hash = href(route);
    this.route = route;
  }

  /** Asks before a destination for which `isUnsaved` holds. The returned function ends that. */
  hold(isUnsaved: Held): () => void {
    this.#held.add(isUnsaved);
    return () => this.#held.delete(isUnsaved);
  }

  /** Answers the question that `wanted` asks. */
  answer(leave: "yes" | "no") {
    const { wanted } = this;
    this.wanted = undefined;
    if (leave === "no" || !wanted) return;
    this.#held.clear();
    if (wanted === "closed") this.#backend.close();
    else this.go(wanted);
  }

  /** Changes how a place is shown, without a step for the back button. */
  replace(route: Route) {
    history.replaceState(null, "", href(route));
    this.route = route;
  }

  #holds(route: Route): boolean {
    const isElsewhere = href(route) !== href(this.route);
    const isHeld = isElsewhere && this.#wouldLose(route);
    if (isHeld) this.wanted = route;
    return isHeld;
  }

  #wouldLose(to: Destination): boolean {
    return [...this.#held].some((isUnsaved) => isUnsaved(to));
  }
}

export const [theRouter, provideRouter] = createContext<Router>();
