import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

const PROGRAM = "node_modules/oxlint/bin/oxlint";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zephyr-circles-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** What `npm run circles` finds in these files. */
function circles(files: Record<string, string>) {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const { status, stdout } = spawnSync(
    process.execPath,
    [PROGRAM, "--config", ".oxlintrc.json", "--format", "unix", folder],
    { encoding: "utf8" },
  );
  return { found: stdout.match(/^.*no-cycle.*$/gm) ?? [], status };
}

describe("the check for circles of imports", () => {
  it("finds one that goes through components and a module", () => {
    const { found, status } = circles({
      "A.svelte": `<script lang="ts">import B from "./B.svelte";</script><B />`,
      "B.svelte": `<script lang="ts">import { c } from "./c";</script>{c}`,
      "c.ts": `import A from "./A.svelte"; export const c = typeof A;`,
    });

    expect(found).toHaveLength(3);
    expect(status).toBe(1);
  });

  it("finds one of types alone", () => {
    const { found } = circles({
      "a.ts": `import type { B } from "./b"; export interface A { b: B }`,
      "b.svelte.ts": `import type { A } from "./a"; export interface B { a: A }`,
      "b.ts": `export * from "./b.svelte";`,
    });

    expect(found).toHaveLength(3);
  });

  it("finds none where imports go one way", () => {
    const { found, status } = circles({
      "A.svelte": `<script lang="ts">import B from "./B.svelte"; import { c } from "./c";</script><B />{c}`,
      "B.svelte": `<script lang="ts">import { c } from "./c";</script>{c}`,
      "c.ts": `export const c = 1;`,
    });

    expect(found).toEqual([]);
    expect(status).toBe(0);
  });
});
