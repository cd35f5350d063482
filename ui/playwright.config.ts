// The interface in Debian's Chromium, as it was built into dist/.

import { defineConfig } from "@playwright/test";

/** What a whole test may take on a machine that is busy with other things; a slow test, three times that. It is the
    only limit: a test waits for events, and no wait has a limit of its own. */
const LIMIT_MS = 1_200_000;

export default defineConfig({
  testDir: "e2e",
  outputDir: "../target/ui-e2e",
  fullyParallel: true,
  workers: 2,
  retries: 0,
  timeout: LIMIT_MS,
  expect: { timeout: 0 },
  // A test that waits for what never comes takes the whole limit. A page that is broken would do so in every test.
  maxFailures: 4,
  reporter: [["line"]],
  use: {
    browserName: "chromium",
    launchOptions: {
      timeout: LIMIT_MS,
      executablePath: process.env["ZEPHYR_CHROMIUM"] ?? "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
    trace: "retain-on-failure",
  },
});
