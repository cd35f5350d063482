// Pages that mean ill, in a browser that is signed in, before both ports of the real program. Each tries every way
// of `ways.ts` on every target. A server that forbids nothing is tried the same way, so that it is known that the
// browser does all this.

import { type BrowserContext, type Page, test as base } from "@playwright/test";

import type { Command } from "../src/lib/generated/control";
import { Scripted } from "./scripted";
import { PROGRAM, Served } from "./served";
import { expect } from "./stage";
import { type Attempt, MARK, STAGE, stage, tempting, way, type WayName, wayNames } from "./ways";

/** What a target's port is for. */
type Port = "proxy" | "admin" | "open";

const TARGETS: Record<Port, string[]> = {
  proxy: ["/v1/messages", "/status", "/diagnostics", "/any"],
  admin: ["/", "/api/v1/snapshot", "/api/v1/events", "/api/v1/commands", "/metrics"],
  // Forbids nothing.
  open: ["/any"],
};

const RESERVED = ["/status", "/diagnostics"];

/** What only Zephyr says to those who may know it, and what only an endpoint says. */
const OURS = new RegExp(`${MARK}|Tokyo|Osaka|current_endpoint|zephyr_|<title>Zephyr`);

/** What an endpoint says to browsers, or in our name. */
const PLANTED = /^(set-cookie|service-worker-allowed|clear-site-data|access-control-.*|x-zephyr-planted)$/;

const COMMAND: Command = { command: "pause" };

/** Where a page comes from. */
interface Origin {
  /** Where it is, and where from there the target is. `own`: the address of a server of the page's owner. */
  at: (own: string, target: number) => { page: string; target: string };
  /** The target's address is the page's own origin. */
  isTargets?: true;
  /** For browsers, what is on loopback. Only there are service workers, and `Sec-Fetch-*`. */
  isTrustworthy?: true;
  /** The port whose own pages have this origin. */
  ours?: Port;
}

const beside = (host: string, path = "/"): Origin["at"] => (own, target) => ({
  page: `http://${host}:${new URL(own).port}${path}`,
  target: `http://127.0.0.1:${target}`,
});

/** The page came from a server of its owner's when its name still led there. Now it leads to the target. */
const before = (host: string): Origin["at"] => (_, target) => ({
  page: `http://${host}:${target}/page`,
  target: `http://${host}:${target}`,
});

const ORIGINS: Record<string, Origin> = {
  "another port": { at: beside("127.0.0.1") },
  "another port of localhost": { at: beside("localhost") },
  "a name under localhost": { at: beside("evil.localhost") },
  "nowhere, as it is sandboxed": { at: beside("127.0.0.1", "/sandboxed") },
  "a name that is rebound": { at: before("rebound.example"), isTargets: true },
  "a name under localhost that is rebound": { at: before("evil.localhost"), isTargets: true, isTrustworthy: true },
  // As if an endpoint's page had been shown.
  "the proxy itself": { at: before("127.0.0.1"), isTargets: true, isTrustworthy: true, ours: "proxy" },
  "the proxy itself, as localhost": { at: before("localhost"), isTargets: true, isTrustworthy: true, ours: "proxy" },
};

interface Stage {
  served: Served;
  /** A server that forbids nothing. */
  open: Scripted;
  /** Where the hostile page comes from. */
  own: Scripted;
}

const scripted = async (answer: Scripted["answer"]) => Object.assign(await Scripted.start(), { answer });

const test = base.extend<Stage>({
  launchOptions: [
    async ({ launchOptions }, use) => {
      // Chromium does not know from which address a page came that a test has put there, and would keep it from
      // loopback by itself. Other browsers do not. This list replaces Playwright's own.
      const features = ["LocalNetworkAccessChecks", "LocalNetworkAccessChecksWebSockets", "HttpsUpgrades", "HttpsFirstBalancedModeAutoEnable"];
      const args = [`--disable-features=${features.join(",")}`, "--host-resolver-rules=MAP rebound.example 127.0.0.1"];
      await use({ ...launchOptions, args: [...(launchOptions?.args ?? []), ...args] });
    },
    { scope: "worker" },
  ],
  served: async ({}, use) => {
    const served = await Served.start();
    for (const endpoint of [served.tokyo, served.osaka]) endpoint.answer = tempting;
    await use(served);
    await served.stop();
  },
  open: async ({}, use) => {
    const open = await scripted(tempting);
    await use(open);
    await open.stop();
  },
  own: async ({}, use) => {
    const own = await scripted(stage);
    await use(own);
    await own.stop();
  },
});

// Each try is an action of its own: tracing all of them takes longer than they do.
test.use({ trace: "off" });

test.skip(PROGRAM === undefined, "ZEPHYR_TEST_PROGRAM says which program to test");

/** The requests of a browser, by their addresses. */
class Traffic {
  readonly #statuses = new Map<string, number>();
  readonly #ends = new Map<string, Ending>();

