import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

export default defineConfig(({ mode }) => ({
  plugins: [svelte()],
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
  },
}));
