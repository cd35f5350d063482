// The page as `zephyr serve` serves it. Without ZEPHYR_TEST_PROGRAM there is nothing to serve it.

import { test as base } from "@playwright/test";

import { PROGRAM, Served } from "./served";
import { expect, settled } from "./stage";

const test = base.extend<{ served: Served }>({
  served: async ({}, use) => {
    const served = await Served.start();
    await use(served);
    await served.stop();
  },
});

test.skip(PROGRAM === undefined, "ZEPHYR_TEST_PROGRAM says which program to test");

test("a browser signs in, and sees a request that was just made, whole", async ({ page, served }) => {
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => {
    if (/Content Security Policy/.test(message.text())) faults.push(message.text());
  });
  await page.goto(await served.link());
  await expect(page.getByTestId("in-use")).toContainText("Tokyo");
  expect(page.url()).not.toContain("code");

  await served.ask();
  await page.getByTestId("nav-requests").click();
  await page.getByTestId("request").first().click();

  await expect(page.getByTestId("attempt").first()).toContainText("Tokyo");
  await expect(page.getByTestId("response-body")).toContainText("more than long ones.");
  expect(await page.content()).not.toContain("sk-e2e");
  expect(faults).toEqual([]);
});

test("every view shows what the program has", async ({ page, served }) => {
  await served.ask();
  await page.goto(await served.link());

  await page.getByTestId("nav-usage").click();
  await settled(page);
  await expect(page.getByTestId("totals")).toBeVisible();
  await page.getByTestId("nav-endpoints").click();
  await expect(page.getByTestId("configured")).toHaveCount(2);
  await page.getByTestId("nav-settings").click();
  await expect(page.locator('[data-testid="setting"][data-key="server.port"]')).toContainText("Port of the proxy");
});

test("what is changed here stands in the file, with its comments", async ({ page, served }) => {
  await page.goto(`${await served.link()}`);
  await page.getByTestId("nav-settings").click();
  const row = page.locator('[data-testid="setting"][data-key="failover.max_attempts"]');
  await row.getByRole("spinbutton").fill("5");
  await row.getByTestId("save-setting").click();
  await expect(row.getByTestId("saved")).toBeVisible();

  await page.getByTestId("nav-endpoints").click();
  await page.locator('[data-testid="grip"][data-name="Osaka"]').focus();
  await page.keyboard.press("ArrowUp");
  await expect(page.getByTestId("said")).toContainText("1 of 2");
  await page.getByTestId("add-endpoint").click();
  await page.getByTestId("field-url").fill(served.endpointUrl);
  await page.getByTestId("field-name").fill("Kyoto");
  await page.getByTestId("save-endpoint").click();
  await expect(page.getByTestId("configured")).toHaveCount(3);

  const config = await served.config();
  expect(config).toContain("# A comment of mine.");
  expect(config).toContain("port = 0 # any");
  expect(config).toMatch(/max_attempts = 5/);
  expect(config.indexOf("Osaka")).toBeLessThan(config.indexOf("Tokyo"));
  expect(config).toContain("Kyoto");
});

test("an endpoint is tested step by step", async ({ page, served }) => {
  await page.goto(await served.link());
  await page.getByTestId("nav-endpoints").click();
  await page.getByRole("link", { name: "Tokyo" }).click();

  await page.getByTestId("diagnose").click();

  await expect(page.locator('[data-stage="tcp"][data-passed="true"]')).toBeVisible();
});
