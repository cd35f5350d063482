// An admin server that is played: the page from dist/, the admin API over recorded data. What a command
// changes comes back as the next snapshot, as an engine would have it.

import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

import type {
  Command,
  Complaint,
  Configuration,
  EndpointForm,
  HistoryQuery,
  OverallStatus,
  Paging,
  RequestFilter,
  Snapshot,
  UsageQuery,
} from "../src/lib/generated/control";
import { configuration, Recorded } from "../tests/journal";
import { endpoint, takenAt } from "../tests/snapshots";

const DIST = fileURLToPath(new URL("../dist/", import.meta.url));

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};

/** The strict policy that the page has to live with. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const CODE = "one-time";

export interface Scene {
  snapshot: Snapshot;
  requests?: number;
  /** Whether a browser has to sign in. */
  locked?: boolean;
}

export class Played {
  readonly commands: Command[] = [];
  snapshot: Snapshot;
  configuration: Configuration = configuration();
  recorded: Recorded;
  /** The address that signs in. */
  readonly link = () => `${this.url}#code=${CODE}`;

  #server: Server | undefined;
  #port = 0;
  #listeners = new Set<ServerResponse>();
  #locked: boolean;
  #seq = 1_000;

  private constructor(scene: Scene) {
    this.snapshot = takenAt(Date.now(), scene.snapshot);
    if (this.snapshot.endpoints.length === 0) this.configuration.endpoints = [];
    this.recorded = new Recorded(scene.requests ?? 100_000, Date.now() - 5_000);
    this.#locked = scene.locked ?? false;
  }

