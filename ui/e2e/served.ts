// The real `zephyr serve`, over endpoints that answer as they are told.

import { execFile, spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import type { Page } from "@playwright/test";

import type { Command, RequestPage, Snapshot } from "../src/lib/generated/control";
import { Scripted } from "./scripted";

/** The program that is tested; what needs it is left out without one. */
export const PROGRAM = process.env["ZEPHYR_TEST_PROGRAM"];

const SEED = fileURLToPath(new URL("seed.sql", import.meta.url));

const run = promisify(execFile);

/** How it differs from the usual configuration. */
export interface Configured {
  endpoints?: "both" | "nothing";
  /** Web pages that may call the proxy. */
  allowedOrigins?: string[];
  /** The client's own credential goes to the endpoints. */
  withoutToken?: boolean;
}

export class Served {
  #process: ChildProcess | undefined;

  private constructor(
    private readonly folder: string,
    readonly tokyo: Scripted,
    readonly osaka: Scripted,
  ) {}

  /** Starts with Tokyo and Osaka, in this order; with nothing configured, there is no endpoint. */
  static async start({ endpoints = "both", allowedOrigins = [], withoutToken = false }: Configured = {}): Promise<Served> {
    const folder = await mkdtemp(join(tmpdir(), "zephyr-e2e-"));
    const served = new Served(folder, await Scripted.start(), await Scripted.start());
    const settings = served.#settings(allowedOrigins);
    await writeFile(served.configPath, endpoints === "both" ? settings + served.#endpoints(withoutToken) : settings);
    await served.serve();
    return served;
  }

  get configPath(): string {
    return join(this.folder, "config.toml");
  }

  readonly config = () => readFile(this.configPath, "utf8");

  async serve() {
    const child = spawn(PROGRAM ?? "", ["--config", this.configPath, "serve"], { env: this.#environment(), stdio: ["ignore", "pipe", "pipe"] });
    this.#process = child;
    await new Promise<void>((ready, failed) => {
      let said = "";
      const read = (piece: Buffer) => {
        said += piece.toString();
        if (said.includes("Configured:")) ready();
      };
      child.stdout.on("data", read);
      child.stderr.on("data", read);
      child.once("exit", () => failed(new Error(`zephyr ended: ${said}`)));
    });
  }

  /** Ends the program, and starts it again where the same page finds it. */
  async restart(meanwhile: () => Promise<void>) {
    const { admin } = await this.instance();
    const port = admin.split(":").at(-1);
    await this.end();
    const config = await this.config();
    await writeFile(this.configPath, config.replace("[web_admin]\nport = 0", `[web_admin]\nport = ${port}`));
    await meanwhile();
    await this.serve();
  }

  /** The address that signs a browser in. */
  async link(): Promise<string> {
    const { stdout } = await this.#zephyr("open", "--print");
    const link = /http:\/\/\S+#code=\S+/.exec(stdout)?.[0];
    if (link === undefined) throw new Error(`no address in: ${stdout}`);
    return link;
  }

  /** Says yes in the terminal to what the page waits for. */
  async confirm(page: Page) {
    const dialog = page.getByTestId("needs-confirmation");
    const number = /zephyr confirm (\d{4})/.exec((await dialog.textContent()) ?? "")?.[1];
    if (number === undefined) throw new Error("the page waits for nothing");
    await this.#zephyr("confirm", number, "--yes");
    await dialog.waitFor({ state: "hidden" });
  }

  /** Asks for a message, as a client does. */
  async ask(content = "hello"): Promise<string> {
    const { proxy } = await this.instance();
    const answer = await fetch(`http://${proxy}/v1/messages`, {
      method: "POST",
      headers: { "content-type": "application/json", "anthropic-version": "2023-06-01" },
      body: JSON.stringify({ model: "claude-sonnet-4-5", max_tokens: 16, stream: true, messages: [{ role: "user", content }] }),
    });
    return answer.text();
  }

  /** The state, as a program sees it that knows the token. */
  async snapshot(): Promise<Snapshot> {
    return (await (await this.#admin("snapshot")).json()) as Snapshot;
  }

  /** Steers it, as a program that knows the token. */
  async command(command: Command) {
    const answer = await this.#admin("commands", JSON.stringify(command));
    if (!answer.ok) throw new Error(await answer.text());
  }

  /** Waits until so many requests are in the journal, which is written a moment after they end. */
  async recorded(count: number) {
    for (let newest = 0; newest < count; ) {
      const { requests } = (await (await this.#admin("requests?limit=1")).json()) as RequestPage;
      newest = requests[0]?.id ?? 0;
    }
  }

  /** Repeats what is in the journal until there are so many. The program must not be running. */
  async seed(count: number) {
    const insert = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(open(sys.argv[2]).read().replace(':count', sys.argv[3]))";
    await run("python3", ["-c", insert, this.#data("journal.db"), SEED, String(count)]);
  }

  async end() {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((done) => child.once("exit", done));
    child.kill("SIGTERM");
    await ended;
  }

  async stop() {
    await this.end();
    await this.tokyo.stop();
    await this.osaka.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  readonly #data = (file: string) => join(this.folder, "data", "zephyr", file);

  readonly #zephyr = (...command: string[]) => run(PROGRAM ?? "", ["--config", this.configPath, ...command], { env: this.#environment() });

  /** Where the program listens, as it wrote down before it said that it had started. */
  async instance(): Promise<{ proxy: string; admin: string }> {
    return JSON.parse(await readFile(this.#data("instance.json"), "utf8")) as { proxy: string; admin: string };
  }

  async #admin(path: string, body?: string): Promise<Response> {
    const { admin } = await this.instance();
    const token = await readFile(this.#data("admin-token"), "utf8");
    const headers = { authorization: `Bearer ${token.trim()}`, "content-type": "application/json" };
    return fetch(`http://${admin}/api/v1/${path}`, body === undefined ? { headers } : { method: "POST", headers, body });
  }

  /** Without a session bus there is no keychain. */
  #environment(): NodeJS.ProcessEnv {
    const { PATH } = process.env;
    const folder = this.folder;
    return { PATH, HOME: folder, XDG_DATA_HOME: join(folder, "data"), XDG_CONFIG_HOME: folder, XDG_RUNTIME_DIR: folder, ZEPHYR_E2E_TOKEN: "sk-e2e" };
  }

  #settings(allowedOrigins: string[]): string {
    return `# A comment of mine.
[server]
port = 0 # any
allowed_origins = ${JSON.stringify(allowedOrigins)}

[web_admin]
port = 0

[health_check]
mode = "off"

[logging]
log_request_body = "full"
log_response_body = "full"
`;
  }

  #endpoints(withoutToken: boolean): string {
    return `
[[groups]]
name = "primary"
default = true
${withoutToken ? 'auth_type = "passthrough"' : 'auth_token_env = "ZEPHYR_E2E_TOKEN"'}
endpoints = [
  { name = "Tokyo", url = "${this.tokyo.url}" },
  { name = "Osaka", url = "${this.osaka.url}", priority = 2 },
]
`;
  }
}
