// A site of somebody else: its pages try to reach the ports of the user's machine.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What an open page of this site calls by its name. */
export const WAYS = [
  "fetch",
  "fetch with cookies",
  "fetch of JSON",
  "fetch without CORS",
  "XMLHttpRequest",
  "beacon",
  "event stream",
  "WebSocket",
  "image",
  "script",
  "module",
  "style",
  "frame",
  "object",
  "embedded",
  "prefetch",
  "form",
  "form of text",
  "form with a file",
  "worker",
] as const;

export type Way = (typeof WAYS)[number];

/** Runs in the page. Returns what it could read of the answer; most ways can only send. */
export function reach([way, url]: readonly [Way, string]): Promise<string> {
  const element = (name: string, set: Record<string, string>) =>
    new Promise<string>((ended) => {
      const made = Object.assign(document.createElement(name), set);
      made.onload = made.onerror = () => ended("");
      document.body.append(made);
    });
  const read = async (init: RequestInit) => {
    try {
      return await (await fetch(url, init)).text();
    } catch {
      return "";
    }
  };
  const submit = (enctype: string) =>
    new Promise<string>((ended) => {
      const frame = Object.assign(document.createElement("iframe"), { name: `into-${Math.random()}` });
      const form = Object.assign(document.createElement("form"), { action: url, method: "post", enctype, target: frame.name });
      form.append(Object.assign(document.createElement("input"), { name: "command", value: "pause" }));
      document.body.append(frame, form);
      frame.onload = () => ended("");
      form.submit();
    });
  switch (way) {
    case "fetch":
      return read({});
    case "fetch with cookies":
      return read({ credentials: "include", method: "POST", body: "{}" });
    case "fetch of JSON":
      return read({ method: "POST", headers: { "content-type": "application/json", "x-zephyr-page": "guess" }, body: '{"command":"pause"}' });
    case "fetch without CORS":
      return read({ mode: "no-cors", method: "POST", body: '{"command":"pause"}', credentials: "include" });
    case "XMLHttpRequest":
      return new Promise((ended) => {
        const request = new XMLHttpRequest();
        request.onloadend = () => ended(request.responseText);
        request.open("POST", url);
        request.send('{"command":"pause"}');
      });
    case "beacon":
      navigator.sendBeacon(url, '{"command":"pause"}');
      return Promise.resolve("");
    case "event stream":
      return new Promise((ended) => {
        const events = new EventSource(url, { withCredentials: true });
        events.onmessage = (message) => ended(String(message.data));
        events.onerror = () => {
          events.close();
          ended("");
        };
      });
    case "WebSocket":
      return new Promise((ended) => {
        const socket = new WebSocket(url.replace("http", "ws"));
        socket.onopen = () => ended("open");
        socket.onclose = () => ended("");
      });
    case "image":
      return element("img", { src: url });
    case "script":
      return element("script", { src: url });
    case "module":
      return import(url).then(
        () => "",
        () => "",
      );
    case "style":
      return element("link", { rel: "stylesheet", href: url });
    case "frame":
      return element("iframe", { src: url });
    case "object":
      return element("object", { data: url });
    case "embedded":
      return element("embed", { src: url });
    case "prefetch":
      return element("link", { rel: "prefetch", href: url });
    case "form":
      return submit("application/x-www-form-urlencoded");
    case "form of text":
      return submit("text/plain");
    case "form with a file":
      return submit("multipart/form-data");
    case "worker":
      return new Promise((ended) => {
        try {
          const worker = new Worker(url);
          worker.onerror = () => ended("");
          worker.onmessage = () => ended("ran");
        } catch {
          ended(""); // Of another origin.
        }
      });
  }
}

/** A server that counts who comes, and lets everybody in. */
export class Site {
  readonly asked: string[] = [];

  private constructor(
    private readonly server: Server,
    private readonly answer: (request: IncomingMessage, response: ServerResponse) => void,
  ) {}

  static async start(answer: (request: IncomingMessage, response: ServerResponse) => void = page): Promise<Site> {
    const server = createServer();
    const site = new Site(server, answer);
    server.on("request", (request, response) => site.#serve(request, response));
    server.on("upgrade", (request, socket) => {
      site.asked.push(request.url ?? "");
      socket.end();
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    return site;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }

  #serve(request: IncomingMessage, response: ServerResponse) {
    this.asked.push(request.url ?? "");
    request.resume();
    request.on("end", () => this.answer(request, response));
  }
}

function page(_: IncomingMessage, response: ServerResponse) {
  response.setHeader("access-control-allow-origin", "*");
  response.setHeader("access-control-allow-headers", "*");
  response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>Somebody else's</title><body>");
}
