import { cleanup, render, screen, within } from "@testing-library/svelte";
import { flushSync, tick } from "svelte";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import App from "../src/App.svelte";
import type { LanguageChoice, Snapshot } from "../src/lib/generated/control";
import { FakeBackend } from "./fake";
import { Recorded } from "./journal";
import { NOW, SNAPSHOTS } from "./snapshots";
import { until } from "./until";

// Nothing is drawn where there is no layout.
vi.mock("uplot", () => {
  const plot = class {
    static readonly paths = {};
    destroy() {}
    setCursor() {}
    valToPos() {}
    static sync() {
      return { key: "", sub: () => undefined };
    }
  };
  return { default: plot };
});

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
  history.replaceState(null, "", "#/");
});

interface Look {
  snapshot?: Snapshot;
  language?: LanguageChoice;
}

function show(at: string, backend = new FakeBackend(), { snapshot = SNAPSHOTS.busy, language = "en" }: Look = {}) {
  history.replaceState(null, "", at);
  render(App, { props: { backend } });
  backend.send({ ...snapshot, appearance: { language, theme: "light" } });
  flushSync();
  return backend;
}

const words = (element: HTMLElement) => element.textContent.replace(/\s+/g, " ").trim();
const input = (element: HTMLElement, value: string) => {
  (element as HTMLInputElement).value = value;
  element.dispatchEvent(new Event("input", { bubbles: true }));
  flushSync();
};
const press = (element: HTMLElement, key: string) => {
  element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  flushSync();
};

