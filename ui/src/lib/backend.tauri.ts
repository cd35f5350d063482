// The engine in the desktop program. No other module imports Tauri.

import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import { getCurrentWindow } from "@tauri-apps/api/window";

import type { Backend } from "./backend";
import { failure } from "./failure";
import type {
  Command,
  Complaint,
  Configuration,
  Diagnosis,
  Done,
  EndpointHistory,
  HistoryQuery,
  Paging,
  RequestDetail,
  RequestFilter,
  RequestPage,
  Snapshot,
  Tested,
  UsageQuery,
  UsageReport,
} from "./generated/control";

export { isTauri } from "@tauri-apps/api/core";

type Request =
  | { ask: "snapshot" }
  | { ask: "execute"; command: Command }
  | { ask: "requests"; filter: RequestFilter; paging: Paging }
  | { ask: "request"; id: number }
  | { ask: "usage"; query: UsageQuery }
  | { ask: "history"; query: HistoryQuery }
  | { ask: "configuration" }
  | { ask: "check"; command: Command }
  | { ask: "diagnose"; tested: Tested };

export function tauriBackend(): Backend {
  return {
    snapshot,
    subscribe,
    execute,
    requests: (filter, paging) => ask<RequestPage>({ ask: "requests", filter, paging }),
    request: (id) => ask<RequestDetail>({ ask: "request", id }),
    usage: (query) => ask<UsageReport>({ ask: "usage", query }),
    history: (query) => ask<EndpointHistory[]>({ ask: "history", query }),
    configuration: () => ask<Configuration>({ ask: "configuration" }),
    check: (command) => ask<Complaint[]>({ ask: "check", command }),
    diagnose: (tested) => ask<Diagnosis>({ ask: "diagnose", tested }),
    // The window is the operating system's user, who confirms nothing to themselves.
    standing: async () => "gone",
    withdraw: async () => undefined,
    exportLink: () => null,
    onSaved,
    guard,
    close,
  };
}

function snapshot(): Promise<Snapshot> {
  return ask<Snapshot>({ ask: "snapshot" });
}

function execute(command: Command): Promise<Done> {
  return ask<Done>({ ask: "execute", command });
}

/** Listens before it reads: an event without a listener is lost. */
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

const onSaved: Backend["onSaved"] = (listener) => {
  const unlisten = listen<string | null>("saved", ({ payload }) => listener(payload));
  return () => {
    unlisten.then((stop) => stop()).catch(() => undefined);
  };
};

const guard: Backend["guard"] = (wouldLose, ask) => {
  const unlisten = getCurrentWindow().onCloseRequested((event) => {
    if (!wouldLose()) return;
    event.preventDefault();
    ask();
  });
  return () => {
    unlisten.then((stop) => stop()).catch(() => undefined);
  };
};

function close() {
  getCurrentWindow()
    .destroy()
    .catch(() => undefined);
}

async function ask<Answer>(request: Request): Promise<Answer> {
  try {
    return await invoke<Answer>("control", { request });
  } catch (thrown) {
    throw failure(thrown, "internal");
  }
}