  constructor(context: BrowserContext) {
    context.on("response", (answer) => this.#statuses.set(answer.url(), answer.status()));
    context.on("requestfinished", (request) => this.#end(request.url()).come());
    context.on("requestfailed", (request) => this.#end(request.url()).come());
  }

  /** The status of the answer, once it is there; `undefined` if the browser let none come. */
  async status(url: string): Promise<number | undefined> {
    await this.#end(url).hasCome;
    return this.#statuses.get(url);
  }

  #end(url: string): Ending {
    const end = this.#ends.get(url) ?? new Ending();
    this.#ends.set(url, end);
    return end;
  }
}

class Ending {
  come: () => void = () => undefined;
  readonly hasCome = new Promise<void>((come) => {
    this.come = come;
  });
}

/** What came of trying one way on one target. */
interface Cell {
  way: WayName;
  learnt: string;
  status: number | undefined;
}

/** Tries every way on the target, all at once. */
async function attack(page: Page, traffic: Traffic, target: string): Promise<Cell[]> {
  await page.bringToFront(); // Only such a page may open windows.
  const attempts = wayNames.map(async (name): Promise<Cell> => {
    const { attempt, unseen } = way(name);
    const { href } = new URL(`?${new URLSearchParams({ way: name }).toString()}`, target);
    const learnt = await page.evaluate(
      ([attempt, href, body]) => (0, eval)(`(${attempt})`)(href, body) as ReturnType<Attempt>,
      [String(attempt), href, JSON.stringify(COMMAND)] as const,
    );
    const isSeen = learnt !== null && !unseen;
    return { way: name, learnt: learnt ?? "", status: isSeen ? await traffic.status(href) : undefined };
  });
  return Promise.all(attempts);
}

/** Opens the page. What is not the page's own server has it put there by the test: its name led elsewhere. */
async function opened(context: BrowserContext, origin: Origin, address: string): Promise<Page> {
  const page = await context.newPage();
  if (origin.isTargets) await page.route(address, (route) => route.fulfill({ contentType: "text/html", body: STAGE }));
  await page.goto(address);
  await page.unrouteAll();
  return page;
}

/** Closes the windows that the page has opened. */
async function alone(context: BrowserContext, page: Page, admin: Page) {
  const opened = context.pages().filter((other) => other !== page && other !== admin);
  await Promise.all(opened.map((window) => window.close()));
}

async function ports(served: Served, open: Scripted): Promise<Record<Port, number>> {
  const { proxy, admin } = await served.instance();
  const port = (address: string) => Number(address.split(":").at(-1));
  return { proxy: port(proxy), admin: port(admin), open: open.port };
}

/** Signs the browser in, so that there is something to borrow. */
async function signedIn(context: BrowserContext, served: Served): Promise<Page> {
  const admin = await context.newPage();
  await admin.goto(await served.link());
  await expect(admin.getByTestId("in-use")).toContainText("Tokyo");
  return admin;
}

/** Whether the way leads somewhere, and its page learns what it can, where nothing is forbidden. */
function isOpen(cell: Cell, arrived: boolean, origin: Origin): boolean {
  const { learns, ownOriginOnly } = way(cell.way);
  const needed = { any: origin.isTargets, trustworthy: origin.isTrustworthy };
  const may = ownOriginOnly === undefined || needed[ownOriginOnly] === true;
  return arrived === may && (cell.learnt !== "" || !may || !learns);
}

/** Whether the target refused, or the browser let nothing come, and the page learnt nothing of it. Only a page of the
    target's own origin can read the refusal. */
function isRefused({ status, learnt }: Cell, origin: Origin): boolean {
  const isRefusal = learnt === "" || (origin.isTargets === true && learnt.startsWith("403 ") && !OURS.test(learnt));
  return isRefusal && (status === undefined || status === 403);
}

const told = ({ way, status, learnt }: Cell) => `${way}: ${status ?? "no status"} ${learnt}`;

for (const [name, origin] of Object.entries(ORIGINS)) {
  test(`a page from ${name} reaches nothing`, async ({ context, served, open, own }) => {
    const admin = await signedIn(context, served);
    const traffic = new Traffic(context);
    const config = await served.config();
    const wrong: string[] = [];

    for (const [port, number] of Object.entries(await ports(served, open)) as [Port, number][]) {
      if (origin.ours && port === "admin") continue; // There it is any other port.
      const { page: address, target } = origin.at(own.url, number);
      const page = await opened(context, origin, address);
      const framed: string[] = [];
      page.on("framenavigated", (frame) => {
        if (frame !== page.mainFrame() && frame.url().startsWith("http")) framed.push(frame.url());
      });
      for (const path of TARGETS[port]) {
        const cells = await attack(page, traffic, target + path);
        await alone(context, page, admin);
        if (port === "open") {
          const arrived = new Set(open.seen.map((seen) => new URL(seen.path, target).searchParams.get("way")));
          wrong.push(...cells.filter((cell) => !isOpen(cell, arrived.has(cell.way), origin)).map((cell) => `open: ${told(cell)}`));
          continue;
        }
        // Only the proxy's own pages could read what it says to everybody.
        const mayRead = origin.ours === port && RESERVED.includes(path);
        const bad = cells.filter((cell) => !mayRead && !isRefused(cell, origin));
        wrong.push(...bad.map((cell) => `${port} ${path}: ${told(cell)}`));
      }
      await page.close();
      const isShown = framed.length > 0;
      if (isShown !== (port === "open")) wrong.push(`${port}: frames show ${framed.join(", ") || "nothing"}`);
    }

    expect(wrong).toEqual([]);
    expect(served.tokyo.seen.concat(served.osaka.seen)).toEqual([]);
    expect((await served.snapshot()).paused).toBe(false);
    expect(await served.config()).toBe(config);
    // What was tried would have had an effect.
    await served.command(COMMAND);
    expect((await served.snapshot()).paused).toBe(true);
  });
}

test("an endpoint's page is not shown, runs nothing and leaves nothing behind", async ({ context, served }) => {
  const admin = await signedIn(context, served);
  const cookies = await context.cookies();
  const { proxy } = await ports(served, served.tokyo);
  const wrong: string[] = [];

  for (const host of ["127.0.0.1", "localhost", "[::1]", "evil.localhost", "rebound.example"]) {
    const page = await context.newPage();
    // The browser sends the cookie of the admin port to the last two: cookies know no ports.
    for (const path of ["/", "/index.html", "/sw.js", "/v1/models", "/v1/messages", "/api/v1/snapshot", "/api/v1/any"]) {
      // Nobody listens at [::1].
      const answer = await page.goto(`http://${host}:${proxy}${path}`).catch(() => null);
      const refused = host === "[::1]" ? answer === null : answer?.status() === 403;
      const content = (await answer?.text()) ?? "";
      if (!refused || OURS.test(content)) wrong.push(`${host} ${path}: ${answer?.status() ?? "nothing"} ${content}`);
    }
  }

  expect(wrong).toEqual([]);
  expect(served.tokyo.seen.concat(served.osaka.seen)).toEqual([]);
  expect(context.serviceWorkers()).toEqual([]);
  expect(await context.cookies()).toEqual(cookies);
  // The same is there for programs, without what is for browsers only, and without what only Zephyr says.
  const answer = await fetch(`http://127.0.0.1:${proxy}/index.html`);
  expect(await answer.text()).toContain(MARK);
  const told = [...answer.headers].filter(([name, value]) => value.includes(MARK) || PLANTED.test(name));
  expect(told).toEqual([]);
  await admin.reload();
  await expect(admin.getByTestId("in-use")).toContainText("Tokyo");
});

for (const path of ["/status", "/diagnostics", "/health"]) {
  test(`${path} runs nothing, and its origin is nobody's`, async ({ page, context, served }) => {
    const { proxy } = await ports(served, served.tokyo);
    await page.goto(`http://127.0.0.1:${proxy}${path}`);

    const done = await page.evaluate(async () => {
      const script = Object.assign(document.createElement("script"), { textContent: "globalThis.ran = true" });
      document.documentElement.append(script);
      const failing = async (attempt: () => Promise<unknown>) => attempt().then(() => "done", () => "refused");
      return {
        origin: window.origin,
        ran: "ran" in globalThis,
        worker: await failing(async () => navigator.serviceWorker.register("/sw.js")),
        read: await failing(() => fetch("/v1/models")),
      };
    });

    expect(done).toEqual({ origin: "null", ran: false, worker: "refused", read: "refused" });
    expect(served.tokyo.seen.concat(served.osaka.seen)).toEqual([]);
    expect(context.serviceWorkers()).toEqual([]);
  });
}

for (const withoutToken of [false, true]) {
  const whose = withoutToken ? "the page's own credential" : "our credential";
  test(`an allowed page reads its answer, and nothing else passes, with ${whose}`, async ({ context, own }) => {
    const served = await Served.start({ allowedOrigins: [own.url], withoutToken });
    served.tokyo.answer = tempting;
    const admin = await signedIn(context, served);
    const cookies = await context.cookies();
    const { proxy } = await ports(served, served.tokyo);
    const page = await context.newPage();
    await page.goto(own.url);

    const read = await page.evaluate(async (url) => {
      const answer = await fetch(url, { method: "POST", credentials: "include", body: "{}" });
      return { text: await answer.text(), headers: [...answer.headers].map((header) => header.join(": ")) };
    }, `http://127.0.0.1:${proxy}/api/v1/any`);

    expect(cookies.map(({ path }) => path)).toEqual(["/api/v1"]);
    expect(read.text).toContain(MARK);
    expect(read.headers.join("\n")).not.toContain(MARK);
    expect(served.tokyo.seen.map(({ path, headers }) => [path, headers.cookie])).toEqual([["/api/v1/any", undefined]]);
    expect(await context.cookies()).toEqual(cookies);
    await admin.reload();
    await expect(admin.getByTestId("in-use")).toContainText("Tokyo");
    await served.stop();
  });
}
