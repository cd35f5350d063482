// The real `zephyr serve`, over an endpoint that answers as it is told.

import { execFile, spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { STREAM } from "../tests/journal";

/** The program that is tested; what needs it is left out without one. */
export const PROGRAM = process.env["ZEPHYR_TEST_PROGRAM"];

const run = promisify(execFile);

export class Served {
  #process: ChildProcess | undefined;

  private constructor(
    private readonly folder: string,
    private readonly endpoint: Server,
  ) {}

  static async start(): Promise<Served> {
    const folder = await mkdtemp(join(tmpdir(), "zephyr-e2e-"));
    const endpoint = createServer((request, response) => {
      request.resume();
      request.on("end", () => {
        response.writeHead(200, { "content-type": "text/event-stream" }).end(STREAM);
      });
    });
    await new Promise<void>((listening) => endpoint.listen(0, "127.0.0.1", listening));
    const served = new Served(folder, endpoint);
    await writeFile(served.configPath, served.#configuration());
    await served.serve();
    return served;
  }

  get configPath(): string {
    return join(this.folder, "config.toml");
  }

  /** Where the scripted endpoint listens. */
  get endpointUrl(): string {
    return `http://127.0.0.1:${(this.endpoint.address() as AddressInfo).port}`;
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

  /** The address that signs a browser in. */
  async link(): Promise<string> {
    const { stdout } = await run(PROGRAM ?? "", ["--config", this.configPath, "open"], { env: this.#environment() });
    const link = /http:\/\/\S+#code=\S+/.exec(stdout)?.[0];
    if (link === undefined) throw new Error(`no address in: ${stdout}`);
    return link;
  }

  /** Asks for a message, as a client does. */
  async ask(): Promise<string> {
    const { proxy } = await this.#instance();
    const answer = await fetch(`http://${proxy}/v1/messages`, {
      method: "POST",
      headers: { "content-type": "application/json", "anthropic-version": "2023-06-01" },
      body: JSON.stringify({ model: "claude-sonnet-4-5", max_tokens: 16, stream: true, messages: [{ role: "user", content: "hello" }] }),
    });
    return answer.text();
  }

  async end() {
    const child = this.#process;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((done) => child.once("exit", done));
    child.kill("SIGTERM");
    await ended;
  }

  async stop() {
    await this.end();
    this.endpoint.closeAllConnections();
    await new Promise((closed) => this.endpoint.close(closed));
    await rm(this.folder, { recursive: true, force: true });
  }

  async #instance(): Promise<{ proxy: string; admin: string }> {
    const { stdout } = await run(PROGRAM ?? "", ["--config", this.configPath, "status", "--json"], { env: this.#environment() });
    return (JSON.parse(stdout) as { listening: { proxy: string; admin: string } }).listening;
  }

  #environment(): NodeJS.ProcessEnv {
    const { PATH } = process.env;
    const folder = this.folder;
    return { PATH, HOME: folder, XDG_DATA_HOME: join(folder, "data"), XDG_CONFIG_HOME: folder, XDG_RUNTIME_DIR: folder, ZEPHYR_E2E_TOKEN: "sk-e2e" };
  }

  #configuration(): string {
    return `# A comment of mine.
[server]
port = 0 # any

[web_admin]
port = 0

[health_check]
mode = "off"

[logging]
log_request_body = "full"
log_response_body = "full"

[[groups]]
name = "primary"
default = true
auth_token_env = "ZEPHYR_E2E_TOKEN"
endpoints = [
  { name = "Tokyo", url = "${this.endpointUrl}" },
  { name = "Osaka", url = "${this.endpointUrl}", priority = 2 },
]
`;
  }
}