describe("every view", () => {
  const PLACES = ["#/", "#/requests", "#/requests/1190", "#/usage", "#/usage?by=session&days=1", "#/endpoints", "#/endpoints?new=1", "#/endpoints/Tokyo", "#/settings"];

  it.each(PLACES)("at %s has words for everything, in both languages", async (at) => {
    for (const language of ["en", "zh"] as const) {
      show(at, new FakeBackend(), { language });
      await until(() => expect(screen.queryByTestId("waiting")).toBeNull());

      expect(document.body.textContent).not.toMatch(/undefined|NaN|\[object|\{[a-z_]+\}/);
      cleanup();
    }
  });

  it("is reached by its link, which says that one is there, and gets the focus", async () => {
    show("#/");

    screen.getByTestId("nav-settings").click();
    window.dispatchEvent(new HashChangeEvent("hashchange"));
    await until(() => expect(document.querySelector("main")?.dataset["view"]).toBe("settings"));

    expect(screen.getByTestId("nav-settings").getAttribute("aria-current")).toBe("page");
    expect(document.activeElement).toBe(document.querySelector("main"));
    expect(document.title).toBe("Degraded · Settings – Zephyr");
  });

  it("asks a browser without a session to sign in", () => {
    const backend = new FakeBackend();
    render(App, { props: { backend } });

    backend.lose("sign in first", "unauthorized");
    flushSync();

    expect(words(screen.getByTestId("sign-in"))).toContain("zephyr open");
  });
});

describe("the overview", () => {
  it("shows requests as they stream: those under way first", () => {
    show("#/");

    const live = screen.getAllByTestId("live-request").map(words);

    expect(live).toHaveLength(6);
    expect(live[0]).toContain("waits for an endpoint");
    expect(live[3]).toContain("claude-sonnet-4-5 Tokyo streaming 2 attempts 2,904 tokens 31 s");
    expect(live[4]).toContain("cut off");
  });

  it("counts the age of a request", () => {
    show("#/");

    vi.advanceTimersByTime(2_000);
    flushSync();

    expect(words(screen.getAllByTestId("live-request")[3] as HTMLElement)).toContain("33 s");
  });

  it("shows an endpoint's share, percentiles and quota", () => {
    show("#/");

    expect(words(screen.getAllByTestId("measured")[0] as HTMLElement)).toBe(
      "81% of traffic First event, claude-sonnet-4-5: 512 ms, 95 of 100 within 1.8 s",
    );
    expect(words(screen.getByTestId("quota"))).toContain("7d: 6% left, full again in 2 d 4 h");
  });
});

describe("the requests", () => {
  it("are drawn as far as they are in sight, and read page by page", async () => {
    const backend = new FakeBackend();
    backend.recorded = new Recorded(100_000);
    show("#/requests", backend);

    const rows = await until(() => screen.getAllByTestId("request"));

    expect(rows.length).toBeLessThan(60);
    expect(rows[0]?.dataset["id"]).toBe("100000");
    expect(backend.asked[0]?.[1]).toEqual({ before: null, after: null, limit: 500 });
  });

  it("are asked for by what the address says", async () => {
    const backend = show("#/requests?endpoint=Tokyo&failed=1&status=500");

    await until(() => screen.getByTestId("request-list"));

    expect(backend.asked[0]?.[0]).toMatchObject({ endpoint: "Tokyo", failed: true, status: 500 });
  });

  it("are asked for by a status of three digits, and nothing else stays in its field", async () => {
    const backend = show("#/requests");
    const status = (await until(() => screen.getByTestId("filter-status"))) as HTMLInputElement;

    input(status, "abc");
    expect(status.value).toBe("");
    input(status, "5x0");
    await vi.advanceTimersByTimeAsync(400);
    expect(status.value).toBe("50");
    expect(location.hash).not.toContain("status");
    input(status, "503");
    await vi.advanceTimersByTimeAsync(400);
    flushSync();
    expect(backend.asked.at(-1)?.[0].status).toBe(503);

    input(status, "50");
    await vi.advanceTimersByTimeAsync(400);
    flushSync();
    expect(status.value).toBe("50");
    status.dispatchEvent(new Event("change", { bubbles: true }));
    flushSync();
    expect(status.value).toBe("");
    expect(backend.asked.at(-1)?.[0].status).toBeNull();
  });

  it("are searched when one stops typing, and not at every letter", async () => {
    const backend = show("#/requests");
    await until(() => screen.getAllByTestId("request"));
    const before = backend.asked.length;

    input(screen.getByTestId("search"), "req_");
    input(screen.getByTestId("search"), "req_0000");
    await vi.advanceTimersByTimeAsync(400);
    flushSync();

    const texts = backend.asked.slice(before).map(([filter]) => filter.text).filter((text) => text !== null);
    expect(new Set(texts)).toEqual(new Set(["req_0000"]));
    expect(location.hash).toContain("text=req_0000");
  });

  it("are walked through and opened by keyboard", async () => {
    show("#/requests");
    const grid = await until(() => screen.getByTestId("request-list"));
    await until(() => screen.getAllByTestId("request"));

    press(grid, "ArrowDown");
    press(grid, "ArrowDown");
    press(grid, "Enter");
    const detail = await until(() => screen.getByTestId("request-detail"));

    expect(words(detail)).toContain("Request 1199");
    expect(location.hash).toBe("#/requests/1199");
  });

  it("that have ended meanwhile come on top", async () => {
    const backend = show("#/requests");
    await until(() => screen.getAllByTestId("request"));

    backend.recorded.count += 2;
    const { totals } = SNAPSHOTS.busy;
    backend.send({ ...SNAPSHOTS.busy, taken_at_ms: NOW + 1, totals: { ...totals, requests: totals.requests + 2 } });
    flushSync();
    await vi.advanceTimersByTimeAsync(800);

    await until(() => expect(screen.getAllByTestId("request")[0]?.dataset["id"]).toBe("1202"));
  });

  it("come while others go on ending", async () => {
    const backend = show("#/requests");
    await until(() => screen.getAllByTestId("request"));
    const { totals } = SNAPSHOTS.busy;

    for (let ended = 1; ended <= 6; ended += 1) {
      backend.recorded.count += 1;
      backend.send({ ...SNAPSHOTS.busy, taken_at_ms: NOW + ended, totals: { ...totals, requests: totals.requests + ended } });
      flushSync();
      await vi.advanceTimersByTimeAsync(300);
    }
    flushSync();

    expect(Number(screen.getAllByTestId("request")[0]?.dataset["id"])).toBeGreaterThan(1_202);
  });

  it("that are written down late come when they leave the overview", async () => {
    const backend = show("#/requests");
    await until(() => screen.getAllByTestId("request"));
    const { requests, totals } = SNAPSHOTS.busy;
    const after = { ...SNAPSHOTS.busy, totals: { ...totals, requests: totals.requests + 1 } };

    backend.send({ ...after, taken_at_ms: NOW + 1 });
    flushSync();
    await vi.advanceTimersByTimeAsync(800);
    backend.recorded.count += 1;
    backend.send({ ...after, taken_at_ms: NOW + 2, requests: requests.slice(1) });
    flushSync();
    await vi.advanceTimersByTimeAsync(800);

    await until(() => expect(screen.getAllByTestId("request")[0]?.dataset["id"]).toBe("1201"));
  });

  it("say that the price is unknown, and not that it is nothing", async () => {
    const backend = new FakeBackend();
    const record = { ...backend.recorded.record(5), cost_usd: null };
    backend.requests = async () => ({ requests: [record], next: null });
    show("#/requests", backend);

    const row = await until(() => screen.getByTestId("request"));

    expect(words(row)).toContain("unknown");
    expect(words(row)).not.toContain("$0");
  });

  it("say what to do when none matches", async () => {
    const backend = show("#/requests?text=nowhere");

    const none = await until(() => screen.getByTestId("no-requests"));
    within(none).getByRole("button").click();
    await until(() => screen.getAllByTestId("request"));

    expect(backend.asked.at(-1)?.[0].text).toBeNull();
  });

  it("say why they could not be read, and try again", async () => {
    const backend = new FakeBackend();
    backend.reading = () => Promise.reject({ code: "internal", message: "the disk is full" });
    show("#/requests", backend);
    const list = await until(() => screen.getByText(/the disk is full/));

    backend.reading = async () => undefined;
    within(list).getByRole("button").click();

    await until(() => expect(screen.getAllByTestId("request").length).toBeGreaterThan(0));
  });

  it("are exported over the link of a server", async () => {
    const backend = new FakeBackend();
    backend.link = "http://127.0.0.1:8081/api/v1/requests/export?format=csv";
    const clicked: string[] = [];
    vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
      clicked.push(`${this.href} ${this.download}`);
    });
    show("#/requests", backend);

    (await until(() => screen.getByTestId("export-csv"))).click();

    expect(clicked).toEqual([`${backend.link} zephyr-requests.csv`]);
    vi.restoreAllMocks();
  });

  it("tell where the window saved them, or that it did not", async () => {
    const backend = show("#/requests");
    const said = await until(() => screen.getByTestId("saved-as"));

    backend.saved("/home/ada/Downloads/zephyr-requests.csv");
    flushSync();
    expect(words(said)).toBe("Saved as /home/ada/Downloads/zephyr-requests.csv");
    backend.saved(null);
    flushSync();

    expect(words(said)).toBe("");
    expect(words(document.body)).toContain("The file could not be saved.");
  });
});

