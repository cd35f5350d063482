// The engine in the desktop program. No other module imports Tauri.

import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";

import type { Backend } from "./backend";
import { failure } from "./failure";
import type { Command, Done, Snapshot } from "./generated/control";

export { isTauri } from "@tauri-apps/api/core";

type Request = { ask: "snapshot" } | { ask: "execute"; command: Command };

export function tauriBackend(): Backend {
  return { snapshot, subscribe, execute };
}

function snapshot(): Promise<Snapshot> {
  return ask<Snapshot>({ ask: "snapshot" });
}

function execute(command: Command): Promise<Done> {
  return ask<Done>({ ask: "execute", command });
}

/** Listens before it reads: an event that nobody listens to yet is lost. */
const subscribe: Backend["subscribe"] = (listener, onState) => {
  let stopped = false;
  const unlisten = listen<Snapshot>("snapshot", ({ payload }) => {
    if (!stopped) listener(payload);
  });
  unlisten
    .then(snapshot)
    .then((first) => {
      if (stopped) return;
      listener(first);
      onState({ state: "live" });
    })
    .catch((thrown: unknown) => {
      if (!stopped) onState({ state: "lost", error: failure(thrown, "unreachable") });
    });
  return () => {
    stopped = true;
    unlisten.then((stop) => stop()).catch(() => undefined);
  };
};

async function ask<Answer>(request: Request): Promise<Answer> {
  try {
    return await invoke<Answer>("control", { request });
  } catch (thrown) {
    throw failure(thrown, "internal");
  }
}
