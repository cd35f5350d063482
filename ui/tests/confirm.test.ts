import { render, screen } from "@testing-library/svelte";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import App from "../src/App.svelte";
import type { Command, ControlError, Done, Tested } from "../src/lib/generated/control";
import { blank } from "../src/lib/endpoint";
import { Store } from "../src/lib/store.svelte";
import { FakeBackend } from "./fake";
import { SNAPSHOTS } from "./snapshots";

const COMMAND: Command = { command: "set", key: "server.host", value: "0.0.0.0" };
const DRAFT: Tested = { what: "draft", endpoint: blank("primary"), token: null };
const NEEDED: ControlError = {
  code: "needs_confirmation",
  message: "a browser may not do this by itself",
  confirmation: {
    number: 4711,
    effect: { effect: "set", key: "server.host", from: null, to: "0.0.0.0" },
    danger: { danger: "widens_guard" },
    left_ms: 300_000,
  },
};

/** A backend that wants a confirmation as long as it stands as it does. */
function careful(): FakeBackend {
  const backend = new FakeBackend(SNAPSHOTS.healthy);
  backend.outcome = async (): Promise<Done> => {
    if (backend.stands !== "allowed") throw NEEDED;
    return { message: "done" };
  };
  return backend;
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("what has to be confirmed", () => {
  it("waits, and is sent again by itself once it is confirmed", async () => {
    const backend = careful();
    const store = new Store(backend);

    const done = store.run(COMMAND);
    await vi.advanceTimersByTimeAsync(2_500);
    const sentBefore = backend.commands.length;
    const asked = store.confirmations.asked?.number;
    backend.stands = "allowed";
    await vi.advanceTimersByTimeAsync(1_000);

    expect(asked).toBe(4711);
    expect(sentBefore).toBe(1);
    expect(await done).toBe(true);
    expect(backend.commands).toEqual([COMMAND, COMMAND]);
    expect(store.confirmations.asked).toBeUndefined();
    expect(store.toasts).toEqual([]);
  });

  it("is a test of an endpoint, too", async () => {
    const backend = careful();
    const store = new Store(backend);

    const diagnosis = store.backend.diagnose(DRAFT);
    await vi.advanceTimersByTimeAsync(500);
    backend.stands = "allowed";
    await vi.advanceTimersByTimeAsync(1_000);

    expect(await diagnosis).toEqual(backend.diagnosis);
    expect(backend.tests).toEqual([DRAFT, DRAFT]);
  });

  it.each([
    ["refused", "refused on your computer"],
    ["gone", "Nobody confirmed this in time"],
  ] as const)("says so when it is %s", async (standing, words) => {
    const backend = careful();
    const store = new Store(backend);

    const done = store.run(COMMAND);
    await vi.advanceTimersByTimeAsync(500);
    backend.stands = standing;
    await vi.advanceTimersByTimeAsync(1_000);

    expect(await done).toBe(false);
    expect(store.toasts[0]?.error.message).toContain(words);
    expect(backend.commands).toEqual([COMMAND]);
    expect(backend.withdrawn).toEqual([4711]);
  });

  it("is given up after its time", async () => {
    const backend = careful();
    const store = new Store(backend);

    const done = store.run(COMMAND);
    await vi.advanceTimersByTimeAsync(300_000);

    expect(await done).toBe(false);
    expect(backend.commands).toEqual([COMMAND]);
  });

  it("is shown with its number and what to type, and can be cancelled", async () => {
    const backend = careful();
    render(App, { backend });
    await vi.advanceTimersByTimeAsync(0);
    screen.getByTestId("pause").click();
    await vi.advanceTimersByTimeAsync(0);

    const dialog = screen.getByTestId("needs-confirmation");
    const words = dialog.textContent;
    screen.getByTestId("cancel-confirmation").click();
    await vi.advanceTimersByTimeAsync(0);

    expect(words).toContain("zephyr confirm 4711");
    expect(words).toContain("server.host changes from – to 0.0.0.0");
    expect(words).toContain("who may reach Zephyr");
    expect(screen.queryByTestId("needs-confirmation")).toBeNull();
    expect(backend.withdrawn).toEqual([4711]);
  });
});
