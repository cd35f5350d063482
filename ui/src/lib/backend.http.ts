// The engine behind the admin API of the server that served this page.

import type { Backend } from "./backend";
import type {
  Complaint,
  Configuration,
  Diagnosis,
  Done,
  EndpointHistory,
  RequestDetail,
  RequestPage,
  Snapshot,
  Standing,
  UsageReport,
} from "./generated/control";
import { ask, posted, query } from "./http";
import { keyed, signIn, withKey } from "./session.http";
import { Subscription } from "./subscription.http";

export function httpBackend(api: URL, code?: string): Backend {
  const signedIn = code === undefined ? undefined : signIn(api, code);
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
    standing: (number) => call<Standing>(`confirmations/${number}`),
    withdraw: async (number) => {
      const url = new URL(`confirmations/${number}`, api);
      await fetch(url, withKey({ method: "DELETE" })).catch(() => undefined);
    },
    exportLink: (filter, format) =>
      keyed(`requests/export${query({ ...filter, format })}`, api).href,
    onSaved: () => () => undefined,
    guard,
    close: () => undefined,
  };
}

/** Makes the browser ask before the page is closed or left. */
export function guard(wouldLose: () => boolean): () => void {
  const hold = (event: BeforeUnloadEvent) => {
    if (wouldLose()) event.preventDefault();
  };
  addEventListener("beforeunload", hold);
  return () => removeEventListener("beforeunload", hold);
}
