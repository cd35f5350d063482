// What one does in every view, in a browser.

import { scrollToOldest, unfilledPlaces } from "./list";
import { expect, settled, test } from "./stage";

test("every view is reached by its link, and the back button goes back", async ({ page, show }) => {
  await show();
  for (const view of ["requests", "usage", "endpoints", "settings", "overview"]) {
    await page.getByTestId(`nav-${view}`).click();
    await expect(page.locator(`main[data-view="${view}"]`)).toBeFocused();
  }

  await page.goBack();

  await expect(page.locator('main[data-view="settings"]')).toBeVisible();
});

test("an endpoint is pinned, and Zephyr chooses again", async ({ page, show }) => {
  const played = await show({ state: "healthy" });

  await page.locator('[data-testid="endpoint-row"][data-endpoint="Singapore"]').click();
  await expect(page.getByTestId("in-use")).toContainText("Singapore");
  await page.getByTestId("mode-auto").click();
  await expect(page.getByTestId("mode-auto")).toHaveAttribute("aria-pressed", "true");
  await page.getByTestId("pause").click();
  await expect(page.getByTestId("paused")).toBeVisible();

  expect(played.commands.map(({ command }) => command)).toEqual(["use", "auto", "pause"]);
});

test("requests stream by on the overview", async ({ page, show }) => {
  const played = await show();
  await expect(page.getByTestId("live-request")).toHaveCount(6);

  const [first] = played.snapshot.requests;
  played.change({ requests: first ? [{ ...first, output_tokens: 9_876 }] : [] });

  await expect(page.getByTestId("live-request")).toHaveCount(1);
  await expect(page.getByTestId("live-request")).toContainText("9,876 tokens");
});

test("a hundred thousand requests scroll to their end, each at its place, with few rows drawn", async ({ page, show }) => {
  await show({ at: "#/requests", requests: 100_000 });
  const list = page.getByTestId("request-list");
  await expect(page.getByTestId("request").first()).toHaveAttribute("data-id", "100000");

  const { mostRows, misplaced } = await scrollToOldest(list, 100_000);

  expect(misplaced).toEqual([]);
  expect(await list.getAttribute("aria-rowcount")).toBe("100001");
  expect(mostRows).toBeLessThan(80);
  expect(await unfilledPlaces(list, 100_000)).toEqual([]);
});

test("new requests come on top without moving what one looks at", async ({ page, show }) => {
  const played = await show({ at: "#/requests", requests: 3_000 });
  await expect(page.getByTestId("request").first()).toHaveAttribute("data-id", "3000");
  played.finish(2);
  await expect(page.getByTestId("request").first()).toHaveAttribute("data-id", "3002");

  const list = page.getByTestId("request-list");
  await list.evaluate((box) => (box.scrollTop = 3_600));
  const seen = page.locator('[data-testid="request"][data-id="2895"]');
  const before = await seen.boundingBox();
  played.finish(5);
  await expect(page.getByTestId("unseen")).toHaveText("5 newer");

  expect((await seen.boundingBox())?.y).toBe(before?.y);
  await page.getByTestId("unseen").click();
  await expect(page.getByTestId("request").first()).toHaveAttribute("data-id", "3007");
  await expect(page.getByTestId("unseen")).toBeHidden();
});

test("requests are filtered and searched, and the address can be passed on", async ({ page, show }) => {
  const played = await show({ at: "#/requests", requests: 2_000 });
  await page.getByTestId("filter-endpoint").selectOption("Tokyo");
  await page.getByTestId("filter-failed").click();
  await page.getByTestId("filter-status").fill("500");
  await page.getByTestId("search").fill("req_");
  await expect(page).toHaveURL(/endpoint=Tokyo.*status=500.*failed=1.*text=req_/);
  const ends = page.getByTestId("request").locator(".status");
  await expect(ends.first()).toContainText("500");

  await page.goto("about:blank");
  await page.goto(`${played.url}#/requests?endpoint=Tokyo&failed=1`);

  await expect(page.getByTestId("filter-endpoint")).toHaveValue("Tokyo");
  await page.getByTestId("filter-clear").click();
  await expect(page.getByTestId("request").first()).toContainText("200");
});

