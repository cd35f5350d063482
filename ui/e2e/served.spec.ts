// The page as `zephyr serve` serves it. Without ZEPHYR_TEST_PROGRAM there is nothing to serve it.

import { readFile } from "node:fs/promises";

import { type Locator, test as base } from "@playwright/test";

import { scrollToOldest } from "./list";
import { Held, overloaded } from "./scripted";
import { PROGRAM, Served } from "./served";
import { expect, settled } from "./stage";

const test = base.extend<{ served: Served; bare: Served }>({
  served: async ({}, use) => {
    const served = await Served.start();
    await use(served);
    await served.stop();
  },
  /** Without endpoints. */
  bare: async ({}, use) => {
    const served = await Served.start({ endpoints: "nothing" });
    await use(served);
    await served.stop();
  },
});

/** What the element says when it first has this in it. It is watched in the page from now on: a request that has
    ended is shown for a few seconds only. */
async function firstSaid(element: Locator, sought: string): Promise<() => Promise<string>> {
  const watch = await element.evaluateHandle((row, sought) => {
    const said = new Promise<string>((found) => {
      const look = () => {
        if (row.textContent?.includes(sought)) found(row.textContent);
      };
      new MutationObserver(look).observe(row, { characterData: true, childList: true, subtree: true });
      look();
    });
    return { said };
  }, sought);
  return () => watch.evaluate(({ said }) => said);
}

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
  await served.recorded(1);
  await page.getByTestId("nav-requests").click();
  await page.getByTestId("request").first().click();

  await expect(page.getByTestId("attempt").first()).toContainText("Tokyo");
  await expect(page.getByTestId("response-body")).toContainText("more than long ones.");
  expect(await page.content()).not.toContain("sk-e2e");
  expect(faults).toEqual([]);
});

test("another tab and a reload stay signed in, and a server on another port cannot use what it is sent", async ({ context, page, served }) => {
  const link = await served.link();
  await page.goto(link);
  await expect(page.getByTestId("in-use")).toContainText("Tokyo");
  await page.reload();
  await expect(page.getByTestId("in-use")).toContainText("Tokyo");
  const tab = await context.newPage();
  const home = new URL("/", link).href;
  await tab.goto(home);
  await expect(tab.getByTestId("in-use")).toContainText("Tokyo");

  const answer = await tab.goto(new URL("/api/v1/anything", served.tokyo.url).href);
  const { cookie = "" } = (await answer?.request().allHeaders()) ?? {};
  const stolen = await fetch(new URL("/api/v1/snapshot", home), { headers: { cookie, origin: new URL(home).origin } });

  expect(cookie).toContain("zephyr-session-");
  expect(stolen.status).toBe(401);
  await expect(page.getByTestId("in-use")).toContainText("Tokyo");
});

