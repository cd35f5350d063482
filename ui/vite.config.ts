import { gzipSync } from "node:zlib";

import { svelte } from "@sveltejs/vite-plugin-svelte";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** What a browser has to load before it shows anything, gzipped. */
const MOST_KB = 120;

export default defineConfig(({ mode }) => ({
  plugins: [svelte(), initialLoad()],
  // Relative, since the page is served by Tauri and by the admin server alike.
  base: "./",
  build: {
    // The oldest WebKit that Tauri runs on; CSS and JavaScript are lowered to it.
    target: "safari16",
    // What is inlined as data: would need a looser content security policy.
    assetsInlineLimit: 0,
    modulePreload: false,
  },
  // The message catalogues are the Rust crates'.
  server: { fs: { allow: [".."] } },
  resolve: mode === "test" ? { conditions: ["browser"] } : {},
  test: {
    environment: "jsdom",
    setupFiles: ["tests/setup.ts"],
    include: ["tests/**/*.test.ts"],
    // For a machine that is busy with other things: tests wait for what happens, and have no other limit.
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
}));

/** Refuses a page that has grown too large: the views are to load when they are wanted. */
function initialLoad(): Plugin {
  return {
    name: "initial-load",
    apply: "build",
    writeBundle(_, bundle) {
      const needed = new Set<string>();
      const need = (name: string) => {
        const chunk = bundle[name];
        if (needed.has(name) || chunk?.type !== "chunk") return;
        needed.add(name);
        chunk.viteMetadata?.importedCss.forEach((file) => needed.add(file));
        chunk.imports.forEach(need);
      };
      for (const chunk of Object.values(bundle)) {
        if (chunk.type === "chunk" && chunk.isEntry) need(chunk.fileName);
      }
      const size = (name: string) => {
        const file = bundle[name];
        const content = file?.type === "chunk" ? file.code : file?.source;
        return content === undefined ? 0 : gzipSync(content).length;
      };
      const kb = [...needed].reduce((sum, name) => sum + size(name), 0) / 1_000;
      console.info(`initial load: ${kb.toFixed(1)} KB of ${MOST_KB} KB, gzipped`);
      if (kb > MOST_KB) this.error(`the initial load is ${kb.toFixed(1)} KB, more than ${MOST_KB} KB`);
    },
  };
}
