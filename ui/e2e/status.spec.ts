// The overall status in a real browser: wherever the page shows it, at both widths.

import { EXAMPLES } from "../tests/snapshots";
import { expect, settled, test } from "./stage";

const SHOWN = ["healthy", "all-down", "offline", "failing-pin", "spread-thin", "paused", "unmeasured"] as const;

for (const name of SHOWN) {
  test(`${name} is said by header, side, phone bar, title and icon alike`, async ({ page, show }) => {
    const example = EXAMPLES[name];
    if (!example) throw new Error(`no example ${name}`);
    const { overall } = example.status;
    const played = await show({ state: "busy" });
    await settled(page);

    played.change({ ...example, appearance: { language: "en", theme: "light" } });

    await expect(page.locator("header")).toHaveAttribute("data-overall", overall);
    await expect(page.locator('link[rel="icon"]')).toHaveAttribute("data-overall", overall);
    await expect(page.getByTestId("side-status")).toHaveAttribute("data-overall", overall);
    await expect(page.getByTestId("side-status")).toBeVisible();
    await page.setViewportSize({ width: 390, height: 700 });
    await expect(page.getByTestId("phone-status")).toHaveAttribute("data-overall", overall);
    await expect(page.getByTestId("phone-status")).toBeVisible();
    const title = await page.title();
    expect(title === "Overview – Zephyr").toBe(overall === "well");
    const icon = await page.locator('link[rel="icon"]').getAttribute("href");
    const answer = await page.request.get(String(icon));
    expect(answer.headers()["content-type"]).toBe("image/svg+xml");
    const sideways = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    expect(sideways).toBe(false);
  });
}

test("a page that has lost the program says so everywhere, and is well again with it", async ({ page, show }) => {
  const played = await show({ state: "healthy" });
  await expect(page.locator("header")).toHaveAttribute("data-overall", "well");

  await played.stop();
  await expect(page.locator("header")).toHaveAttribute("data-overall", "disconnected");
  const lost = await page.title();
  await played.listen();

  await expect(page.locator("header")).toHaveAttribute("data-overall", "well");
  expect(lost).toBe("Disconnected · Overview – Zephyr");
});