describe("a request", () => {
  it("shows its attempts on one scale of time", async () => {
    show("#/requests/1199");

    const attempts = await until(() => screen.getAllByTestId("attempt"));

    expect(attempts.map((attempt) => attempt.dataset["outcome"])).toEqual(["throttled", "answered"]);
    expect(words(attempts[0] as HTMLElement)).toContain("Overloaded (HTTP 529)");
    expect(words(attempts[0] as HTMLElement)).toContain("TLS 44 ms");
    expect(words(attempts[0] as HTMLElement)).toContain("About the endpoint, known by its status; until");
    expect(words(attempts[1] as HTMLElement)).not.toContain("About");
  });

  it("reads a stream as text, as events, and as it came", async () => {
    show("#/requests/1199");
    const body = await until(() => screen.getByTestId("response-body"));

    expect(words(body)).toContain("Because air scatters short waves more than long ones.");
    within(body).getByText("Events").click();
    flushSync();
    expect(words(body)).toContain("content_block_delta");
    within(body).getByText("Raw").click();
    flushSync();
    expect(words(body)).toContain("event: message_start data:");
  });

  it("tells what an overtaken attempt cost besides, if there was one", async () => {
    const costs = async (id: number, language: LanguageChoice = "en") => {
      show(`#/requests/${id}`, new FakeBackend(), { language });
      await until(() => screen.getByTestId("request-body"));
      const told = words(screen.getByTestId("request-detail"));
      cleanup();
      return told;
    };

    expect(await costs(1_192)).toMatch(/Second attempt ?at most \$[\d.]+ more, estimated/);
    expect(await costs(1_192, "zh")).toMatch(/第二次尝试 ?估计最多另加 /);
    expect(await costs(177), "its price is not known").toMatch(/Second attempt ?unknown/);
    expect(await costs(1_190)).not.toContain("Second attempt");
  });

  it("says that a body was not kept", async () => {
    show("#/requests/1190");

    expect(words(await until(() => screen.getByTestId("response-body")))).toContain("Not recorded");
  });

  it("that is not there any more says so", async () => {
    show("#/requests/999999");

    expect(words(await until(() => screen.getByTestId("failed")))).toContain("No request 999999 is kept");
  });
});

