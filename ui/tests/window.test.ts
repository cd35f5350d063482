import { cleanup, render, screen, within } from "@testing-library/svelte";
import { flushSync, tick } from "svelte";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import App from "../src/App.svelte";
import type { LanguageChoice, Measure, Snapshot, ThemeChoice } from "../src/lib/generated/control";
import { FakeBackend } from "./fake";
import { endpoint, NOW, snapshot, type SnapshotName, SNAPSHOTS } from "./snapshots";
import { until } from "./until";

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

function show(snapshot: Snapshot, language: LanguageChoice = "en", theme: ThemeChoice = "light") {
  const backend = new FakeBackend({ ...snapshot, appearance: { language, theme } });
  render(App, { props: { backend } });
  flushSync();
  return backend;
}

const row = (name: string) => {
  const found = screen.getAllByTestId("endpoint-row").find((it) => it.dataset["endpoint"] === name);
  if (!found) throw new Error(`no row of ${name}`);
  return found;
};
const beside = (name: string, testid: string) =>
  within(row(name).parentElement as HTMLElement).getByTestId(testid);
const words = (element: HTMLElement) => element.textContent.replace(/\s+/g, " ").trim();

describe("the window", () => {
  it.each(Object.keys(SNAPSHOTS) as SnapshotName[])("shows %s in both languages", (name) => {
    for (const language of ["en", "zh"] as const) {
      show(SNAPSHOTS[name], language);

      const said = document.body.textContent;

      expect(said).not.toMatch(/[{}]|undefined|NaN|\[object/);
      expect(screen.queryAllByTestId("endpoint-row")).toHaveLength(SNAPSHOTS[name].endpoints.length);
      cleanup();
    }
  });

  it("says which endpoint is in use, how fast it is and why", () => {
    show(SNAPSHOTS.healthy);

    const head = words(screen.getByTestId("in-use"));

    expect(head).toContain("Tokyo");
    expect(head).toContain("82 ms");
    expect(head).toContain("Faster: 82 ms against 141 ms");
  });

  it("says of both latencies whether endpoints are compared by it", () => {
    const one = endpoint("Tokyo", { latency_ms: 82, ttft_ms: 512 });
    const titles = (compared_by: Measure | null) => {
      show(snapshot({ endpoints: [{ ...one, compared_by }] }));
      const said = ["82 ms", "First event 512 ms"].map((text) => within(row("Tokyo")).getByText(text).title);
      cleanup();
      return said;
    };

    const [checks, firstEvents] = titles("checks");

    expect(checks).toContain("Endpoints are compared by this");
    expect(firstEvents).toContain("Not what this endpoint is compared by");
    expect(titles("first_events")[0]).toContain("Not what this endpoint is compared by");
    expect(titles("first_events")[1]).toContain("Endpoints are compared by this");
    expect(titles(null)).toEqual(["", ""]);
  });

  it("marks the one row that is in use", () => {
    show(SNAPSHOTS.healthy);

    const checked = screen.getAllByRole("radio", { checked: true });

    expect(checked.map((radio) => radio.dataset["endpoint"])).toEqual(["Tokyo"]);
  });

  it("says in words why an endpoint is out, and counts down", () => {
    show(SNAPSHOTS.degraded);
    const frankfurt = row("Frankfurt");

    expect(frankfurt.dataset["state"]).toBe("failing");
    expect(words(frankfurt)).toContain("no connection: connection refused 42 s to go");
    vi.advanceTimersByTime(2_000);
    flushSync();
    expect(words(frankfurt)).toContain("40 s to go");
  });

  it("pins an endpoint by its row, its button, or the space bar", () => {
    const backend = show(SNAPSHOTS.healthy);

    row("Singapore").click();
    beside("Frankfurt", "use-endpoint").click();
    row("Backup").dispatchEvent(new KeyboardEvent("keydown", { key: " ", bubbles: true }));

    const pinned = backend.commands.map((command) => "endpoint" in command && command.endpoint);
    expect(pinned).toEqual(["Singapore", "Frankfurt", "Backup"]);
    expect(backend.commands[0]?.command).toBe("use");
  });

  it("does not pin an endpoint that is switched off", () => {
    const backend = show(SNAPSHOTS.degraded);

    row("Sydney").click();

    expect(backend.commands).toEqual([]);
  });

  it("moves only the focus with the arrow keys, and Tab reaches one row", () => {
    const backend = show(SNAPSHOTS.healthy);
    row("Tokyo").focus();

    row("Tokyo").dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true }));
    flushSync();

    expect(document.activeElement).toBe(row("Singapore"));
    const reachable = screen.getAllByRole("radio").filter((radio) => radio.tabIndex === 0);
    expect(reachable).toEqual([row("Singapore")]);
    expect(backend.commands).toEqual([]);
  });

  it("offers what helps with an endpoint", () => {
    const backend = show(SNAPSHOTS.degraded);

    beside("Frankfurt", "reinstate").click();
    beside("Frankfurt", "disable").click();
    beside("Sydney", "enable").click();

    expect(backend.commands).toEqual([
      { command: "reinstate", endpoint: "Frankfurt" },
      { command: "disable", endpoint: "Frankfurt" },
      { command: "enable", endpoint: "Sydney" },
    ]);
  });

  it("goes to manual with the endpoint in use, and back to automatic", () => {
    const backend = show(SNAPSHOTS.healthy);

    screen.getByTestId("mode-manual").click();
    backend.send({ ...SNAPSHOTS.manual, taken_at_ms: NOW + 1 });
    flushSync();
    screen.getByTestId("mode-auto").click();

    expect(backend.commands).toEqual([{ command: "use", endpoint: "Tokyo" }, { command: "auto" }]);
  });

  it("pauses, resumes and checks", () => {
    const backend = show(SNAPSHOTS.healthy);

    screen.getByTestId("pause").click();
    screen.getByTestId("refresh").click();
    backend.send({ ...SNAPSHOTS.paused, taken_at_ms: NOW + 1 });
    flushSync();
    screen.getByTestId("pause").click();

    expect(backend.commands.map(({ command }) => command)).toEqual(["pause", "refresh", "resume"]);
  });

  it("counts down to its end, and ends at once when asked", () => {
    const backend = show(SNAPSHOTS.draining);

    expect(words(screen.getByTestId("drain"))).toContain("Finishing 2 requests, at most 28 s");
    screen.getByTestId("quit-now").click();

    expect(backend.commands).toEqual([{ command: "quit" }]);
  });

  it("says that the computer is offline, and since when", () => {
    show(SNAPSHOTS.offline);

    expect(words(screen.getByTestId("offline"))).toContain("Nothing has been reachable for 3 min");
  });

  it("tries all again when nothing is usable", () => {
    const backend = show(SNAPSHOTS["all-down"]);

    screen.getByTestId("reinstate-all").click();

    expect(backend.commands).toEqual([{ command: "reinstate", endpoint: null }]);
  });

  it("shows problems with what to do", () => {
    show(SNAPSHOTS.problems);

    const problems = screen.getAllByTestId("problem");

    expect(problems.map((problem) => problem.dataset["kind"])).toEqual([
      "config_error",
      "keychain",
      "config_warning",
    ]);
    expect(words(problems[1] as HTMLElement)).toContain("Unlock it");
  });

  it("names the file to edit when there is no endpoint", () => {
    show(SNAPSHOTS.empty);

    expect(words(screen.getByTestId("empty"))).toContain("/home/ada/.config/zephyr/config.toml");
  });

  it("says that nothing runs, and offers nothing that needs an engine", () => {
    show(SNAPSHOTS.stopped);

    expect(words(screen.getByTestId("in-use"))).toContain("The proxy is not running");
    expect(words(screen.getByTestId("problem"))).toContain("python3");
    for (const id of ["empty", "mode-auto", "pause", "refresh", "proxy-address"]) {
      expect(screen.queryByTestId(id)).toBeNull();
    }
  });

  it("switches Claude Code and the launch at login", () => {
    const backend = show(SNAPSHOTS.healthy);

    screen.getByTestId("claude-code").click();
    screen.getByTestId("launch-at-login").click();

    expect(backend.commands).toEqual([
      { command: "disconnect_claude_code" },
      { command: "launch_at_login", enabled: true },
    ]);
  });

  it("says what was weighed last against a prompt cache, for ten minutes", () => {
    const weighed = { at_ms: NOW - 130_000, from: "Tokyo", to: "Osaka", moved: false, saved_ms: 400, worth_usd: 0.04, cost_usd: 0.23 };
    const backend = show({ ...SNAPSHOTS.healthy, weighed });
    const said = () => words(screen.getByTestId("weighed"));

    expect(said()).toBe("A conversation stays on Tokyo: 400 ms a turn slower than Osaka, but moving would cost $0.23 · 2 min ago");
    backend.send({ ...SNAPSHOTS.healthy, weighed: { ...weighed, moved: true, saved_ms: 4_020, cost_usd: 0.12 } });
    flushSync();
    expect(said()).toBe("A conversation moved from Tokyo to Osaka: saves 4.0 s a turn for $0.12 · 2 min ago");
    backend.send({ ...SNAPSHOTS.healthy, weighed: { ...weighed, at_ms: NOW - 600_000 } });
    flushSync();
    expect(screen.queryByTestId("weighed")).toBeNull();
    backend.send(SNAPSHOTS.healthy);
    flushSync();
    expect(screen.queryByTestId("weighed")).toBeNull();
  });

  it("explains that somebody changed Claude Code's settings", () => {
    show(SNAPSHOTS.manual);
    const turn = screen.getByTestId("claude-code");

    expect(turn.getAttribute("aria-checked")).toBe("false");
    expect(words(turn.parentElement as HTMLElement)).toContain("were changed after Zephyr set them");
  });

  it("hides the switches of what this program does not do", () => {
    show(SNAPSHOTS.serve);

    expect(screen.queryByTestId("claude-code")).toBeNull();
    expect(screen.queryByTestId("launch-at-login")).toBeNull();
  });

  it("lists what happened lately, newest first", () => {
    show(SNAPSHOTS.degraded);

    const events = screen.getAllByTestId("event").map(words);

    expect(events).toHaveLength(8);
    expect(events[0]).toBe("Frankfurt is out: no connection: connection refused 18 s ago");
  });

  it("says that the engine cannot be reached, and tries again", async () => {
    const backend = new FakeBackend();
    render(App, { props: { backend } });
    flushSync();
    expect(screen.getByTestId("loading")).toBeTruthy();

    backend.lose("nobody listens on 127.0.0.1:8081");
    flushSync();
    expect(words(screen.getByTestId("unreachable"))).toContain("nobody listens");
    within(screen.getByTestId("unreachable")).getByRole("button").click();

    expect(backend.subscriptions).toBe(2);
  });

  it("shows what it last knew, and for how long, when the connection is lost", () => {
    const backend = show(SNAPSHOTS.healthy);

    backend.lose("the socket closed");
    vi.advanceTimersByTime(12_000);
    flushSync();

    expect(words(screen.getByTestId("lost"))).toContain("12 s old");
    expect(row("Tokyo")).toBeTruthy();
  });

  it("says why a command failed", async () => {
    const backend = show(SNAPSHOTS.healthy);
    backend.outcome = () => Promise.reject({ code: "not_possible", message: "switch it on first" });

    row("Singapore").click();
    await until(() => expect(screen.getByTestId("toast")).toBeTruthy());

    expect(words(screen.getByTestId("toast"))).toContain("switch it on first");
  });

  it("sets the page's language and theme", async () => {
    show(SNAPSHOTS.healthy, "zh", "dark");
    await tick();

    expect(document.documentElement.lang).toBe("zh-Hans");
    expect(document.documentElement.dataset["theme"]).toBe("dark");
  });
});
