// Every view in both themes, wide and narrow, is accessible and does not overflow; its picture is kept. Of
// the languages each takes turns, so that every view is there in both.

import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

import AxeBuilder from "@axe-core/playwright";

import type { SnapshotName } from "../tests/snapshots";
import { expect, settled, test } from "./stage";

const PICTURES =
  process.env["ZEPHYR_TEST_SCREENSHOTS"] ??
  fileURLToPath(new URL("../../target/ui-screenshots", import.meta.url));
mkdirSync(PICTURES, { recursive: true });

const PLACES: { name: string; at: string; state?: SnapshotName }[] = [
  { name: "overview", at: "#/" },
  { name: "overview-trouble", at: "#/", state: "problems" },
  { name: "all-down", at: "#/", state: "all-down" },
  { name: "requests", at: "#/requests" },
  { name: "request", at: "#/requests/1992" },
  { name: "requests-none", at: "#/requests?text=nowhere" },
  { name: "first-run", at: "#/", state: "empty" },
  { name: "usage", at: "#/usage" },
  { name: "usage-by-model", at: "#/usage?days=30&by=model" },
  { name: "endpoints", at: "#/endpoints" },
  { name: "endpoint", at: "#/endpoints/Singapore" },
  { name: "settings", at: "#/settings" },
];

const SIZES = { wide: { width: 1280, height: 820 }, narrow: { width: 360, height: 740 } };

for (const [turn, { name, at, state }] of PLACES.entries()) {
  for (const theme of ["light", "dark"] as const) {
    for (const size of ["wide", "narrow"] as const) {
      const language = (turn + Number(theme === "dark") + Number(size === "narrow")) % 2 === 0 ? "en" : "zh";
      test(`${name}, ${theme}, ${size}, ${language}`, async ({ page, show }) => {
        await page.setViewportSize(SIZES[size]);
        await page.emulateMedia({ reducedMotion: "reduce" });

        await show({ at, theme, language, requests: 4_000, ...(state ? { state } : {}) });
        await settled(page);
        await page.screenshot({ path: `${PICTURES}/${name}-${theme}-${size}-${language}.png` });

        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(overflow).toBeLessThanOrEqual(0);
        const { violations } = await new AxeBuilder({ page })
          .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
          .analyze();
        const told = violations.map(({ id, nodes }) => [id, nodes.map(({ html, failureSummary }) => [html.slice(0, 200), failureSummary])]);
        expect(told).toEqual([]);
      });
    }
  }
}