describe("usage", () => {
  it("tells sums, and how much of them has no known price", async () => {
    show("#/usage?days=30");

    const totals = words(await until(() => screen.getByTestId("totals")));

    expect(totals).toMatch(/Cost \$[\d.]+ and \d+ requests of unknown price/);
    expect(totals).toContain("Today $0.042 of $0.50");
  });

  it("of a model without a price is unknown and not nothing", async () => {
    show("#/usage?by=model&days=30");

    const rows = (await until(() => screen.getAllByTestId("usage-row"))).map(words);

    const house = rows.find((row) => row.startsWith("house-model-7b"));
    expect(house).toMatch(/(unknown){2}\d+unknown$/);
  });

  it("tells second attempts, and what they cost besides", async () => {
    show("#/usage?by=model&days=30");

    const totals = words(await until(() => screen.getByTestId("totals")));
    const rows = (await until(() => screen.getAllByTestId("usage-row"))).map(words);

    expect(totals).toMatch(/second attempts: \d+, at most \$[\d.]+ more/);
    expect(screen.getByRole("columnheader", { name: "Second attempts" })).toBeTruthy();
    expect(rows.find((row) => row.startsWith("claude-opus-4-1"))).toMatch(/\d+ · \$[\d.]+\$[\d.]+$/);
  });

  it("does not speak of second attempts where there was none", async () => {
    const backend = new FakeBackend();
    backend.recorded = new Recorded(2);
    show("#/usage?by=session&days=30", backend);

    const totals = words(await until(() => screen.getByTestId("totals")));

    expect(totals).not.toContain("second attempts");
    expect(screen.queryByRole("columnheader", { name: "Second attempts" })).toBeNull();
  });

  it("asks for days split by what the table sums", async () => {
    const backend = show("#/usage?by=model&days=30");

    await until(() => screen.getByTestId("chart"));

    expect(backend.sums.map(({ by, split }) => [by, split])).toEqual([["day", "model"], ["model", null]]);
  });

  it("is summed otherwise when one says so, and the address keeps it", async () => {
    show("#/usage");

    (await until(() => screen.getByTestId("by-endpoint"))).click();
    (await until(() => screen.getByTestId("days-30"))).click();
    await until(() => expect(words(screen.getByTestId("chart"))).toContain("Frankfurt"));

    expect(location.hash).toBe("#/usage?days=30&by=endpoint");
  });
});

