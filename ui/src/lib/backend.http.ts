// The engine behind the admin HTTP API that served this page, and how a browser signs in there.
//
// `zephyr open` opens this page with a one-time code in the fragment, which is sent to no server. It is
// taken out of the address and exchanged for a session before anything else is asked: a cookie, and a key
// that is sent along. A browser sends the cookie to every port of this machine, but it tells ports apart
// where the key is kept, so the key is what no other server here gets. Other tabs find it there, too.

import type { Backend } from "./backend";
import { failure } from "./failure";
import type {
  Complaint,
  Configuration,
  ControlError,
  Diagnosis,
  Done,
  EndpointHistory,
  RequestDetail,
  RequestPage,
  Snapshot,
  UsageReport,
} from "./generated/control";

/** A quiet engine sends nothing that a page can see, so after this long it is asked. */
const QUIET_MS = 20_000;

/** Where the page's half of the session is kept. */
const KEY = "zephyr.session";

/** A browser gives up an event stream that was answered with an error. */
const RECONNECT_MS = 3_000;

/** The one-time code that `zephyr open` put into the address; it does not stay there. */
export function takeCode(): string | undefined {
  // A link that is pasted into the tab of this page changes the fragment alone.
  addEventListener("hashchange", () => codeIn(location.hash) && location.reload());
  const code = codeIn(location.hash);
  if (code !== undefined) history.replaceState(null, "", "#/");
  return code;
}

function codeIn(fragment: string): string | undefined {
  return /^#code=(.+)$/.exec(fragment)?.[1];
}

export function httpBackend(api: URL, code?: string): Backend {
  // What is wrong with the code is told by whatever is asked next: there is no session then.
  const signedIn =
    code === undefined
      ? undefined
      : ask<{ key: string }>(new URL("session", api), posted({ code }))
          .then(({ key }) => localStorage.setItem(KEY, key))
          .catch(() => undefined);
  const call = async <Answer>(path: string, init?: RequestInit): Promise<Answer> => {
    if (signedIn) await signedIn;
    return ask<Answer>(new URL(path, api), withKey(init));
  };
  const snapshot = () => call<Snapshot>("snapshot");
  return {
    snapshot,
    subscribe: (listener, onState) =>
      new Subscription(() => keyed("events", api), signedIn, snapshot, listener, onState).stop,
    execute: (command) => call<Done>("commands", posted(command)),
    requests: (filter, paging) => call<RequestPage>(`requests${query({ ...filter, ...paging })}`),
    request: (id) => call<RequestDetail>(`requests/${id}`),
    usage: (asked) => call<UsageReport>(`usage${query(asked)}`),
    history: (asked) => call<EndpointHistory[]>(`history${query(asked)}`),
    configuration: () => call<Configuration>("configuration"),
    check: (command) => call<Complaint[]>("check", posted(command)),
    diagnose: (tested) => call<Diagnosis>("diagnose", posted(tested)),
    exportLink: (filter, format) =>
      keyed(`requests/export${query({ ...filter, format })}`, api).href,
    onSaved: () => () => undefined,
    guard,
    close: () => undefined,
  };
}

/** Has the browser ask before it closes the page or goes away from it. */
export function guard(wouldLose: () => boolean): () => void {
  const hold = (event: BeforeUnloadEvent) => {
    if (wouldLose()) event.preventDefault();
  };
  addEventListener("beforeunload", hold);
  return () => removeEventListener("beforeunload", hold);
}

function withKey(init: RequestInit = {}): RequestInit {
  const key = localStorage.getItem(KEY);
  return key === null ? init : { ...init, headers: { ...init.headers, "x-zephyr-page": key } };
}

/** For what takes no headers: a stream, and a file that is saved. */
function keyed(path: string, api: URL): URL {
  const url = new URL(path, api);
  const key = localStorage.getItem(KEY);
  if (key !== null) url.searchParams.set("page_key", key);
  return url;
}

function posted(body: unknown): RequestInit {
  return {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
}

/** What is said of the fields, as a query; `null`, `false` and nothing are not said. */
function query(fields: Readonly<Record<string, string | number | boolean | null>>): string {
  const said = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== null && value !== false && value !== "") said.set(name, String(value));
  }
  return said.size > 0 ? `?${said}` : "";
}

class Subscription {
  #events: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(
    private readonly url: () => URL,
    signedIn: Promise<unknown> | undefined,
    private readonly snapshot: Backend["snapshot"],
    private readonly listener: Parameters<Backend["subscribe"]>[0],
    private readonly onState: Parameters<Backend["subscribe"]>[1],
  ) {
    if (signedIn) void signedIn.then(() => this.#stopped || this.#connect());
    else this.#connect();
  }

  readonly stop = () => {
    this.#stopped = true;
    this.#events?.close();
    clearTimeout(this.#timer);
  };

  #connect() {
    this.#events?.close();
    const events = new EventSource(this.url());
    this.#events = events;
    events.addEventListener("snapshot", (event: MessageEvent<string>) => {
      this.#take(JSON.parse(event.data) as Snapshot);
    });
    // The reason of a failure is not told here; a plain request learns it.
    events.addEventListener("error", () => void this.#ask());
    this.#after(QUIET_MS, () => void this.#ask());
  }

  #take(snapshot: Snapshot) {
    this.listener(snapshot);
    this.onState({ state: "live" });
    this.#after(QUIET_MS, () => void this.#ask());
  }

  async #ask() {
    try {
      const snapshot = await this.snapshot();
      if (this.#stopped) return;
      this.#take(snapshot);
      if (this.#events?.readyState === EventSource.CLOSED) this.#connect();
    } catch (thrown) {
      if (this.#stopped) return;
      this.onState({ state: "lost", error: failure(thrown, "unreachable") });
      this.#after(RECONNECT_MS, () => this.#connect());
    }
  }

  #after(ms: number, then: () => void) {
    clearTimeout(this.#timer);
    if (!this.#stopped) this.#timer = setTimeout(then, ms);
  }
}

async function ask<Answer>(url: URL, init?: RequestInit): Promise<Answer> {
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(url, init);
    body = await response.json();
  } catch (thrown) {
    throw failure(thrown, "unreachable") satisfies ControlError;
  }
  const code = response.status === 401 ? "unauthorized" : "internal";
  if (!response.ok) throw failure(body, code) satisfies ControlError;
  return body as Answer;
}