test("a request is opened, read and closed, and the list keeps its place", async ({ page, show }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await show({ at: "#/requests", requests: 3_000 });
  const list = page.getByTestId("request-list");
  await expect(page.getByTestId("request").first()).toBeVisible();
  await list.evaluate((box) => (box.scrollTop = 5_600));

  await page.locator('[data-testid="request"][data-id="2900"]').click();
  await expect(page.getByTestId("attempt").first()).toBeVisible();
  await expect(page.getByTestId("response-body")).toContainText("more than long ones.");
  await page.getByTestId("close-detail").click();

  expect(await list.evaluate((box) => box.scrollTop)).toBe(5_600);
  await expect(list).toBeFocused();
});

test("what matches is exported", async ({ page, show }) => {
  await show({ at: "#/requests?failed=1", requests: 500 });
  await settled(page);

  const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId("export-jsonl").click()]);

  expect(download.suggestedFilename()).toBe("zephyr-requests.jsonl");
});

test("usage is drawn, and summed by what one chooses", async ({ page, show }) => {
  await show({ at: "#/usage", requests: 2_000 });
  await expect(page.locator(".u-over")).toBeVisible();

  for (const by of ["endpoint", "model", "session", "day"]) {
    await page.getByTestId(`by-${by}`).click();
    await expect(page).toHaveURL(new RegExp(`by=${by}`));
    await expect(page.getByTestId("usage-row").first()).toBeVisible();
  }
  await page.getByTestId("metric-tokens").click();
  await expect(page.getByTestId("chart")).toContainText("Tokens");
});

test("an endpoint is added, dragged, moved by keyboard, changed and removed", async ({ page, show }) => {
  const played = await show({ at: "#/endpoints", state: "healthy" });
  const names = () => page.getByTestId("configured").evaluateAll((rows) => rows.map((row) => (row as HTMLElement).dataset["name"]));
  await expect(page.getByTestId("configured")).toHaveCount(4);

  await page.getByTestId("add-endpoint").click();
  await page.getByTestId("field-url").fill("osaka.example.com");
  await page.getByTestId("field-name").fill("Osaka");
  await expect(page.getByTestId("complaint")).toContainText("http://");
  await page.getByTestId("field-url").fill("https://osaka.example.com");
  await expect(page.getByTestId("complaint")).toBeHidden();
  await page.getByTestId("field-token-place").selectOption("keychain");
  await page.getByTestId("token").fill("sk-secret");
  await page.getByTestId("diagnose").click();
  await expect(page.getByTestId("diagnosis")).toContainText("First token");
  await page.getByTestId("save-endpoint").click();
  await expect(page.getByTestId("endpoint-editor")).toBeHidden();
  // The list is read again by then, and nothing moves the focus or the rows after it.
  await expect(page.getByRole("link", { name: "Osaka" })).toBeFocused();
  expect(played.commands[0]).toEqual({ command: "store_token", reference: "osaka", token: "sk-secret" });
  expect(await page.content()).not.toContain("sk-secret");

  const grip = page.locator('[data-testid="grip"][data-name="Tokyo"]');
  const onto = await page.locator('[data-testid="configured"][data-name="Frankfurt"]').boundingBox();
  await grip.hover();
  await page.mouse.down();
  await page.mouse.move((onto?.x ?? 0) + 12, (onto?.y ?? 0) + (onto?.height ?? 0) - 6, { steps: 6 });
  await page.mouse.up();
  await expect.poll(names).toEqual(["Singapore", "Frankfurt", "Tokyo", "Osaka", "Backup"]);

  await expect(grip).toBeFocused();
  await page.keyboard.press("ArrowUp");
  await expect.poll(names).toEqual(["Singapore", "Tokyo", "Frankfurt", "Osaka", "Backup"]);

  await page.getByRole("link", { name: "Osaka" }).click();
  await page.getByTestId("field-name").fill("Kyoto");
  await page.getByTestId("save-endpoint").click();
  await expect(page.getByRole("link", { name: "Kyoto" })).toBeFocused();

  await page.keyboard.press("Enter");
  await page.getByTestId("remove-endpoint").click();
  await page.keyboard.press("Escape");
  await expect(page.getByTestId("dialog")).toBeHidden();
  await page.getByTestId("remove-endpoint").click();
  await page.getByTestId("confirm").click();
  await expect.poll(names).toEqual(["Singapore", "Tokyo", "Frankfurt", "Backup"]);
});