describe("the endpoints", () => {
  it("stand in the file's order, by group", async () => {
    show("#/endpoints");

    const rows = await until(() => screen.getAllByTestId("configured"));

    expect(rows.map((row) => row.dataset["name"])).toEqual(["Tokyo", "Singapore", "Frankfurt", "Backup"]);
  });

  it("are moved by arrow keys, within their group", async () => {
    const backend = show("#/endpoints");
    const grips = await until(() => screen.getAllByTestId("grip"));

    press(grips[0] as HTMLElement, "ArrowDown");
    press(grips[2] as HTMLElement, "ArrowDown");
    await until(() => expect(words(screen.getByTestId("said"))).toBe("Tokyo is now 2 of 3"));

    expect(backend.commands).toEqual([{ command: "move_endpoint", name: "Tokyo", to: 1 }]);
  });

  it("are switched off and on", async () => {
    const backend = show("#/endpoints");

    (await until(() => screen.getAllByTestId("enabled")))[0]?.click();

    expect(backend.commands).toEqual([{ command: "disable", endpoint: "Tokyo" }]);
  });

  it("are checked while one types, and what is wrong stands at its field", async () => {
    const backend = new FakeBackend();
    backend.complaints = () => [{ field: "url", message: "write https://", is_warning: false }];
    show("#/endpoints/Tokyo", backend);

    const url = await until(() => screen.getByTestId("field-url"));
    input(url, "htps:/x");
    await vi.advanceTimersByTimeAsync(400);
    flushSync();

    expect(backend.checks).toHaveLength(1);
    expect(url.getAttribute("aria-invalid")).toBe("true");
    expect(words(screen.getByTestId("complaint"))).toBe("Write https://");
  });

  it("keep a token in the keychain before they are saved, and the page forgets it", async () => {
    const backend = show("#/endpoints/Singapore");

    const token = (await until(() => screen.getByTestId("token"))) as HTMLInputElement;
    input(token, "sk-secret");
    screen.getByTestId("save-endpoint").click();
    await until(() => expect(backend.commands).toHaveLength(2));

    expect(token.type).toBe("password");
    expect(backend.commands[0]).toEqual({ command: "store_token", reference: "singapore", token: "sk-secret" });
    expect(backend.commands[1]).toMatchObject({ command: "edit_endpoint", name: "Singapore" });
    expect(JSON.stringify(backend.commands[1])).not.toContain("sk-secret");
    expect(backend.checks.filter((command) => JSON.stringify(command).includes("sk-secret"))).toEqual([]);
    expect(document.body.innerHTML).not.toContain("sk-secret");
  });

  it("keep what was typed when it is refused, and say why", async () => {
    const backend = show("#/endpoints/Tokyo");
    backend.outcome = () => Promise.reject({ code: "invalid_configuration", message: "that name is taken" });

    input(await until(() => screen.getByTestId("field-name")), "Singapore");
    screen.getByTestId("save-endpoint").click();

    await until(() => expect(words(screen.getByTestId("endpoint-editor"))).toContain("That name is taken"));
    expect((screen.getByTestId("field-name") as HTMLInputElement).value).toBe("Singapore");
  });

  it("are removed after one question", async () => {
    const backend = show("#/endpoints/Tokyo");

    (await until(() => screen.getByTestId("remove-endpoint"))).click();
    flushSync();
    expect(backend.commands).toEqual([]);
    screen.getByTestId("confirm").click();

    expect(backend.commands).toEqual([{ command: "remove_endpoint", name: "Tokyo" }]);
  });

  it("are tested step by step, and what helps is said", async () => {
    const backend = show("#/endpoints/Tokyo");

    (await until(() => screen.getByTestId("diagnose"))).click();
    const found = await until(() => {
      const diagnosis = screen.getByTestId("diagnosis");
      expect(words(diagnosis)).toContain("401");
      return diagnosis;
    });

    expect(backend.tests).toEqual([{ what: "configured", endpoint: "Tokyo" }]);
    expect(words(found)).toContain("Store the token again.");
    expect(within(found).getAllByText("not reached")).toHaveLength(2);
  });

  it("say nothing of a test any more when they were changed after it", async () => {
    const backend = show("#/endpoints/Tokyo");
    (await until(() => screen.getByTestId("diagnose"))).click();
    await until(() => expect(words(screen.getByTestId("diagnosis"))).toContain("401"));

    input(screen.getByTestId("field-url"), "https://tokyo-2.example.com");
    expect(screen.queryByTestId("diagnosis")).toBeNull();

    const { diagnosis } = backend;
    let answer = () => {};
    backend.diagnose = () => new Promise((done) => (answer = () => done(diagnosis)));
    screen.getByTestId("diagnose").click();
    flushSync();
    input(screen.getByTestId("field-url"), "https://tokyo-3.example.com");
    answer();
    await until(() => expect(screen.getByTestId("diagnose").getAttribute("aria-busy")).toBe("false"));
    expect(screen.queryByTestId("diagnosis")).toBeNull();
  });

  it("are tested as they are typed, before they are saved", async () => {
    const backend = show("#/endpoints?new=1");

    input(await until(() => screen.getByTestId("field-url")), "https://hk.example.com");
    screen.getByTestId("diagnose").click();

    expect(backend.tests[0]).toMatchObject({ what: "draft", endpoint: { name: "Hk", url: "https://hk.example.com" }, token: null });
  });

  it("tell how they were over a day, and over what one chooses", async () => {
    const backend = show("#/endpoints/Tokyo");

    const history = await until(() => {
      screen.getByTestId("timeline");
      return screen.getByTestId("history");
    });
    within(history).getByTestId("span-month").click();
    await until(() => expect(backend.histories).toHaveLength(2));

    const asked = backend.histories.map(({ since_ms }) => Math.round((NOW - (since_ms ?? 0)) / 86_400_000));
    expect(asked).toEqual([1, 30]);
    expect(words(within(history).getByTestId("history-summary"))).toMatch(/Check latency \d+ ms on average.*Ready \d+ (d|h)/);
    expect(within(history).getAllByRole("row", { hidden: true }).length).toBeGreaterThan(100);
  });

  it("tell it by arrow keys too", async () => {
    show("#/endpoints/Tokyo");
    const slider = await until(() => within(screen.getByTestId("timeline")).getByRole("slider"));
    const last = slider.getAttribute("aria-valuetext");

    press(slider, "ArrowLeft");
    const before = slider.getAttribute("aria-valuetext");
    press(slider, "End");

    expect(last).toMatch(/^\d\d:\d\d, Check latency \d+ ms, First event .*, ready$/);
    expect(before).not.toBe(last);
    expect(slider.getAttribute("aria-valuetext")).toBe(last);
  });

  it("go on with what is seen while one looks", async () => {
    const backend = show("#/endpoints/Tokyo");
    await until(() => screen.getByTestId("timeline"));

    const endpoints = SNAPSHOTS.busy.endpoints.map((it) => ({ ...it, attempts: it.attempts + 1 }));
    backend.send({ ...SNAPSHOTS.busy, endpoints, taken_at_ms: NOW + 1 });
    flushSync();
    await vi.advanceTimersByTimeAsync(2_500);

    expect(backend.histories).toHaveLength(2);
  });

  it("say that nothing was measured, or nothing is kept", async () => {
    show("#/endpoints/Backup");
    expect(words(await until(() => screen.getByTestId("nothing-measured")))).toContain("Nothing was measured in this time.");
    cleanup();

    show("#/endpoints/Tokyo", new FakeBackend(), { snapshot: SNAPSHOTS.healthy });

    expect(words(await until(() => screen.getByTestId("history")))).toContain("there is no journal");
  });

  it("say why their history cannot be read, and read it when told to", async () => {
    const backend = new FakeBackend();
    backend.reading = () => Promise.reject({ code: "internal", message: "the journal is locked" });
    show("#/endpoints/Tokyo", backend);

    const history = await until(() => within(screen.getByTestId("history")));
    const failed = await until(() => history.getByTestId("failed"));
    expect(words(failed)).toContain("The journal is locked");
    backend.reading = async () => undefined;
    within(failed).getByRole("button").click();

    await until(() => expect(screen.getByTestId("timeline")).toBeTruthy());
  });

  it("that are not there are not edited", async () => {
    show("#/endpoints/Nowhere");

    expect(words(await until(() => screen.getByTestId("failed")))).toContain("no endpoint called Nowhere");
  });
});

