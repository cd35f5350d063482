// The overall status of every recorded snapshot, wherever the page shows it.

import { cleanup, render, screen } from "@testing-library/svelte";
import { flushSync } from "svelte";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import App from "../src/App.svelte";
import type { LanguageChoice, Overall, Snapshot } from "../src/lib/generated/control";
import { sentence } from "../src/lib/messages";
import { FakeBackend } from "./fake";
import { EXAMPLES, NOW } from "./snapshots";

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  document.head.innerHTML = '<link rel="icon" href="">';
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const words = (element: Element | null) => (element?.textContent ?? "").replace(/\s+/g, " ").trim();

function show(snapshot: Snapshot, language: LanguageChoice = "en") {
  const backend = new FakeBackend({ ...snapshot, appearance: { language, theme: "light" } });
  render(App, { props: { backend } });
  flushSync();
  return backend;
}

/** What each place says, by the state that it is marked with. */
function places() {
  return {
    header: document.querySelector("header")?.dataset["overall"],
    sidebar: screen.getByTestId("side-status").dataset["overall"],
    phone: screen.getByTestId("phone-status").dataset["overall"],
    favicon: document.querySelector<HTMLLinkElement>('link[rel="icon"]')?.dataset["overall"],
  };
}

const everywhere = (overall: Overall) => ({ header: overall, sidebar: overall, phone: overall, favicon: overall });

describe("the overall status", () => {
  it.each(Object.entries(EXAMPLES))("of %s is said everywhere as the engine says it", (_, snapshot) => {
    const { overall, headline } = snapshot.status;
    for (const language of ["en", "zh"] as const) {
      show(snapshot, language);

      const word = sentence(language, overall);
      const line = sentence(language, headline);

      expect(places()).toEqual(everywhere(overall));
      expect(words(document.querySelector("header h1"))).toContain(line);
      expect(words(screen.getByTestId("side-status"))).toContain(`${word}: ${line}`);
      expect(screen.getByTestId("overall").textContent).toBe(word);
      expect(document.title.startsWith(`${word} · `)).toBe(overall !== "well");
      cleanup();
    }
  });

  it("has an icon of its own for what is well and for what is not", () => {
    const icon = (name: string) => {
      show(EXAMPLES[name] as Snapshot);
      const { href } = document.querySelector('link[rel="icon"]') as HTMLLinkElement;
      cleanup();
      return href;
    };

    const icons = ["healthy", "degraded", "all-down", "paused", "starting"].map(icon);

    expect(new Set(icons).size).toBe(5);
    expect(icon("offline")).toBe(icon("all-down"));
  });

  it("is never green, and counts, while three of four endpoints are overloaded", () => {
    show(EXAMPLES["spread-thin"] as Snapshot);

    const head = screen.getByTestId("in-use");

    expect(words(head)).toContain("1 of 4 endpoints answer");
    expect(words(head)).not.toContain("usable");
    expect(head.querySelector("svg")?.classList.contains("good")).toBe(false);
  });

  it("names the pin that fails and the endpoint that stands in, with the latency of that one", () => {
    show(EXAMPLES["failing-pin"] as Snapshot);

    expect(words(screen.getByTestId("in-use"))).toContain("Tokyo stands in for Frankfurt 82 ms");
    expect(words(screen.getByTestId("side-status"))).toContain("Tokyo stands in for Frankfurt");
  });

  it("that is offline stands above no endpoint that is ready or counted", () => {
    show(EXAMPLES["offline"] as Snapshot);

    const rows = screen.getAllByTestId("endpoint-row").map(words);

    expect(words(document.querySelector("#group-0"))).toContain("0 of 3 answer");
    for (const row of rows) {
      expect(row).toContain("Not reachable");
      expect(row).not.toContain("Ready");
    }
  });

  it("does not say ready of an endpoint whose last check failed", () => {
    show(EXAMPLES["failing-pin"] as Snapshot);

    const row = screen.getAllByTestId("endpoint-row").map(words).find((it) => it.includes("Singapore"));

    expect(row).toContain("Failed last time");
    expect(row).not.toContain("Ready");
  });

  it("says disconnected once the program is lost, and nothing else", () => {
    const backend = show(EXAMPLES["healthy"] as Snapshot);

    backend.lose("Failed to fetch", "unreachable");
    flushSync();

    expect(places()).toEqual(everywhere("disconnected"));
    expect(words(document.querySelector("header h1"))).toBe("Disconnected");
    expect(document.title).toContain("Disconnected · ");
    expect(words(screen.getByTestId("in-use"))).not.toContain("82 ms");
  });
});
