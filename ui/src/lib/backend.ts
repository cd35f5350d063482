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
  Tested,
  UsageQuery,
  UsageReport,
} from "./generated/control";

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

  /** A part of the journal. */
  requests(filter: RequestFilter, paging: Paging): Promise<RequestPage>;

  /** One request of the journal, by its number. */
  request(id: number): Promise<RequestDetail>;

  /** Sums over the journal. */
  usage(query: UsageQuery): Promise<UsageReport>;

  /** How endpoints were over time. */
  history(query: HistoryQuery): Promise<EndpointHistory[]>;

  /** What stands in the configuration file. */
  configuration(): Promise<Configuration>;

  /** What would be wrong with a change of it. */
  check(command: Command): Promise<Complaint[]>;

  /** A step-by-step test. */
  diagnose(tested: Tested): Promise<Diagnosis>;

  /** Where the requests that match can be downloaded; `null`: here, they are read page by page. */
  exportLink(filter: RequestFilter, format: ExportFormat): string | null;

  /** Tells where a file went that this page saved (`null`: it was not saved), until the returned function
      is called; a browser says so itself. */
  onSaved(listener: (path: string | null) => void): () => void;

  /** Keeps the page from being closed while that would lose something, until the returned function is called.
      A browser asks by itself; in the window `ask` has to, and `close` is what it does if that may be lost. */
  guard(wouldLose: () => boolean, ask: () => void): () => void;

  /** Closes the page without a question, where a page can. */
  close(): void;
}

/** What a journal is exported as. */
export type ExportFormat = "csv" | "jsonl";