describe("the settings", () => {
  const setting = (key: string) =>
    until(() => {
      const found = screen.getAllByTestId("setting").find((it) => it.dataset["key"] === key);
      if (!found) throw new Error(`no setting ${key}`);
      return found;
    });

  it("are checked as one types, and saved one by one", async () => {
    const backend = new FakeBackend();
    backend.complaints = (command) =>
      "value" in command && command.value === 99_999 ? [{ field: "server.port", message: "at most 65535", is_warning: false }] : [];
    show("#/settings", backend);
    const port = within(await setting("server.port")).getByRole("spinbutton");

    input(port, "99999");
    await vi.advanceTimersByTimeAsync(400);
    flushSync();
    expect(words(await setting("server.port"))).toContain("At most 65535");
    input(port, "9090");
    screen.getByTestId("save-setting").click();
    await until(() => screen.getByTestId("saved"));

    expect(backend.commands).toEqual([{ command: "set", key: "server.port", value: 9_090 }]);
  });

  it("that are switches and choices are saved at once", async () => {
    const backend = show("#/settings");

    within(await setting("notifications.on_switch")).getByRole("switch").click();
    const theme = within(await setting("ui.theme")).getByRole("combobox") as HTMLSelectElement;
    theme.value = "dark";
    theme.dispatchEvent(new Event("change", { bubbles: true }));

    expect(backend.commands).toEqual([
      { command: "set", key: "notifications.on_switch", value: true },
      { command: "set", key: "ui.theme", value: "dark" },
    ]);
  });

  it("that take a word or a number show one of them, and words are saved at once", async () => {
    const backend = show("#/settings");
    const attempts = within(await setting("failover.max_attempts"));
    const hedge = within(await setting("failover.hedge"));
    const choice = ({ getByRole }: typeof hedge) => getByRole("combobox") as HTMLSelectElement;

    expect([...choice(attempts).options].map((it) => it.text)).toEqual(["All that are up", "At most"]);
    expect([...choice(hedge).options].map((it) => it.text)).toEqual(["Automatic", "Off", "After"]);
    expect([choice(attempts).value, choice(hedge).value]).toEqual(["all", "number"]);
    expect(attempts.queryByRole("spinbutton")).toBeNull();
    expect((hedge.getByRole("spinbutton") as HTMLInputElement).value).toBe("2.5");
    expect(words(await setting("failover.hedge"))).toContain("seconds");
    choice(hedge).value = "off";
    choice(hedge).dispatchEvent(new Event("change", { bubbles: true }));

    expect(backend.commands).toEqual([{ command: "set", key: "failover.hedge", value: "off" }]);
  });

  it("that take a word or a number are asked for the number, which is saved with a button", async () => {
    const backend = show("#/settings");
    const attempts = within(await setting("failover.max_attempts"));
    const choice = attempts.getByRole("combobox") as HTMLSelectElement;

    choice.value = "number";
    choice.dispatchEvent(new Event("change", { bubbles: true }));
    flushSync();
    const number = attempts.getByRole("spinbutton") as HTMLInputElement;
    expect([number.value, number.min, number.max, backend.commands.length]).toEqual(["3", "1", "100", 0]);
    press(number, "Escape");
    expect([choice.value, attempts.queryByRole("spinbutton")]).toEqual(["all", null]);
    choice.value = "number";
    choice.dispatchEvent(new Event("change", { bubbles: true }));
    flushSync();
    input(attempts.getByRole("spinbutton"), "5");
    press(attempts.getByRole("spinbutton"), "Enter");

    expect(backend.commands).toEqual([{ command: "set", key: "failover.max_attempts", value: 5 }]);
  });

  it("that take a word or a number are checked with what was typed, also if it is no number", async () => {
    const backend = show("#/settings");

    input(within(await setting("failover.hedge")).getByRole("spinbutton"), "");
    await vi.advanceTimersByTimeAsync(400);

    expect(backend.checks).toEqual([{ command: "set", key: "failover.hedge", value: "" }]);
  });

  it("have a slider from money to speed, which says what its amount means", async () => {
    const backend = show("#/settings");
    const row = within(await setting("routing.second_usd"));
    const slider = row.getByRole("slider") as HTMLInputElement;
    const amount = row.getByRole("spinbutton") as HTMLInputElement;
    const example = () => words(row.getByTestId("second-example"));

    expect([slider.max, slider.value, slider.getAttribute("aria-valuetext"), amount.value]).toEqual(["10", "4", "$0.01 a second", "0.01"]);
    expect(example()).toBe(
      "At $0.01 a second, a conversation whose cache of 100,000 tokens costs $0.48 to write again, plus $0.02 for the risk, moves if that saves more than 50 s of waiting in all.",
    );
    input(slider, "0");
    expect([amount.value, slider.getAttribute("aria-valuetext")]).toEqual(["0", "$0.00 a second"]);
    expect(example()).toContain("the cache always wins");
    input(slider, "10");
    expect([amount.value, example()]).toEqual(["1", expect.stringContaining("more than 0.5 s")]);
    press(slider, "Enter");

    expect(backend.commands).toEqual([{ command: "set", key: "routing.second_usd", value: 1 }]);
  });

  it("have a slider beside which any amount can be typed", async () => {
    const backend = show("#/settings", undefined, { language: "zh" });
    const row = within(await setting("routing.second_usd"));
    const slider = row.getByRole("slider") as HTMLInputElement;

    input(row.getByRole("spinbutton"), "0.03");
    expect([slider.value, slider.getAttribute("aria-valuetext")]).toEqual(["5", "每秒 $0.03"]);
    expect(words(row.getByTestId("second-example"))).toContain("16.7 秒");
    input(row.getByRole("spinbutton"), "-1");
    expect(words(row.getByTestId("second-example"))).toBe("");
    input(row.getByRole("spinbutton"), "25");
    screen.getByTestId("save-setting").click();

    expect(slider.value).toBe("10");
    expect(backend.commands).toEqual([{ command: "set", key: "routing.second_usd", value: 25 }]);
  });

  it("go back to their default, which takes the key out of the file", async () => {
    const backend = show("#/settings");

    within(await setting("health_check.daily_budget_usd")).getByTestId("reset-setting").click();

    expect(backend.commands).toEqual([{ command: "set", key: "health_check.daily_budget_usd", value: null }]);
  });

  it("that are lists are one a line", async () => {
    const backend = show("#/settings");
    const list = within(await setting("server.allowed_hosts")).getByRole("textbox");

    input(list, "a.local\n\n b.local ");
    screen.getByTestId("save-setting").click();

    expect(backend.commands).toEqual([{ command: "set", key: "server.allowed_hosts", value: ["a.local", "b.local"] }]);
  });

  it("that are typed and not saved stay while one searches and goes through the sections", async () => {
    show("#/settings");
    input(within(await setting("server.port")).getByRole("spinbutton"), "9090");

    input(screen.getByTestId("find-setting"), "theme");
    await until(() => expect(screen.getAllByTestId("setting").map((it) => it.dataset["key"])).toEqual(["server.port", "ui.theme"]));
    input(screen.getByTestId("find-setting"), "");
    location.hash = "#/settings/ui";
    window.dispatchEvent(new HashChangeEvent("hashchange"));
    flushSync();

    expect(screen.queryByTestId("dialog")).toBeNull();
    expect((within(await setting("server.port")).getByRole("spinbutton") as HTMLInputElement).value).toBe("9090");
  });

  it("that are typed and not saved are not left, and the page not closed, without a question", async () => {
    const closed = () => window.dispatchEvent(new Event("beforeunload", { cancelable: true }));
    show("#/settings");
    const port = within(await setting("server.port")).getByRole("spinbutton");
    expect(closed()).toBe(true);

    input(port, "9090");
    expect(closed()).toBe(false);
    location.hash = "#/usage";
    window.dispatchEvent(new HashChangeEvent("hashchange"));
    flushSync();
    expect(words(screen.getByTestId("dialog"))).toContain("Leave without saving?");
    expect(location.hash).toBe("#/settings");
    screen.getByTestId("confirm").click();
    await until(() => expect(document.querySelector("main")?.dataset["view"]).toBe("usage"));

    expect(closed()).toBe(true);
  });

  it("that are typed and not saved are lost with the window only if one says so", async () => {
    const backend = show("#/settings");
    input(within(await setting("server.port")).getByRole("spinbutton"), "9090");

    backend.askBeforeClosing();
    flushSync();
    within(screen.getByTestId("dialog")).getByText("Cancel").click();
    flushSync();
    expect(screen.queryByTestId("dialog")).toBeNull();
    expect(backend.closed).toBe(false);

    backend.askBeforeClosing();
    flushSync();
    screen.getByTestId("confirm").click();
    expect(backend.closed).toBe(true);
  });

  it("that are typed and not saved stay when the file cannot be read any more", async () => {
    const backend = show("#/settings");
    input(within(await setting("server.port")).getByRole("spinbutton"), "9090");

    backend.configuration = () => Promise.reject({ code: "internal", message: "the file is gone" });
    const event = { seq: 9_999, at_ms: NOW, event: "config_reloaded" } as const;
    backend.send({ ...SNAPSHOTS.busy, events: [...SNAPSHOTS.busy.events, event], taken_at_ms: NOW + 1 });
    flushSync();
    await until(() => expect(words(document.body)).toContain("the file is gone"));

    expect((within(await setting("server.port")).getByRole("spinbutton") as HTMLInputElement).value).toBe("9090");
  });

  it("keep what was typed when it is refused, and say why", async () => {
    const backend = show("#/settings");
    backend.outcome = () => Promise.reject({ code: "invalid_configuration", message: "the file is read-only" });
    const model = within(await setting("health_check.model")).getByRole("textbox") as HTMLInputElement;

    input(model, "claude-x");
    press(model, "Enter");

    await until(() => expect(document.body.textContent).toContain("The file is read-only"));
    expect(model.value).toBe("claude-x");
  });

  it("are found by a word", async () => {
    show("#/settings");
    await setting("server.port");

    input(screen.getByTestId("find-setting"), "strategy");

    expect(screen.getAllByTestId("setting").map((it) => it.dataset["key"])).toEqual(["routing.strategy"]);
  });

  it("cannot be changed where there is no file", async () => {
    const backend = new FakeBackend();
    backend.configured = { ...backend.configured, path: null };
    show("#/settings", backend);

    const port = within(await setting("server.port")).getByRole("spinbutton") as HTMLInputElement;

    expect(port.disabled).toBe(true);
  });
});

