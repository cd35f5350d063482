// A page before an admin server: the played one, or the one at ZEPHYR_URL.

import { test as base, type Page } from "@playwright/test";

import type { LanguageChoice, ThemeChoice } from "../src/lib/generated/control";
import { SNAPSHOTS, type SnapshotName } from "../tests/snapshots";
import { Played, type Scene } from "./played";

export interface Look {
  state?: SnapshotName;
  language?: LanguageChoice;
  theme?: ThemeChoice;
  at?: string;
  requests?: number;
  locked?: boolean;
}

interface Stage {
  /** Starts a server and opens its page. */
  show: (look?: Look) => Promise<Played>;
}

export const test = base.extend<Stage>({
  show: async ({ page }, use) => {
    const started: Played[] = [];
    const faults: string[] = [];
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("console", (message) => {
      // A refused connection is what a stopped server looks like.
      const isNetwork = /Failed to load resource|net::ERR/.test(message.text());
      if (message.type() === "error" && !isNetwork) faults.push(message.text());
    });
    await use(async ({ state = "busy", language = "en", theme = "light", at = "#/", ...rest } = {}) => {
      const scene: Scene = {
        snapshot: { ...SNAPSHOTS[state], appearance: { language, theme } },
        ...rest,
      };
      const played = await Played.start(scene);
      started.push(played);
      await page.goto(played.url + at);
      return played;
    });
    for (const played of started) await played.stop();
    // Among these is every violation of the content security policy.
    if (faults.length > 0) throw new Error(`the page complained: ${faults.join("; ")}`);
  },
});

/** Waits until what was asked for is there. */
export async function settled(page: Page) {
  await page.locator("main").waitFor();
  await page.waitForFunction(
    () => document.querySelectorAll('[data-testid="waiting"], [data-testid="loading"], main [aria-busy="true"]').length === 0,
  );
}

export { expect } from "@playwright/test";
