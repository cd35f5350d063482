// A backend without an engine: it says what it is told to say and records what it is asked.

import type { Backend, Connection } from "../src/lib/backend";
import { guard } from "../src/lib/backend.http";
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
  Standing,
  Tested,
  UsageQuery,
  UsageReport,
} from "../src/lib/generated/control";
import { configuration, Recorded } from "./journal";

const NOBODY = { code: "unreachable", message: "nobody is there" };

export class FakeBackend implements Backend {
  readonly commands: Command[] = [];
  readonly asked: [RequestFilter, Paging][] = [];
  readonly sums: UsageQuery[] = [];
  readonly histories: HistoryQuery[] = [];
  readonly checks: Command[] = [];
  readonly tests: Tested[] = [];
  /** What a command comes to. */
  outcome: () => Promise<Done> = async () => ({ message: "done" });
  /** What a query of the journal comes to before it is answered. */
  reading: () => Promise<void> = async () => undefined;
  recorded = new Recorded(1_200);
  configured: Configuration = configuration();
  complaints: (command: Command) => Complaint[] = () => [];
  diagnosis: Diagnosis = { steps: STEPS, cost_usd: 0.000015 };
  /** How every confirmation stands. */
  stands: Standing = "waiting";
  readonly withdrawn: number[] = [];
  link: string | null = null;
  saved: (path: string | null) => void = () => undefined;
  /** As the window's cross does while something is unsaved. */
  askBeforeClosing: () => void = () => undefined;
  closed = false;
  subscriptions = 0;

  #listener: ((snapshot: Snapshot) => void) | undefined;
  #onState: ((connection: Connection) => void) | undefined;

  constructor(private state?: Snapshot) {}

  async snapshot(): Promise<Snapshot> {
    if (!this.state) throw NOBODY;
    return this.state;
  }

  subscribe(
    listener: (snapshot: Snapshot) => void,
    onState: (connection: Connection) => void,
  ): () => void {
    this.subscriptions += 1;
    this.#listener = listener;
    this.#onState = onState;
    if (this.state) this.send(this.state);
    return () => {
      this.#listener = undefined;
      this.#onState = undefined;
    };
  }

  execute(command: Command): Promise<Done> {
    this.commands.push(command);
    return this.outcome();
  }

  async requests(filter: RequestFilter, paging: Paging): Promise<RequestPage> {
    this.asked.push([filter, paging]);
    await this.reading();
    return this.recorded.page(filter, paging);
  }

  async request(id: number): Promise<RequestDetail> {
    await this.reading();
    if (id > this.recorded.count) throw { code: "bad_request", message: `no request ${id} is kept` };
    return this.recorded.detail(id);
  }

  async usage(query: UsageQuery): Promise<UsageReport> {
    this.sums.push(query);
    await this.reading();
    return this.recorded.usage(query);
  }

  async history(query: HistoryQuery): Promise<EndpointHistory[]> {
    this.histories.push(query);
    await this.reading();
    return this.recorded.history(query);
  }

  async configuration(): Promise<Configuration> {
    return this.configured;
  }

  async check(command: Command): Promise<Complaint[]> {
    this.checks.push(command);
    return this.complaints(command);
  }

  async diagnose(tested: Tested): Promise<Diagnosis> {
    this.tests.push(tested);
    await this.outcome();
    return this.diagnosis;
  }

  async standing(): Promise<Standing> {
    return this.stands;
  }

  async withdraw(number: number): Promise<void> {
    this.withdrawn.push(number);
  }

  exportLink(): string | null {
    return this.link;
  }

  onSaved(listener: (path: string | null) => void): () => void {
    this.saved = listener;
    return () => undefined;
  }

  guard(wouldLose: () => boolean, ask: () => void): () => void {
    this.askBeforeClosing = ask;
    return guard(wouldLose);
  }

  close() {
    this.closed = true;
  }

  send(snapshot: Snapshot) {
    this.state = snapshot;
    this.#listener?.(snapshot);
    this.#onState?.({ state: "live" });
  }

  lose(message: string, code: "unreachable" | "unauthorized" = "unreachable") {
    this.#onState?.({ state: "lost", error: { code, message } });
  }

  get followed(): boolean {
    return this.#listener !== undefined;
  }
}

const STEPS: Diagnosis["steps"] = [
  { stage: "dns", passed: true, took_ms: 4.2, detail: "203.0.113.7", remedy: null },
  { stage: "tcp", passed: true, took_ms: 31, detail: "port 443", remedy: null },
  { stage: "tls", passed: true, took_ms: 44, detail: "issued by Example CA, 61 days left", remedy: null },
  { stage: "auth", passed: false, took_ms: 120, detail: "HTTP 401: invalid x-api-key", remedy: "Store the token again." },
];
