// An endpoint of the Messages API that answers as it is told.

import { createHash } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { STREAM } from "../tests/journal";

/** What is done with a request that has been read. */
export type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** A request that arrived. */
export interface Seen {
  path: string;
  headers: IncomingHttpHeaders;
}

/** The whole of a good answer. */
export const answered: Answer = (response) => {
  response.writeHead(200, { "content-type": "text/event-stream" }).end(STREAM);
};

/** Too much to do. */
export const overloaded: Answer = (response) => {
  const error = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };
  response.writeHead(529, { "content-type": "application/json" }).end(JSON.stringify(error));
};

/** An answer that begins, and goes on when it is told to. */
export class Held {
  #open: ServerResponse | undefined;

  readonly answer: Answer = (response) => {
    this.#open = response;
    response.writeHead(200, { "content-type": "text/event-stream" }).write(BEGINNING);
  };

  readonly finish = () => this.#open?.end(STREAM.slice(BEGINNING.length));
}

const BEGINNING = STREAM.slice(0, STREAM.indexOf("event: content_block_stop"));

/** What a server that takes web sockets adds to the key it was sent (RFC 6455, 1.3). */
const WEB_SOCKET = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

export class Scripted {
  answer: Answer = answered;
  readonly seen: Seen[] = [];

  private constructor(private readonly server: Server) {}

  static async start(): Promise<Scripted> {
    const server = createServer();
    const scripted = new Scripted(server);
    server.on("request", (request, response) => {
      scripted.#saw(request);
      request.resume();
      request.on("end", () => scripted.answer(response, request));
    });
    server.on("upgrade", (request, socket) => {
      scripted.#saw(request);
      const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"] ?? ""}${WEB_SOCKET}`).digest("base64");
      const head = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", `Sec-WebSocket-Accept: ${accept}`];
      socket.write([...head, "", ""].join("\r\n"));
      socket.on("data", () => socket.end()); // The browser wants to close it.
      socket.on("error", () => socket.destroy());
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    return scripted;
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

  #saw({ url = "", headers }: IncomingMessage) {
    this.seen.push({ path: url, headers });
  }
}
