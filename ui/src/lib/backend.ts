// Where snapshots come from and where commands go: one interface, one module per host of the page.

import { httpBackend } from "./backend.http";
import { isTauri, tauriBackend } from "./backend.tauri";
import type { Command, ControlError, Done, Snapshot } from "./generated/control";

/** Whether what is shown is what is. */
export type Connection =
  | { state: "connecting" }
  | { state: "live" }
  | { state: "lost"; error: ControlError };

/** An engine, as this page reaches it. It fails with a `ControlError`. */
export interface Backend {
  /** The state at this moment. */
  snapshot(): Promise<Snapshot>;

  /** Tells the state now and after every change, until the returned function is called. */
  subscribe(
    listener: (snapshot: Snapshot) => void,
    onState: (connection: Connection) => void,
  ): () => void;

  /** Carries out a command; it has taken effect when the promise is resolved. */
  execute(command: Command): Promise<Done>;
}

/** The backend of the program that shows this page. */
export function backend(): Backend {
  return isTauri() ? tauriBackend() : httpBackend(new URL("api/v1/", document.baseURI));
}