test("an endpoint's history is drawn, read by keyboard and told as a table", async ({ page, show }) => {
  await show({ state: "busy" });
  await page.locator('.row:has([data-endpoint="Tokyo"])').hover();
  await page.getByTestId("endpoint-history").first().click();
  const history = page.getByTestId("history");
  await expect(history.locator(".u-over")).toHaveCount(2);

  const slider = history.getByRole("slider");
  for (const [span, steps] of [["hour", 60], ["week", 168], ["month", 180]] as const) {
    await history.getByTestId(`span-${span}`).click();
    await expect(history.getByTestId(`span-${span}`)).toHaveAttribute("aria-pressed", "true");
    // Until the span is read, the chart shows the one before.
    await expect(slider).toHaveAttribute("aria-valuemax", String(steps - 1));
  }
  const last = (await slider.getAttribute("aria-valuetext")) ?? "";
  await slider.press("ArrowLeft");
  await expect(slider).not.toHaveAttribute("aria-valuetext", last);
  await expect(slider).toHaveAttribute("aria-valuetext", /Check latency \d+ ms, First event .*, ready/);
  await history.getByText("As a table").click();

  await expect(history.getByTestId("history-table")).toContainText("throttled");
});

test("every label of a chart's axes is whole", async ({ page, show }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  // Just after a full hour, so that its label is at the edge.
  const now = Date.now();
  const hour = 3_600_000;
  await page.clock.setFixedTime(now - (now % hour) - hour + 20_000);
  await page.addInitScript(() => {
    const cut: string[] = [];
    Object.assign(window, { cut, labels: 0 });
    const draw = CanvasRenderingContext2D.prototype.fillText;
    CanvasRenderingContext2D.prototype.fillText = function (text, x, y, most) {
      const { a: scaleX, e: shift } = this.getTransform();
      const width = this.measureText(text).width;
      const part = { center: 0.5, right: 1, end: 1 }[this.textAlign as string] ?? 0;
      const left = (x - width * part) * scaleX + shift;
      Object.assign(window, { labels: (window as unknown as { labels: number }).labels + 1 });
      if (left < 0 || left + width * scaleX > this.canvas.width) cut.push(text);
      draw.call(this, text, x, y, most);
    };
  });
  await show({ at: "#/endpoints/Tokyo", requests: 2_000 });
  const slider = page.getByRole("slider");
  for (const [span, steps] of [["hour", 60], ["week", 168], ["month", 180], ["day", 144]] as const) {
    await page.getByTestId(`span-${span}`).click();
    await expect(slider).toHaveAttribute("aria-valuemax", String(steps - 1));
  }
  await page.getByTestId("nav-usage").click();
  for (const days of [1, 7, 30, 90]) {
    await page.getByTestId(`days-${days}`).click();
    await settled(page);
  }

  expect(await page.evaluate(() => (window as unknown as { labels: number }).labels)).toBeGreaterThan(20);
  expect(await page.evaluate(() => (window as unknown as { cut: string[] }).cut)).toEqual([]);
});

test("a name that is too long loses its end, also where it is read from the right", async ({ page, show }) => {
  const name = "שרת גיבוי ראשי במרכז הנתונים הגדול של חיפה והסביבה כולה עם שם ארוך במיוחד";
  const played = await show({ at: "#/", state: "busy" });
  const [endpoint] = played.snapshot.endpoints;
  if (!endpoint) throw new Error("no endpoint");
  played.change({ endpoints: [{ ...endpoint, name }, ...played.snapshot.endpoints.slice(1)], current: name });

  const shown = page.getByRole("navigation").getByText(name);
  await expect(shown).toBeVisible();
  const { first, last } = await shown.evaluate((element) => {
    const text = document.createTreeWalker(element, NodeFilter.SHOW_TEXT).nextNode() as Text;
    const box = element.getBoundingClientRect();
    const isIn = (at: number) => {
      const range = document.createRange();
      range.setStart(text, at);
      range.setEnd(text, at + 1);
      const { left, right } = range.getBoundingClientRect();
      return left >= box.left - 1 && right <= box.right + 1;
    };
    return { first: isIn(0), last: isIn(text.length - 1) };
  });

  expect({ first, last }).toEqual({ first: true, last: false });
});

