import { describe, expect, it } from "vitest";

import en from "../../crates/control/messages/en.json";
import zh from "../../crates/control/messages/zh.json";
import { type Coded, phrase, resolve, sentence, text } from "../src/lib/messages";

describe("messages", () => {
  it("put a reason into a sentence in both languages", () => {
    const why = { code: "faster", to_ms: 80, from_ms: 240, threshold_ms: 50 } as const;

    const said = [text("en", why), text("zh", why)];

    for (const words of said) expect(words).toMatch(/80.*240/);
    expect(said[0]).not.toBe(said[1]);
  });

  it("put a nested reason into words inside its event", () => {
    const event = {
      seq: 1,
      at_ms: 0,
      event: "switched",
      from: "HK",
      to: "Tokyo",
      decision: { why: { code: "pinned" }, others: [] },
    } as const;

    const said = text("en", { ...event, decision: { ...event.decision, others: [] } });

    expect(said).toContain("HK");
    expect(said).toContain("Tokyo");
    expect(said).toContain(text("en", { code: "pinned" }));
  });

  it("put a state into words", () => {
    expect(text("en", "no_credential")).toBe(en["state.no_credential"]);
  });

  it("put a reason that stands beside other fields into words", () => {
    const event = { seq: 1, at_ms: 0, event: "taken_out", endpoint: "HK", why: { code: "overloaded", status: 529 }, until_ms: null } as const;

    expect(text("en", event)).toBe("HK is out: overloaded (HTTP 529)");
  });

  it("show a code without a message as it is", () => {
    expect(text("en", { code: "of_a_newer_engine" } as unknown as Coded)).toBe("of_a_newer_engine");
    expect(text("zh", "of_a_newer_engine" as unknown as Coded)).toBe("of_a_newer_engine");
  });

  it("show a missing parameter as a dash", () => {
    expect(phrase("en", "ago")).toBe("– ago");
  });

  it("begin a sentence with a capital letter, but leave a name as it is", () => {
    const back = { seq: 1, at_ms: 0, event: "recovered", endpoint: "eu-1" } as const;

    expect(sentence("en", { code: "pinned" })).toBe("Chosen by hand");
    expect(sentence("en", back)).toBe("eu-1 is back");
  });

  it("are in the system's language unless one is chosen", () => {
    expect(resolve("auto", "zh-TW")).toBe("zh");
    expect(resolve("auto", "de-DE")).toBe("en");
    expect(resolve("en", "zh-CN")).toBe("en");
  });

  it("have the same codes in both languages", () => {
    expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
  });

  it("of the interface are all used", () => {
    const files = import.meta.glob<string>("../src/**/*.{svelte,ts}", {
      query: "?raw",
      import: "default",
      eager: true,
    });
    const source = Object.values(files).join("\n");
    const codes = Object.keys(en).filter((key) => key.startsWith("ui.")).map((key) => key.slice(3));
    // These are put together from the values of an enum.
    const composed =
      /^(problem|claude_code|section|option|end|outcome|stage|phase|metric|by|field|hint|auth|proxy|way|part|tokens|span)_/;

    const unused = codes.filter((code) => !composed.test(code) && !source.includes(`"${code}"`));

    expect(unused).toEqual([]);
  });
});