describe("the first run", () => {
  it("goes from an address and a token to a connected Claude Code", async () => {
    const backend = show("#/", new FakeBackend(), { snapshot: SNAPSHOTS.empty });

    input(screen.getByTestId("first-url"), "https://hk.example.com");
    input(screen.getByTestId("token"), "sk-secret");
    screen.getByTestId("diagnose").click();
    screen.getByTestId("first-save").click();
    await until(() => expect(backend.commands).toHaveLength(2));
    backend.send({ ...SNAPSHOTS.healthy, taken_at_ms: NOW + 1, host: { ...SNAPSHOTS.empty.host } });
    (await until(() => screen.getByTestId("first-claude-code"))).click();
    screen.getByTestId("first-done").click();
    await tick();
    flushSync();

    expect(backend.tests[0]).toMatchObject({ what: "draft", token: "sk-secret" });
    expect(backend.commands).toMatchObject([
      { command: "store_token", reference: "hk", token: "sk-secret" },
      { command: "add_endpoint", endpoint: { name: "Hk", token: { kind: "keychain", name: "hk" } } },
      { command: "connect_claude_code" },
    ]);
    expect(screen.queryByTestId("empty")).toBeNull();
  });

  it("stays where it is when the keychain refuses, and says why", async () => {
    const backend = show("#/", new FakeBackend(), { snapshot: SNAPSHOTS.empty });
    backend.outcome = () => Promise.reject({ code: "not_possible", message: "the keychain is locked" });

    input(screen.getByTestId("first-url"), "https://hk.example.com");
    input(screen.getByTestId("token"), "sk-secret");
    screen.getByTestId("first-save").click();

    await until(() => expect(words(screen.getByTestId("empty"))).toContain("The keychain is locked"));
    expect(backend.commands.map(({ command }) => command)).toEqual(["store_token"]);
  });

  it("names the way to look around", () => {
    show("#/", new FakeBackend(), { snapshot: SNAPSHOTS.empty });

    expect(words(screen.getByTestId("empty"))).toContain("zephyr demo");
  });
});
