// An endpoint of the Messages API that answers as it is told.

import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { STREAM } from "../tests/journal";

/** What is done with a request that has been read. */
export type Answer = (response: ServerResponse) => void;

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

export class Scripted {
  answer: Answer = answered;
  /** How many requests have come. */
  asked = 0;
  /** The headers of the last one. */
  heard = "";

  private constructor(private readonly server: Server) {}

  static async start(): Promise<Scripted> {
    const server = createServer();
    const scripted = new Scripted(server);
    server.on("request", (request, response) => {
      scripted.asked += 1;
      scripted.heard = JSON.stringify(request.headers);
      request.resume();
      request.on("end", () => scripted.answer(response));
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    return scripted;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }
}