test("what is unsaved is not lost without a question", async ({ page, show }) => {
  const played = await show({ at: "#/endpoints/Tokyo", state: "healthy" });
  const name = page.getByTestId("field-name");
  const dialog = page.getByTestId("dialog");
  await name.fill("Kyoto");

  await page.getByTestId("nav-requests").click();
  await expect(dialog).toContainText("Leave without saving?");
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(page).toHaveURL(`${played.url}#/endpoints/Tokyo`);
  await expect(name).toHaveValue("Kyoto");

  await page.getByTestId("nav-requests").click();
  await page.getByTestId("confirm").click();
  await expect(page.locator('main[data-view="requests"]')).toBeVisible();
  expect(played.commands).toEqual([]);

  await page.goBack();
  await expect(name).toHaveValue("Tokyo");
  await name.fill("Osaka");
  await name.fill("Tokyo");
  await page.getByTestId("close-editor").click();
  await expect(name).toBeHidden();
});

test("a page with something unsaved is not closed without a question", async ({ page, show }) => {
  await show({ at: "#/settings" });
  const port = page.locator('[data-testid="setting"][data-key="server.port"]').getByRole("spinbutton");
  const asked: string[] = [];
  page.on("dialog", (dialog) => {
    asked.push(dialog.type());
    void dialog.dismiss();
  });
  await port.click();
  await port.fill("9090");

  await page.close({ runBeforeUnload: true });
  await expect.poll(() => asked).toEqual(["beforeunload"]);
  await expect(port).toHaveValue("9090");

  await page.getByTestId("nav-usage").click();
  await expect(page.getByTestId("dialog")).toContainText("did not save");
  await page.getByTestId("confirm").click();
  await expect(page.locator('main[data-view="usage"]')).toBeVisible();
});

test("settings are changed, refused, and the page follows language and theme", async ({ page, show }) => {
  await show({ at: "#/settings" });
  const row = (key: string) => page.locator(`[data-testid="setting"][data-key="${key}"]`);

  await row("server.port").getByRole("spinbutton").fill("99999");
  await expect(row("server.port").getByTestId("complaint")).toContainText("0 to 65535");
  await row("server.port").getByRole("spinbutton").fill("9090");
  await row("server.port").getByTestId("save-setting").click();
  await expect(row("server.port").getByTestId("saved")).toBeVisible();
  await row("server.port").getByTestId("reset-setting").click();
  await expect(row("server.port").getByRole("spinbutton")).toHaveValue("8080");

  await row("ui.theme").getByRole("combobox").selectOption("dark");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await row("ui.language").getByRole("combobox").selectOption("zh");
  await expect(page.locator("html")).toHaveAttribute("lang", "zh-Hans");
  await expect(page.locator("h1")).toHaveText("设置");
});

test("attempts, hedging and the worth of a second are set by keyboard", async ({ page, show }) => {
  const server = await show({ at: "#/settings" });
  const row = (key: string) => page.locator(`[data-testid="setting"][data-key="${key}"]`);
  const set = (key: string) => server.configuration.settings.find((it) => it.key === key)?.value;

  const attempts = row("failover.max_attempts");
  await attempts.getByRole("combobox").focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await expect(attempts.getByTestId("saved")).toBeVisible();
  expect(set("failover.max_attempts")).toBe(4);

  const hedge = row("failover.hedge");
  await hedge.getByRole("combobox").focus();
  await page.keyboard.press("ArrowUp");
  await expect(hedge.getByTestId("saved")).toBeVisible();
  expect(set("failover.hedge")).toBe("off");

  const second = row("routing.second_usd");
  const slider = second.getByRole("slider");
  await slider.focus();
  await page.keyboard.press("ArrowRight");
  await expect(slider).toHaveAttribute("aria-valuetext", "$0.02 a second");
  await expect(second.getByRole("spinbutton")).toHaveValue("0.02");
  await expect(second.getByTestId("second-example")).toContainText("more than 25 s of waiting");
  await page.keyboard.press("Home");
  await expect(second.getByTestId("second-example")).toContainText("the cache always wins");
  await page.keyboard.press("Enter");
  await expect(second.getByTestId("saved")).toBeVisible();
  expect(set("routing.second_usd")).toBe(0);
});