  static async start(scene: Scene): Promise<Played> {
    const played = new Played(scene);
    await played.listen();
    return played;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  async listen() {
    const server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        response.writeHead(500).end(JSON.stringify({ code: "internal", message: String(error) }));
      });
    });
    this.#server = server;
    await new Promise<void>((listening) => server.listen(this.#port, "127.0.0.1", listening));
    this.#port = (server.address() as AddressInfo).port;
  }

  async stop() {
    for (const listener of this.#listeners) listener.destroy();
    this.#listeners.clear();
    this.#server?.closeAllConnections();
    await new Promise((closed) => this.#server?.close(closed));
  }

  change(fields: Partial<Snapshot>) {
    const { paused = this.snapshot.paused, current: endpoint = this.snapshot.current } = fields;
    const isChosen = endpoint !== null && (fields.current !== undefined || fields.paused !== undefined);
    // What an engine would say of the endpoint that is chosen.
    const status: OverallStatus = isChosen
      ? { overall: paused ? "paused" : "well", headline: { headline: "in_use", endpoint }, about: { about: "endpoint", endpoint } }
      : this.snapshot.status;
    this.snapshot = { ...this.snapshot, status, ...fields, taken_at_ms: Date.now() };
    for (const listener of this.#listeners) this.#tell(listener);
  }

  /** Requests end, and are in the journal. */
  finish(count: number) {
    this.recorded.count += count;
    const { totals } = this.snapshot;
    this.change({ totals: { ...totals, requests: totals.requests + count } });
  }

  async #answer(request: IncomingMessage, response: ServerResponse) {
    const url = new URL(request.url ?? "/", this.url);
    const path = /^\/api\/v1\/(.*)$/.exec(url.pathname)?.[1];
    if (path === undefined) return this.#page(url.pathname, response);
    const say = (body: unknown, status = 200, headers = {}) =>
      response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
    if (path === "session" && request.method === "POST") {
      const { code } = JSON.parse(await bodyOf(request)) as { code: string };
      if (code !== CODE) return say({ code: "unauthorized", message: "that code is used or too old" }, 401);
      return say({}, 200, { "set-cookie": "zephyr=session; HttpOnly; SameSite=Strict; Path=/" });
    }
    const isKnown = request.headers.cookie?.includes("zephyr=session") ?? false;
    if (this.#locked && !isKnown) return say({ code: "unauthorized", message: "sign in with `zephyr open`" }, 401);

    const said = url.searchParams;
    if (path === "snapshot") return say(this.snapshot);
    if (path === "events") return this.#follow(response);
    if (path === "requests") return say(this.recorded.page(filterOf(said), pagingOf(said)));
    if (path === "requests/export") {
      const page = this.recorded.page(filterOf(said), { before: null, after: null, limit: 1_000 });
      response.writeHead(200, {
        "content-type": "application/octet-stream",
        "content-disposition": `attachment; filename="zephyr-requests.${said.get("format")}"`,
      });
      return response.end(page.requests.map((record) => `${JSON.stringify(record)}\n`).join(""));
    }
    const id = /^requests\/(\d+)$/.exec(path)?.[1];
    if (id !== undefined) {
      const isThere = Number(id) >= 1 && Number(id) <= this.recorded.count;
      if (!isThere) return say({ code: "bad_request", message: `request ${id} is not in the journal` }, 400);
      return say(this.recorded.detail(Number(id)));
    }
    if (path === "usage") return say(this.recorded.usage(usageOf(said)));
    if (path === "history") return say(this.recorded.history(historyOf(said)));
    if (path === "configuration") return say(this.configuration);
    if (path === "check") return say(this.#check(JSON.parse(await bodyOf(request)) as Command));
    if (path === "diagnose") return say({ steps: STEPS, cost_usd: 0.000015 });
    if (path === "commands") {
      const command = JSON.parse(await bodyOf(request)) as Command;
      const wrong = this.#check(command).find(({ is_warning }) => !is_warning);
      if (wrong) return say({ code: "invalid_configuration", message: wrong.message }, 400);
      this.commands.push(command);
      this.#execute(command);
      return say({ message: "done" });
    }
    return say({ code: "bad_request", message: `no ${path} here` }, 404);
  }

  async #page(path: string, response: ServerResponse) {
    const file = normalize(path === "/" ? "/index.html" : path);
    try {
      const content = await readFile(join(DIST, file));
      const type = TYPES[extname(file)] ?? "application/octet-stream";
      response.writeHead(200, { "content-type": type, "content-security-policy": POLICY }).end(content);
    } catch {
      response.writeHead(404).end();
    }
  }

  #follow(response: ServerResponse) {
    response.writeHead(200, { "content-type": "text/event-stream" });
    this.#listeners.add(response);
    response.on("close", () => this.#listeners.delete(response));
    this.#tell(response);
  }

  #tell(response: ServerResponse) {
    response.write(`event: snapshot\ndata: ${JSON.stringify(this.snapshot)}\n\n`);
  }

  #check(command: Command): Complaint[] {
    const wrong = (field: string, message: string): Complaint => ({ field, message, is_warning: false });
    switch (command.command) {
      case "add_endpoint":
      case "edit_endpoint": {
        const { url, name } = command.endpoint;
        const before = command.command === "edit_endpoint" ? command.name : undefined;
        const complaints: Complaint[] = [];
        if (!/^https?:\/\/./.test(url)) complaints.push(wrong("url", "it has to begin with http:// or https://"));
        const isTaken = this.configuration.endpoints.some((it) => it.name === name && name !== before);
        if (isTaken) complaints.push(wrong("name", `there is another endpoint called ${name}`));
        return complaints;
      }
      case "set": {
        const setting = this.configuration.settings.find(({ key }) => key === command.key);
        if (!setting || command.value === null) return [];
        const { kind } = setting;
        if (kind.kind !== "number" && kind.kind !== "choice_or_number") return [];
        if (kind.kind === "choice_or_number" && kind.options.includes(String(command.value))) return [];
        const { min, max } = kind;
        const isRight = typeof command.value === "number" && command.value >= min && command.value <= max;
        return isRight ? [] : [wrong(command.key, `write a number from ${min} to ${max}`)];
      }
      default:
        return [];
    }
  }

  #execute(command: Command) {
    const { snapshot, configuration: written } = this;
    const place = (name: string) => written.endpoints.findIndex((it) => it.name === name);
    switch (command.command) {
      case "use":
        return this.change({ mode: { mode: "manual", endpoint: command.endpoint }, current: command.endpoint });
      case "auto":
        return this.change({ mode: { mode: "auto" } });
      case "pause":
      case "resume":
        return this.change({ paused: command.command === "pause" });
      case "enable":
      case "disable": {
        const enabled = command.command === "enable";
        const state = enabled ? "ready" : "draining";
        return this.change({
          endpoints: snapshot.endpoints.map((it) => (it.name === command.endpoint ? { ...it, enabled, state } : it)),
        });
      }
      case "add_endpoint":
        written.endpoints.push(command.endpoint);
        return this.#reload();
      case "edit_endpoint":
        written.endpoints[place(command.name)] = command.endpoint;
        return this.#reload();
      case "move_endpoint": {
        const [moved] = written.endpoints.splice(place(command.name), 1);
        if (moved) written.endpoints.splice(command.to, 0, moved);
        return this.#reload();
      }
      case "remove_endpoint":
        written.endpoints.splice(place(command.name), 1);
        return this.#reload();
      case "set": {
        written.settings = written.settings.map((it) =>
          it.key === command.key ? { ...it, value: command.value } : it,
        );
        const { language, theme } = snapshot.appearance;
        if (command.key === "ui.theme") {
          const chosen = (command.value ?? "auto") as typeof theme;
          this.change({ appearance: { language, theme: chosen } });
        }
        if (command.key === "ui.language") {
          const chosen = (command.value ?? "auto") as typeof language;
          this.change({ appearance: { language: chosen, theme } });
        }
        return this.#reload();
      }
      case "connect_claude_code":
      case "disconnect_claude_code": {
        const claude_code = command.command === "connect_claude_code" ? "connected" : "disconnected";
        return this.change({ host: { ...snapshot.host, claude_code } });
      }
      case "launch_at_login":
        return this.change({ host: { ...snapshot.host, launch_at_login: command.enabled } });
      default:
        return;
    }
  }

  /** The endpoints as the file has them, each as it was. */
  #reload() {
    this.#seq += 1;
    const known = new Map(this.snapshot.endpoints.map((it) => [it.name, it]));
    const view = (form: EndpointForm) => ({
      ...(known.get(form.name) ?? endpoint(form.name)),
      group: form.group,
      flag: form.flag,
    });
    this.change({
      endpoints: this.configuration.endpoints.map(view),
      events: [...this.snapshot.events, { seq: this.#seq, at_ms: Date.now(), event: "config_reloaded" }],
    });
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const piece of request) body += String(piece);
  return body;
}

const numeric = (value: string | null) => (value === null ? null : Number(value));

function filterOf(said: URLSearchParams): RequestFilter {
  return {
    since_ms: numeric(said.get("since_ms")),
    until_ms: numeric(said.get("until_ms")),
    endpoint: said.get("endpoint"),
    model: said.get("model"),
    session: said.get("session"),
    status: numeric(said.get("status")),
    failed: said.get("failed") === "true",
    text: said.get("text"),
  };
}

function pagingOf(said: URLSearchParams): Paging {
  return {
    before: numeric(said.get("before")),
    after: numeric(said.get("after")),
    limit: numeric(said.get("limit")),
  };
}

function usageOf(said: URLSearchParams): UsageQuery {
  return {
    since_ms: numeric(said.get("since_ms")),
    until_ms: numeric(said.get("until_ms")),
    by: (said.get("by") ?? "day") as UsageQuery["by"],
    split: said.get("split") as UsageQuery["split"],
  };
}

function historyOf(said: URLSearchParams): HistoryQuery {
  return {
    since_ms: numeric(said.get("since_ms")),
    until_ms: numeric(said.get("until_ms")),
    endpoint: said.get("endpoint"),
  };
}

const STEPS = [
  { stage: "dns", passed: true, took_ms: 4.2, detail: "203.0.113.7", remedy: null },
  { stage: "tcp", passed: true, took_ms: 31, detail: "port 443", remedy: null },
  { stage: "tls", passed: true, took_ms: 44, detail: "issued by Example CA, valid for 61 days", remedy: null },
  { stage: "auth", passed: true, took_ms: 120, detail: "the token is taken", remedy: null },
  { stage: "model", passed: true, took_ms: 88, detail: "claude-haiku-4-5", remedy: null },
  { stage: "first_token", passed: true, took_ms: 412, detail: "an answer began", remedy: null },
];
