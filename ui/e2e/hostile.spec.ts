// What a browser can be made to do to the two ports: by a page of somebody else, and by an endpoint's page. Without
// ZEPHYR_TEST_PROGRAM there is nothing to attack.

import { chromium, test as base, type Page } from "@playwright/test";

import { reach, Site, WAYS, type Way } from "./hostile";
import { PROGRAM, Served } from "./served";
import { expect } from "./stage";

const test = base.extend<{ served: Served; elsewhere: Site }>({
  served: async ({}, use) => {
    const served = await Served.start();
    await use(served);
    await served.stop();
  },
  elsewhere: async ({}, use) => {
    const site = await Site.start();
    await use(site);
    await site.stop();
  },
});

test.skip(PROGRAM === undefined, "ZEPHYR_TEST_PROGRAM says which program to test");

/** Where a page would like to get. */
function targets(proxy: string, admin: string): string[] {
  const ofProxy = ["/v1/messages", "/v1/models", "/status", "/diagnostics", "/unknown"];
  const ofAdmin = ["/", "/api/v1/snapshot", "/api/v1/commands", "/api/v1/events", "/metrics"];
  return [...ofProxy.map((path) => `http://${proxy}${path}`), ...ofAdmin.map((path) => `http://${admin}${path}`)];
}

/** What only Zephyr and its endpoints say. */
const OURS = /Tokyo|Osaka|current_endpoint|zephyr_|snapshot/;

/** What the page can read there by each way at once. */
async function read(page: Page, url: (way: Way) => string): Promise<string[]> {
  const tries = WAYS.map(async (way) => `${way} ${url(way)}: ${await page.evaluate(reach, [way, url(way)] as const)}`);
  return (await Promise.all(tries)).filter((said) => !said.endsWith(": "));
}

/** What frames of the page show of ours. */
async function shown(page: Page): Promise<string[]> {
  const frames = page.frames().filter((frame) => frame !== page.mainFrame());
  const texts = frames.map((frame) => frame.evaluate(() => document.documentElement.textContent ?? "").catch(() => ""));
  return (await Promise.all(texts)).filter((text) => OURS.test(text));
}

for (const host of ["127.0.0.1", "localhost", "evil.localhost"]) {
  test(`a page at ${host} reaches nothing at either port, by whatever way`, async ({ page, served, elsewhere }) => {
    test.slow();
    const { proxy, admin } = await served.instance();
    const open = await Site.start();
    await page.goto(`http://${host}:${elsewhere.port}/`);

    const readable = await read(page, (way) => `${open.url}/${encodeURIComponent(way)}`);
    const found: string[] = [];
    for (const url of targets(proxy, admin)) {
      found.push(...(await read(page, () => url)), ...(await shown(page)));
      await page.reload();
    }

    // The ways lead somewhere where somebody lets them in. A worker of another origin never starts.
    for (const way of WAYS.filter((way) => way !== "worker")) expect.soft(open.asked.join(" "), way).toContain(encodeURIComponent(way));
    expect(readable.map((said) => said.split(" http")[0])).toEqual(["fetch", "fetch of JSON", "XMLHttpRequest"]);
    expect(found).toEqual([]);
    expect(served.tokyo.asked + served.osaka.asked).toBe(0);
    expect((await served.snapshot()).paused).toBe(false);
    await served.ask();
    expect(served.tokyo.asked).toBe(1);
    await open.stop();
  });
}

test("a name that was made to mean this machine reaches nothing", async ({ served }) => {
  const { proxy, admin } = await served.instance();
  const executablePath = process.env["ZEPHYR_CHROMIUM"] ?? "/usr/bin/chromium";
  const rules = "--host-resolver-rules=MAP rebound.example.com 127.0.0.1";
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", rules] });
  const page = await browser.newPage();

  for (const address of [proxy, admin]) {
    const port = address.split(":").at(-1);
    for (const path of ["/", "/status", "/diagnostics", "/v1/models", "/api/v1/snapshot"]) {
      const answer = await page.goto(`http://rebound.example.com:${port}${path}`);
      const said = await page.evaluate(async (path) => (await fetch(path, { method: "POST", body: "{}" })).status, path).catch(() => 403);

      expect(answer?.status(), `${address}${path}`).toBe(403);
      expect(said, `${address}${path}`).toBe(403);
      expect(await page.content()).not.toMatch(/Tokyo|current_endpoint/);
    }
  }
  expect(served.tokyo.asked).toBe(0);
  await browser.close();
});

test("an endpoint's page is not shown, runs nothing and leaves nothing behind", async ({ page, context, served }) => {
  const { proxy } = await served.instance();
  const port = proxy.split(":").at(-1);
  const script = "<script>document.title = 'it ran'; navigator.serviceWorker?.register('/sw.js')</script>";
  served.tokyo.answer = (response) => {
    response
      .writeHead(200, {
        "content-type": "text/html",
        "set-cookie": "endpoint=here",
        "service-worker-allowed": "/",
        "access-control-allow-origin": "*",
        "x-zephyr-why": "the endpoint says so",
        "content-security-policy": "script-src * 'unsafe-inline'",
      })
      .end(`<!doctype html><title>an endpoint</title>${script}`);
  };
  served.osaka.answer = served.tokyo.answer;

  for (const host of ["127.0.0.1", "localhost"]) {
    for (const path of ["/", "/v1/models", "/sw.js", "/v1/messages/anything", "/unknown"]) {
      const answer = await page.goto(`http://${host}:${port}${path}`);

      expect(answer?.status(), path).toBe(403);
      expect(await page.title(), path).not.toBe("it ran");
    }
  }
  expect(served.tokyo.asked + served.osaka.asked).toBe(0);

  // A program gets the answer. It says nothing to browsers, and nothing in our name.
  const answer = await fetch(`http://${proxy}/v1/anything`);
  expect(await answer.text()).toContain("an endpoint");
  for (const name of ["set-cookie", "service-worker-allowed", "access-control-allow-origin", "x-zephyr-why"]) {
    expect(answer.headers.get(name), name).toBeNull();
  }
  expect(answer.headers.get("content-security-policy")).toContain("sandbox");
  expect(await context.cookies()).toEqual([]);
});

test("a reserved page runs nothing, and its origin is nobody's", async ({ page, served }) => {
  const { proxy } = await served.instance();
  await page.goto(`http://${proxy}/status`);

  const origin = await page.evaluate(() => window.origin);
  const worker = await page.evaluate(() => (navigator.serviceWorker === undefined ? "none" : navigator.serviceWorker.register("/sw.js").then(() => "registered", () => "refused"))).catch(() => "none");

  expect(origin).toBe("null");
  expect(worker).not.toBe("registered");
  expect(await page.content()).toContain("current_endpoint");
});

test("the cookie of a browser that is signed in gets to no endpoint", async ({ page, context, served }) => {
  await page.goto(await served.link());
  await expect(page.getByTestId("in-use")).toContainText("Tokyo");
  const cookies = await context.cookies();
  const { proxy } = await served.instance();

  // Cookies know no ports, so a browser would send it to the proxy's port, too.
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
  expect(cookie).toContain("zephyr-session");
  await fetch(`http://${proxy}/v1/x`, { headers: { cookie } });

  expect(served.tokyo.asked).toBe(1);
  expect(served.tokyo.heard).not.toContain("zephyr-session");
});
