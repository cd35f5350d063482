// Where snapshots come from and where commands go. Each host of the page has a module that implements this.

import type {
  Command,
  Complaint,
  Configuration,
  ControlError,
  Diagnosis,
  Done,
  EndpointHistory,
  HistoryQuery,
  Paging,
  RequestDetail,
  RequestFilter,
  RequestPage,
  Snapshot,
  Standing,
  Tested,
  UsageQuery,
  UsageReport,
} from "./generated/control";

/** Whether the page is up to date. */
export type Connection =
  | { state: "connecting" }
  | { state: "live" }
  | { state: "lost"; error: ControlError };

/** An engine, as the page reaches it. Every promise fails with a `ControlError`. */
export interface Backend {
  /** The current state. */
  snapshot(): Promise<Snapshot>;

  /** Reports the state now and after every change. The returned function ends that. */
  subscribe(
    listener: (snapshot: Snapshot) => void,
    onState: (connection: Connection) => void,
  ): () => void;

  /** Carries out a command. It has taken effect when the promise resolves. */
  execute(command: Command): Promise<Done>;

  /** A part of the journal. */
  requests(filter: RequestFilter, paging: Paging): Promise<RequestPage>;

  /** One request of the journal, by its number. */
  request(id: number): Promise<RequestDetail>;

  /** Sums over the journal. */
  usage(query: UsageQuery): Promise<UsageReport>;

  /** The history of endpoints. */
  history(query: HistoryQuery): Promise<EndpointHistory[]>;

  /** The content of the configuration file. */
  configuration(): Promise<Configuration>;

  /** Complaints about a change of the configuration. Nothing is changed. */
  check(command: Command): Promise<Complaint[]>;

  /** Tests an endpoint step by step. */
  diagnose(tested: Tested): Promise<Diagnosis>;

  /** How a confirmation stands that this page waits for. */
  standing(number: number): Promise<Standing>;

  /** Says that this page waits for it no more. */
  withdraw(number: number): Promise<void>;

  /** The address of a download of the requests that match; `null` if the page has to build the file. */
  exportLink(filter: RequestFilter, format: ExportFormat): string | null;

  /** Reports the path of a saved file, or `null` if saving failed. A browser never reports it: it tells the user
      itself. The returned function ends that. */
  onSaved(listener: (path: string | null) => void): () => void;

  /** Stops the page from being closed while `wouldLose` holds. A browser asks the user itself; in the window, `ask`
      has to, and `close` follows if the answer is yes. The returned function ends that. */
  guard(wouldLose: () => boolean, ask: () => void): () => void;

  /** Closes the window without a question. A page in a browser cannot close itself. */
  close(): void;
}

/** File formats of an export. */
export type ExportFormat = "csv" | "jsonl";
