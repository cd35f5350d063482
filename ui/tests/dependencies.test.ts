import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { expect, it } from "vitest";

/** The packages that a file imports. */
function imported(text: string): string[] {
  const specifiers = [...text.matchAll(/\b(?:from|import)\s*\(?\s*["']([^"'.$/][^"']*)["']/g)].map((match) => match[1]!);
  return specifiers.map((specifier) => /^(@[^/]+\/)?[^/]+/.exec(specifier)![0]);
}

// The list of what the programs are made of takes `dependencies`, and leaves out what only builds or tests.
it("everything that the interface imports is in `dependencies`", () => {
  const { dependencies } = JSON.parse(readFileSync("package.json", "utf8")) as { dependencies: object };
  const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((name) => /\.(ts|svelte)$/.test(name));

  const found = new Set(files.flatMap((name) => imported(readFileSync(join("src", name), "utf8"))));

  expect([...found].sort()).toEqual(Object.keys(dependencies).sort());
});

it("finds every kind of import", () => {
  const text = `import "a"; import b from "b/c"; export * from '@d/e/f'; await import("g"); import h from "./h";`;

  expect(imported(text)).toEqual(["a", "b", "@d/e", "g"]);
});
