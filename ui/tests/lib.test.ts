import { describe, expect, it } from "vitest";

import { compact, money } from "../src/lib/format";
import { mendLanguage } from "../src/lib/locale";
import { nameOf, referenceOf } from "../src/lib/endpoint";
import { exported } from "../src/lib/export";
import { EVERYTHING } from "../src/lib/route";
import { readable } from "../src/lib/sse";
import { bars, days, hours } from "../src/lib/usage";
import { reveal, visible } from "../src/lib/virtual";
import { FakeBackend } from "./fake";
import { Recorded, STREAM } from "./journal";
import { NOW } from "./snapshots";

describe("a long list", () => {
  it("draws the rows in sight and a few beyond", () => {
    const range = visible(36 * 50_000, 720, 36, 100_000);

    expect(range.from).toBeLessThanOrEqual(50_000);
    expect(range.to).toBeGreaterThanOrEqual(50_020);
    expect(range.to - range.from).toBeLessThan(60);
  });

  it("draws no row that is not there", () => {
    expect(visible(0, 720, 36, 3)).toEqual({ from: 0, to: 3 });
    expect(visible(9_000, 720, 36, 3)).toEqual({ from: 3, to: 3 });
  });

  it("scrolls only as far as it has to", () => {
    expect(reveal(5, 0, 360, 36)).toBe(0);
    expect(reveal(10, 0, 360, 36)).toBe(36);
    expect(reveal(2, 360, 360, 36)).toBe(72);
  });
});

describe("a recorded body", () => {
  it("of a stream reads as what the model wrote", () => {
    const read = readable(STREAM);

    expect(read.is === "stream" && read.parts).toEqual([
      { kind: "text", name: "", text: "Because air scatters short waves more than long ones." },
    ]);
  });

  it("puts a tool's input together, and a thought", () => {
    const events = [
      { type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "" } },
      { type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "hm" } },
      { type: "content_block_start", index: 1, content_block: { type: "tool_use", name: "read", input: {} } },
      { type: "content_block_delta", index: 1, delta: { type: "input_json_delta", partial_json: '{"a":' } },
      { type: "content_block_delta", index: 1, delta: { type: "input_json_delta", partial_json: "1}" } },
    ];

    const read = readable(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(""));

    expect(read.is === "stream" && read.parts).toEqual([
      { kind: "thinking", name: "", text: "hm" },
      { kind: "tool", name: "read", text: '{"a":1}' },
    ]);
  });

  it("that was cut in the middle of an event reads as far as it goes", () => {
    const read = readable(STREAM.slice(0, STREAM.indexOf("more than") + 4));

    expect(read.is === "stream" && read.parts[0]?.text).toBe("Because air scatters short waves ");
  });

  it("of JSON is laid out, of a message read, and of text left alone", () => {
    expect(readable('{"error":{"type":"x"}}')).toEqual({ is: "json", json: '{\n  "error": {\n    "type": "x"\n  }\n}' });
    expect(readable('{"content":[{"type":"text","text":"hello"}]}')).toMatchObject({ is: "message", parts: [{ text: "hello" }] });
    expect(readable("Bad Gateway")).toEqual({ is: "text" });
  });
});

describe("sums for a chart", () => {
  const report = new Recorded(3_000).usage({ since_ms: null, until_ms: null, by: "day", split: "model" });

  it("have a place for every day, used or not", () => {
    const found = bars(report, "tokens", days(NOW - 6 * 86_400_000, NOW));

    expect(found.keys).toHaveLength(7);
    for (const { values } of found.parts) expect(values).toHaveLength(7);
  });

  it("know what has no price from what cost nothing", () => {
    const found = bars(report, "cost", []);

    expect(found.parts.filter(({ isUnknown }) => isUnknown).map(({ name }) => name)).toEqual(["house-model-7b"]);
  });

  it("put what is too much for a chart together", () => {
    const sessions = new Recorded(3_000).usage({ since_ms: null, until_ms: null, by: "day", split: "session" });

    const found = bars(sessions, "requests", []);

    const all = found.parts.flatMap(({ values }) => values).reduce((sum, value) => sum + value, 0);
    expect(found.parts.at(-1)?.isRest).toBe(true);
    expect(found.parts.length).toBeLessThan(8);
    expect(all).toBe(sessions.total.requests);
  });

  it("name the hours of a day as the journal does", () => {
    const found = hours(NOW - 86_400_000, NOW);

    expect(found).toHaveLength(25);
    expect(found[0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d$/);
  });
});

describe("an export that is put together here", () => {
  it("has every request that matches, over all pages", async () => {
    const backend = new FakeBackend();
    backend.recorded = new Recorded(2_500);

    const lines = (await text(await exported(backend, { ...EVERYTHING, failed: true }, "jsonl"))).trim().split("\n");

    expect(lines).toHaveLength(Math.floor(2_500 / 17));
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ end: "failed" });
  });

  it("is a table that no spreadsheet calculates", async () => {
    const backend = new FakeBackend();
    const record = { ...backend.recorded.record(1), model: '=HYPERLINK("x")', error: 'it said "no", twice', overtaken_cost_usd: 0.0366 };
    backend.requests = async () => ({ requests: [record], next: null });

    const [head, row] = (await text(await exported(backend, EVERYTHING, "csv"))).split("\r\n");

    expect(head).toMatch(/^id,time,request,method.*,cache_lost_usd,overtaken_cost_usd,error$/);
    expect(row).toContain(',0.0366,"it said');
    expect(row).toContain(`"'=HYPERLINK(""x"")"`);
    expect(row).toContain('"it said ""no"", twice"');
  });
});

describe("numbers", () => {
  it("of money have the more digits, the smaller they are", () => {
    expect([0, 0.000015, 0.0421, 12.5].map((usd) => money("en", usd))).toEqual(["$0.00", "$0.000015", "$0.042", "$12.50"]);
  });

  it("are short from ten thousand on", () => {
    expect(compact("en", 9_999)).toBe("9,999");
    expect(compact("zh", 82_212_000)).toBe("8220万");
  });
});

describe("a new endpoint", () => {
  it.each([
    ["https://api.anthropic.com", "Anthropic"],
    ["https://hk.example.com/v1", "Hk"],
    ["http://127.0.0.1:9000", "127.0.0.1"],
    ["http://localhost:9000", "Localhost"],
    ["", ""],
  ])("at %s is called %s", (url, name) => {
    expect(nameOf(url)).toBe(name);
  });

  it("has a token under a plain name", () => {
    expect(referenceOf("My Relay (EU)")).toBe("my-relay-eu");
    expect(referenceOf("東京")).toBe("東京");
  });
});

function text(blob: Blob): Promise<string> {
  return new Promise((done) => {
    const reader = new FileReader();
    reader.onload = () => done(String(reader.result));
    reader.readAsText(blob);
  });
}

describe("the language of the page", () => {
  it.each([
    ["C", "en"],
    ["zh-CN", "zh-CN"],
    ["de", "de"],
  ])("that the system calls %s is %s", (system, language) => {
    const navigator = { language: system } as Navigator;

    mendLanguage(navigator);

    expect(navigator.language).toBe(language);
  });
});