test("the first run goes from nothing to a connected Claude Code", async ({ page, show }) => {
  await show({ state: "empty" });

  await page.getByTestId("first-url").fill("https://hk.example.com");
  await page.getByTestId("token").fill("sk-secret");
  await page.getByTestId("diagnose").click();
  await expect(page.getByTestId("diagnosis")).toContainText("First token");
  await page.getByTestId("first-save").click();
  await page.getByTestId("first-claude-code").click();
  await expect(page.getByTestId("first-claude-code")).toHaveAttribute("aria-checked", "true");
  await page.getByTestId("first-done").click();

  await expect(page.getByTestId("endpoint-row")).toHaveCount(1);
});

test("everything is done by keyboard alone", async ({ page, show }) => {
  const played = await show({ at: "#/endpoints", state: "healthy" });
  await settled(page);
  const tabTo = async (testid: string) => {
    for (let presses = 0; presses < 60; presses += 1) {
      await page.keyboard.press("Tab");
      const is = await page.evaluate(() => (document.activeElement as HTMLElement | null)?.dataset["testid"]);
      if (is === testid) return;
    }
    throw new Error(`the tab key does not reach ${testid}`);
  };

  await tabTo("grip");
  await page.keyboard.press("ArrowDown");
  await expect(page.getByTestId("said")).toContainText("2 of 3");
  await expect(page.locator('[data-testid="grip"][data-name="Tokyo"]')).toBeFocused();
  await tabTo("enabled");
  await page.keyboard.press("Space");
  await page.locator("body").press("Tab");
  await tabTo("nav-requests");
  await page.keyboard.press("Enter");
  await expect(page.locator('main[data-view="requests"]')).toBeFocused();
  await expect(page.getByTestId("request").first()).toBeVisible();
  await tabTo("request-list");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await expect(page.locator("#request-title")).toBeFocused();
  await expect(page.getByTestId("attempt").first()).toBeVisible();

  expect(played.commands.map(({ command }) => command)).toEqual(["move_endpoint", "disable"]);
});

test("every focus can be seen", async ({ page, show }) => {
  await show({ state: "healthy" });
  await settled(page);

  for (let presses = 0; presses < 12; presses += 1) {
    await page.keyboard.press("Tab");
    const outline = await page.evaluate(() => {
      const style = document.activeElement && getComputedStyle(document.activeElement);
      return style ? parseFloat(style.outlineWidth) * (style.outlineStyle === "none" ? 0 : 1) : 0;
    });
    expect(outline).toBeGreaterThanOrEqual(2);
  }
});

test("a server that restarts is found again", async ({ page, show }) => {
  const played = await show({ state: "healthy" });
  await expect(page.getByTestId("in-use")).toContainText("Tokyo");

  await played.stop();
  await expect(page.getByTestId("lost")).toBeVisible();
  await played.listen();
  played.change({ current: "Singapore" });

  await expect(page.getByTestId("in-use")).toContainText("Singapore");
  await expect(page.getByTestId("lost")).toBeHidden();
});

test("a browser signs in once, and the code stays nowhere", async ({ page, show }) => {
  const played = await show({ locked: true });
  await expect(page.getByTestId("sign-in")).toContainText("zephyr open");

  await page.goto(played.link());
  await expect(page.getByTestId("in-use")).toContainText("Tokyo");
  expect(page.url()).not.toContain("code");
  await page.reload();

  await expect(page.getByTestId("in-use")).toContainText("Tokyo");
});