test("every view shows what the program has", async ({ page, served }) => {
  await served.ask();
  await served.recorded(1);
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
  await row.getByRole("combobox").selectOption("number");
  await row.getByRole("spinbutton").fill("5");
  await row.getByTestId("save-setting").click();
  await expect(row.getByTestId("saved")).toBeVisible();

  await page.getByTestId("nav-endpoints").click();
  await page.locator('[data-testid="grip"][data-name="Osaka"]').focus();
  await page.keyboard.press("ArrowUp");
  await expect(page.getByTestId("said")).toContainText("1 of 2");
  await page.getByTestId("add-endpoint").click();
  await page.getByTestId("field-url").fill(served.tokyo.url);
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

test("a request that moved to another endpoint says why", async ({ page, served }) => {
  served.tokyo.answer = overloaded;
  await page.goto(await served.link());
  await expect(page.getByTestId("in-use")).toContainText("Tokyo");

  expect(await served.ask()).toContain("more than long ones.");
  await served.recorded(1);

  await expect(page.locator('[data-testid="event"][data-event="failed_over"]')).toContainText("Tokyo");
  await page.getByTestId("nav-requests").click();
  await page.getByTestId("request").first().click();
  const attempts = page.getByTestId("attempt");
  await expect(attempts).toHaveCount(2);
  await expect(attempts.nth(0)).toContainText(/Tokyo.*529.*overloaded/is);
  await expect(attempts.nth(1)).toContainText("Osaka");
  await expect(attempts.nth(1)).toHaveAttribute("data-outcome", "answered");
});

test("a request is seen while its answer comes, and when it is over", async ({ page, served }) => {
  const held = new Held();
  served.tokyo.answer = held.answer;
  await page.goto(await served.link());

  const asked = served.ask();
  const live = page.getByTestId("live-request");
  await expect(live).toContainText(/claude-sonnet-4-5.*Tokyo.*streaming/s);
  const over = await firstSaid(live, "answered");
  held.finish();

  expect(await asked).toContain("message_stop");
  expect(await over()).toContain("14 tokens");
});

test("a program that restarts is found again, and wants to know who one is", async ({ page, served }) => {
  await page.goto(await served.link());
  await expect(page.getByTestId("in-use")).toContainText("Tokyo");

  await served.restart(async () => {
    await expect(page.getByTestId("lost")).toBeVisible();
  });
  await expect(page.getByTestId("sign-in")).toContainText("zephyr open");
  await page.goto(await served.link());

  await expect(page.getByTestId("in-use")).toContainText("Tokyo");
});

test("the first endpoint is tested and added, also without a keychain", async ({ page, bare }) => {
  await page.goto(await bare.link());
  await page.getByTestId("first-url").fill(bare.tokyo.url);
  await page.getByTestId("first-name").fill("Tokyo");
  await page.getByTestId("token").fill("sk-secret");
  await page.getByTestId("diagnose").click();
  await expect(page.locator('[data-stage="first_token"][data-passed="true"]')).toBeVisible();

  await page.getByTestId("first-save").click();
  await expect(page.getByTestId("complaint")).toContainText("there is no keychain");
  await expect(page.getByTestId("complaint")).toContainText("choose the variable");

  await page.getByTestId("nav-endpoints").click();
  await page.getByTestId("confirm").click(); // What was typed here is left behind.
  await page.getByTestId("add-endpoint").click();
  await page.getByTestId("field-url").fill(bare.tokyo.url);
  await page.getByTestId("field-name").fill("Tokyo");
  await page.getByTestId("field-token-place").selectOption("env");
  await page.getByTestId("field-token-name").fill("ZEPHYR_E2E_TOKEN");
  // A browser may not send a variable anywhere by itself.
  await page.getByTestId("diagnose").click();
  await bare.confirm(page);
  await expect(page.locator('[data-stage="first_token"][data-passed="true"]')).toBeVisible();
  await page.getByTestId("save-endpoint").click();
  await bare.confirm(page);
  await expect(page.getByTestId("configured")).toHaveCount(1);

  const config = await bare.config();
  expect(config).toContain("# A comment of mine.");
  expect(config).toContain('"ZEPHYR_E2E_TOKEN"');
  expect(config).not.toContain("sk-secret");
  expect(await bare.ask()).toContain("more than long ones.");
});

test("a program that Zephyr would start is set once the terminal has confirmed it", async ({ page, served }) => {
  await page.goto(await served.link());
  await page.getByTestId("nav-settings").click();
  const row = page.locator('[data-testid="setting"][data-key="health_check.claude_binary_path"]');
  await row.getByRole("textbox").fill("/bin/true");
  await row.getByTestId("save-setting").click();

  await expect(page.getByTestId("needs-confirmation")).toContainText("/bin/true");
  expect(await served.config()).not.toContain("/bin/true");
  await page.getByTestId("cancel-confirmation").click();
  await expect(row.getByTestId("complaint")).toContainText("not confirmed");
  await row.getByTestId("save-setting").click();
  await served.confirm(page);

  await expect(row.getByTestId("saved")).toBeVisible();
  expect(await served.config()).toContain("/bin/true");
});

test("an endpoint is turned off and on, and removed after a question", async ({ page, served }) => {
  await page.goto(await served.link());
  await page.getByTestId("nav-endpoints").click();
  const tokyo = page.locator('[data-testid="configured"][data-name="Tokyo"]');

  await tokyo.getByTestId("enabled").click();
  await expect(tokyo.getByTestId("enabled")).toHaveAttribute("aria-checked", "false");
  await expect(tokyo).toContainText("Switched off");
  await tokyo.getByTestId("enabled").click();
  await expect(tokyo.getByTestId("enabled")).toHaveAttribute("aria-checked", "true");

  await tokyo.getByRole("link").click();
  await page.getByTestId("remove-endpoint").click();
  await expect(page.getByTestId("dialog")).toContainText("Tokyo");
  await page.keyboard.press("Escape");
  expect(await served.config()).toContain("Tokyo");
  await page.getByTestId("remove-endpoint").click();
  await page.getByTestId("confirm").click();

  await expect(page.getByTestId("configured")).toHaveCount(1);
  expect(await served.config()).not.toContain("Tokyo");
});

test("what was measured before a restart is still drawn after it", async ({ page, served }) => {
  for (let at = 0; at < 3; at += 1) await served.ask();
  await served.recorded(3);
  const shown = page.getByTestId("history-summary");
  await page.goto(await served.link());
  await page.getByTestId("nav-endpoints").click();
  await page.getByRole("link", { name: "Tokyo" }).click();
  await expect(shown).toContainText("3 · 0 of them failed");

  await served.restart(async () => undefined);
  await page.goto(await served.link());
  await page.getByTestId("nav-endpoints").click();
  await page.getByRole("link", { name: "Tokyo" }).click();

  await expect(shown).toContainText("3 · 0 of them failed");
  await expect(shown).toContainText("ms on average");
  await expect(page.getByTestId("timeline").locator(".u-over")).toHaveCount(1);
  await expect(page.getByRole("slider")).toHaveAttribute("aria-valuetext", /First event \d+ ms/);
});

test("language and theme are chosen here, and stand in the file", async ({ page, served }) => {
  await page.goto(await served.link());
  await page.getByTestId("nav-settings").click();
  const row = (key: string) => page.locator(`[data-testid="setting"][data-key="${key}"]`);

  await row("ui.language").getByRole("combobox").selectOption("zh");
  await expect(page.locator("h1")).toHaveText("设置");
  await expect(row("ui.language").getByTestId("saved")).toBeVisible();
  await row("ui.theme").getByRole("combobox").selectOption("dark");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await expect(row("ui.theme").getByTestId("saved")).toBeVisible();

  const config = await served.config();
  expect(config).toMatch(/\[ui\]\s+language = "zh"\s+theme = "dark"/);
  expect(config).toContain("# A comment of mine.");
  expect(config).toContain("port = 0 # any");
});

test("a hundred thousand requests are scrolled, filtered, searched and exported", async ({ page, served }) => {
  test.slow(); // A debug build reads 200 pages of 500 whole records: half a minute of processor time.
  for (let at = 0; at < 9; at += 1) await served.ask();
  served.tokyo.answer = overloaded;
  await served.ask("why is a kingfisher blue?");
  await served.restart(() => served.seed(100_000));
  await page.goto(await served.link());
  await page.getByTestId("nav-requests").click();
  const rows = page.getByTestId("request");
  await expect(rows.first()).toHaveAttribute("data-id", "100000");

  const list = page.getByTestId("request-list");
  const { mostRows, misplaced } = await scrollToOldest(list, 100_000);
  await expect(page.locator('[data-testid="request"][data-id="1"]')).toBeVisible();
  expect(misplaced).toEqual([]);
  expect(await list.getAttribute("aria-rowcount")).toBe("100001");
  expect(mostRows).toBeLessThan(80);

  await page.getByTestId("filter-endpoint").selectOption("Osaka");
  await expect(rows.first()).toContainText("Osaka");
  await page.getByTestId("search").fill("kingfisher");
  await expect(rows).toHaveCount(1);
  await expect(rows).toHaveAttribute("data-id", "10");

  const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId("export-csv").click()]);
  const lines = (await readFile(await download.path(), "utf8")).trim().split(/\r?\n/);
  expect(lines).toHaveLength(2);
  expect(lines[1]).toContain("Osaka");
});
