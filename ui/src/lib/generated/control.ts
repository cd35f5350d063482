// Generated from crates/control by its tests. Do not edit.

/**
 * Which endpoint an [`OverallStatus`] is about.
 */
export type About = { "about": "nothing" }
  | { "about": "endpoint",
  /** Its name. */
  endpoint: string
}
  | { "about": "pin",
  /** Its name. */
  pin: string,
  /** The one that answers in its place. */
  stand_in: string | null
}
  | { "about": "several" };

/**
 * How front-ends are to look, by the configuration. A front-end resolves `Auto` for itself: only it
 * knows its system's, or its browser's, preference.
 */
export type Appearance = {
  /** `ui.language`. */
  language: LanguageChoice,
  /** `ui.theme`. */
  theme: ThemeChoice
};

/**
 * What an attempt came to; the names of `docs/architecture.md`.
 */
export type AttemptOutcome = "answered" | "not_served" | "client_fault" | "refused" | "exhausted" | "throttled" | "failed" | "invalid" | "abandoned" | "offline" | "overtaken";

/**
 * One attempt at an endpoint. Its times are counted from its own beginning.
 */
export type AttemptRecord = {
  /** The endpoint. */
  endpoint: string,
  /** Why there. */
  why: Reason | null,
  /** What it came to. */
  outcome: AttemptOutcome,
  /** Why it did not come to an answer. */
  reason: Reason | null,
  /** What its answer was taken for, if it did not answer. */
  verdict: Verdict | null,
  /** The endpoint's status. */
  status: number | null,
  /** Since the request's beginning, before this attempt began: waiting and earlier attempts. */
  queue_ms: number,
  /** Name resolution and TCP; `None`: the connection was there. */
  connect_ms: number | null,
  /** TLS handshake. */
  tls_ms: number | null,
  /** Until the answer's head. */
  headers_ms: number | null,
  /** Until the answer's first content. */
  first_event_ms: number | null,
  /** Until its end. */
  last_byte_ms: number,
  /** The rate-limit headers of the answer, by name. */
  rate_limits: Array<[string, string]>
};

/**
 * How requests to an endpoint are authorized.
 */
export type AuthType = "auth_token" | "api_key" | "passthrough";

/**
 * Where Claude Code sends its requests, by its settings file.
 */
export type ClaudeCode = "unknown" | "disconnected" | "connected" | "changed";

/**
 * What a front-end may ask of an engine.
 */
export type Command = { "command": "use",
  /** Its name. */
  endpoint: string
}
  | { "command": "auto" }
  | { "command": "pause" }
  | { "command": "resume" }
  | { "command": "refresh" }
  | { "command": "enable",
  /** Its name. */
  endpoint: string
}
  | { "command": "disable",
  /** Its name. */
  endpoint: string
}
  | { "command": "reinstate",
  /** Its name; all of them without one. */
  endpoint: string | null
}
  | { "command": "reload" }
  | { "command": "add_endpoint",
  /** The endpoint. */
  endpoint: EndpointForm
}
  | { "command": "edit_endpoint",
  /** Its name so far. */
  name: string,
  /** How it is to be. */
  endpoint: EndpointForm
}
  | { "command": "move_endpoint",
  /** Its name. */
  name: string,
  /** How many endpoints are to stand before it. */
  to: number
}
  | { "command": "remove_endpoint",
  /** Its name. */
  name: string
}
  | { "command": "set",
  /** `server.port`, say. */
  key: string,
  /** `None` takes the key out, so that its default holds. */
  value: SettingValue | null
}
  | { "command": "store_token",
  /** The name it is kept under. */
  reference: string,
  /** The token. */
  token: SecretText
}
  | { "command": "connect_claude_code" }
  | { "command": "disconnect_claude_code" }
  | { "command": "launch_at_login",
  /** Whether it does. */
  enabled: boolean
}
  | { "command": "show" }
  | { "command": "quit" };

/**
 * Something that a form says is wrong, or worth a warning.
 */
export type Complaint = {
  /** The key or the form's field it is about. */
  field: string | null,
  /** What is wrong and what to do, in English. */
  message: string,
  /** Whether the change is carried out anyway. */
  is_warning: boolean
};

/**
 * What the configuration file says.
 */
export type Configuration = {
  /** The file; `None`: there is none, and nothing can be saved. */
  path: string | null,
  /** The groups, in the file's order. */
  groups: Array<GroupForm>,
  /** Every endpoint, in the file's order. */
  endpoints: Array<EndpointForm>,
  /** Every other key, in the order of `config.toml.example`. */
  settings: Array<Setting>
};

/**
 * Something dangerous that a browser asks for and the operating system's user has to confirm.
 */
export type Confirmation = {
  /** Four digits. */
  number: number,
  /** What would happen. */
  effect: Effect,
  /** Why it is dangerous. */
  danger: Danger,
  /** For how much longer it can be confirmed, in milliseconds. */
  left_ms: number
};

/**
 * A command or a query could not be carried out.
 */
export type ControlError = {
  /** For programs. */
  code: ErrorCode,
  /** For people: what happened and what to do. */
  message: string,
  /** With [`ErrorCode::NeedsConfirmation`]: what has to be confirmed. */
  confirmation?: Confirmation
};

/**
 * What makes something dangerous.
 */
export type Danger = { "danger": "executes" }
  | { "danger": "names_path" }
  | { "danger": "widens_guard" }
  | { "danger": "moves_credentials" };

/**
 * Why the endpoint in use is in use.
 */
export type Decision = {
  /** Why this one. */
  why: Reason,
  /** Why not the others. */
  others: Array<NotChosen>
};

/**
 * What a step-by-step test found: steps in order, up to the first that failed.
 */
export type Diagnosis = {
  /** The steps taken. */
  steps: Array<DiagnosisStep>,
  /** What the test cost. */
  cost_usd: number
};

/**
 * The steps of a test, in their order.
 */
export type DiagnosisStage = "dns" | "tcp" | "tls" | "auth" | "model" | "first_token";

/**
 * One step of a test.
 */
export type DiagnosisStep = {
  /** Which. */
  stage: DiagnosisStage,
  /** Whether it succeeded. */
  passed: boolean,
  /** How long it took. */
  took_ms: number,
  /** What was found: addresses, the certificate's issuer, the model; or what went wrong. */
  detail: string,
  /** What to do, if it failed. */
  remedy: string | null
};

/**
 * A command was carried out.
 */
export type Done = {
  /** What changed, in a sentence in English. */
  message: string
};

/**
 * The program waits for requests in flight before it ends.
 */
export type Drain = {
  /** Requests still in flight. */
  in_flight: number,
  /** When it ends at the latest. */
  until_ms: number
};

/**
 * What would happen, for people.
 */
export type Effect = { "effect": "set",
  /** The key. */
  key: string,
  /** What the file says; `None`: nothing. */
  from: string | null,
  /** What it would say. */
  to: string | null
}
  | { "effect": "add",
  /** Its name. */
  endpoint: string,
  /** Where it takes which credential. */
  goes: Goes
}
  | { "effect": "edit",
  /** Its name. */
  endpoint: string,
  /** Where it takes which credential now. */
  from: Goes | null,
  /** Where it would. */
  goes: Goes
}
  | { "effect": "store_token",
  /** The entry. */
  entry: string
}
  | { "effect": "test",
  /** Where, and which. */
  goes: Goes
};

/**
 * An endpoint, as a form has it.
 */
export type EndpointForm = {
  /** Its name; unique. */
  name: string,
  /** Its group, which is created if there is none of that name. */
  group: string,
  /** Its base URL. */
  url: string,
  /** An emoji beside its name. */
  flag: string | null,
  /** Whether requests go there. */
  enabled: boolean,
  /** Smaller is preferred. */
  priority: number,
  /** Its share of requests where they are distributed. */
  weight: number,
  /** Relative price. */
  price: number,
  /** Put before the client's path. */
  path_prefix: string | null,
  /** `None`: as its group. */
  auth_type: AuthType | null,
  /** [`TokenReference::None`]: as its group. */
  token: TokenReference,
  /** `system`, `direct` or a proxy's URL; `None`: the default. */
  proxy: string | null
};

/**
 * How an endpoint was over time.
 */
export type EndpointHistory = {
  /** Its name. */
  endpoint: string,
  /** Oldest first; the longer ago, the longer the spans. */
  points: Array<HistoryPoint>
};

/**
 * What an endpoint can do now.
 */
export type EndpointState = "ready" | "faltering" | "unreachable" | "recovering" | "failing" | "throttled" | "refused" | "exhausted" | "draining" | "disabled" | "no_credential";

/**
 * One endpoint.
 */
export type EndpointView = {
  /** What users see and type. */
  name: string,
  /** Shown before the name. */
  flag: string | null,
  /** The group it belongs to. */
  group: string,
  /** Base URL. */
  url: string,
  /** Whether it may be used. */
  enabled: boolean,
  /** What it can do now. */
  state: EndpointState,
  /** Why it is in that state, if there is something to say. */
  reason: Reason | null,
  /** When that state ends by itself. */
  until_ms: number | null,
  /** The median latency of the last five probes. */
  latency_ms: number | null,
  /** Latency of the last probes, oldest first; failed ones are `None`. */
  latency_history: Array<number | null>,
  /** The median time to first event of the last five real streams. */
  ttft_ms: number | null,
  /** Which of the two is compared with other endpoints. `None`: there is nothing to compare. */
  compared_by: Measure | null,
  /** The same by model, the model used last first. */
  ttft_percentiles: Array<TtftPercentiles>,
  /** What its checks have cost today, in USD, estimated. */
  probe_cost_usd: number,
  /** Its part of the attempts of the last five minutes, 0 to 1; `None`: there were none anywhere. */
  share: number | null,
  /** What its answers say of its quota, if they say anything. */
  quota: Array<QuotaWindow>,
  /** When it was last probed. */
  last_check_ms: number | null,
  /** What the last failure was. */
  last_error: Reason | null,
  /** Attempts that are out. */
  in_flight: number,
  /** Attempts since the start. */
  attempts: number,
  /** Those that failed. */
  failures: number,
  /** `priority` of the configuration. */
  priority: number,
  /** `weight` of the configuration. */
  weight: number,
  /** `price` of the configuration. */
  price: number
};

/**
 * What kind of error it is.
 */
export type ErrorCode = "unknown_endpoint" | "unknown_request" | "not_possible" | "invalid_configuration" | "unreachable" | "unauthorized" | "needs_confirmation" | "bad_request" | "internal";

/**
 * Something that happened.
 */
export type Event = {
  /** Counts from 1. */
  seq: number,
  /** When. */
  at_ms: number
} & ({ "event": "chosen",
  /** Which. */
  endpoint: string,
  /** Why. */
  decision: Decision
}
  | { "event": "switched",
  /** The one before. */
  from: string,
  /** The one now. */
  to: string,
  /** Why. */
  decision: Decision
}
  | { "event": "moved",
  /** Where it was. */
  from: string,
  /** Where it is now. */
  to: string,
  /** Both sides of it. */
  why: Reason
}
  | { "event": "failed_over",
  /** Where it failed. */
  from: string,
  /** Why. */
  why: Reason
}
  | { "event": "aborted",
  /** Where it broke. */
  endpoint: string,
  /** How. */
  why: Reason
}
  | { "event": "passed_on",
  /** Whose it was. */
  endpoint: string,
  /** What was wrong. */
  why: Reason
}
  | { "event": "taken_out",
  /** Which. */
  endpoint: string,
  /** Why. */
  why: Reason,
  /** Until when, if it ends by itself. */
  until_ms: number | null
}
  | { "event": "recovered",
  /** Which. */
  endpoint: string
}
  | { "event": "all_down" }
  | { "event": "something_up" }
  | { "event": "offline" }
  | { "event": "online" }
  | { "event": "pinned",
  /** Which. */
  endpoint: string
}
  | { "event": "automatic" }
  | { "event": "paused" }
  | { "event": "resumed" }
  | { "event": "enabled",
  /** Which. */
  endpoint: string
}
  | { "event": "disabled",
  /** Which. */
  endpoint: string
}
  | { "event": "budget_reached",
  /** The limit, in USD. */
  budget_usd: number
}
  | { "event": "config_reloaded" }
  | { "event": "config_rejected" });

/**
 * A credential and its way.
 */
export type Goes = { "goes": "to",
  /** The credential. */
  credential: Source,
  /** The URL, with what is put before the client's path. */
  url: string
}
  | { "goes": "through",
  /** The credential. */
  credential: Source,
  /** The URL, with what is put before the client's path. */
  url: string,
  /** The proxy, without a password. */
  proxy: string
};

/**
 * What shows that an answer means what it was taken for.
 */
export type Ground = { "ground": "status" }
  | { "ground": "words" }
  | { "ground": "headers" }
  | { "ground": "gateway" }
  | { "ground": "rule",
  /** Its place in `failover.rules`, from 1. */
  number: number
};

/**
 * A group of endpoints.
 */
export type GroupForm = {
  /** Its name. */
  name: string,
  /** Whether its first endpoint is preferred until something has been measured. */
  default: boolean,
  /** How its endpoints are authorized. */
  auth_type: AuthType,
  /** Where its token is. */
  token: TokenReference
};

/**
 * How things are, in one line.
 */
export type Headline = { "headline": "starting" }
  | { "headline": "stopped" }
  | { "headline": "no_endpoints" }
  | { "headline": "none_enabled" }
  | { "headline": "not_measured" }
  | { "headline": "first_choice",
  /** Where. */
  endpoint: string
}
  | { "headline": "in_use",
  /** Where. */
  endpoint: string
}
  | { "headline": "distributed",
  /** How many endpoints answer. */
  answering: number,
  /** How many are switched on. */
  of: number
}
  | { "headline": "some_answer",
  /** Where the next request goes. */
  endpoint: string,
  /** How many endpoints answer. */
  answering: number,
  /** How many are switched on. */
  of: number
}
  | { "headline": "stand_in",
  /** The pinned one. */
  pin: string,
  /** The other. */
  endpoint: string
}
  | { "headline": "stand_ins",
  /** The pinned one. */
  pin: string,
  /** How many endpoints answer. */
  answering: number,
  /** How many are switched on. */
  of: number
}
  | { "headline": "moves_on",
  /** The one that fails. */
  endpoint: string,
  /** The one that answers. */
  to: string
}
  | { "headline": "moves_around",
  /** The one that fails. */
  endpoint: string
}
  | { "headline": "faltering",
  /** Which. */
  endpoint: string
}
  | { "headline": "slow",
  /** Which. */
  endpoint: string
}
  | { "headline": "tried",
  /** Which. */
  endpoint: string,
  /** How many endpoints answer. */
  answering: number,
  /** How many are switched on. */
  of: number
}
  | { "headline": "none_usable" }
  | { "headline": "all_failing" }
  | { "headline": "all_throttled" }
  | { "headline": "all_exhausted" }
  | { "headline": "all_refused" }
  | { "headline": "no_credentials" }
  | { "headline": "pin_out",
  /** The pinned one. */
  pin: string
}
  | { "headline": "others_first" }
  | { "headline": "unreachable" }
  | { "headline": "attention",
  /** How many problems there are to look at. */
  problems: number
};

/**
 * A span of an endpoint's history.
 */
export type HistoryPoint = {
  /** When it begins. */
  at_ms: number,
  /** How long it is. */
  span_ms: number,
  /** Mean latency of its probes. */
  latency_ms: number | null,
  /** Mean time to the first event of real traffic. */
  ttft_ms: number | null,
  /** Attempts there. */
  attempts: number,
  /** Those that failed. */
  failures: number,
  /** Its state at the span's end. */
  state: EndpointState | null
};

/**
 * How endpoints were over time.
 */
export type HistoryQuery = {
  /** From this time on. */
  since_ms: number | null,
  /** Up to this time. */
  until_ms: number | null,
  /** Of this endpoint only. */
  endpoint: string | null
};

/**
 * The program around the engine, and what it has to do with the rest of the machine.
 */
export type Host = {
  /** Which program it is. */
  program: Program,
  /** Whether it starts at login; `None` where it has no login to start at. */
  launch_at_login: boolean | null,
  /** Whether Claude Code sends its requests here. */
  claude_code: ClaudeCode
};

/**
 * The journal itself, for front-ends.
 */
export type JournalStatus = {
  /** Its file; `None`: nothing is kept. */
  path: string | null,
  /** Size of the file. */
  bytes: number,
  /** Records lost since the start, because writing did not keep up or failed. */
  dropped: number
};

/**
 * `ui.language`.
 */
export type LanguageChoice = "auto" | "en" | "zh";

/**
 * The ports, `host:port` each.
 */
export type Listening = {
  /** The proxy's; empty while no engine runs. */
  proxy: string,
  /** The admin API's. */
  admin: string | null
};

/**
 * A request in flight, or just ended.
 */
export type LiveRequest = {
  /** Its identifier. */
  request: string,
  /** When it began. */
  at_ms: number,
  /** When it ended; `None`: it is in flight. */
  ended_at_ms: number | null,
  /** How it ended. */
  end: RequestEnd | null,
  /** Path, without the query. */
  path: string,
  /** The model asked for. */
  model: string | null,
  /** The session it belongs to. */
  session: string | null,
  /** Where it is now, or was last; `None`: it waits. */
  endpoint: string | null,
  /** How many attempts it has had. */
  attempts: number,
  /** Whether its answer has begun to reach the client. */
  streaming: boolean,
  /** Output tokens so far; counted from the text's length until the endpoint tells the number. */
  output_tokens: number
};

/**
 * What is compared to find the fastest endpoint.
 */
export type Measure = "checks" | "first_events";

/**
 * Whether Zephyr chooses or a person did.
 */
export type Mode = { "mode": "auto" }
  | { "mode": "manual",
  /** The endpoint's name. */
  endpoint: string
};

/**
 * An endpoint that was not chosen.
 */
export type NotChosen = {
  /** Its name. */
  endpoint: string,
  /** Why not. */
  why: Reason
};

/**
 * How things are, in one word.
 */
export type Overall = "well" | "degraded" | "out" | "paused" | "offline" | "starting" | "disconnected";

/**
 * How things are as a whole: in one word, in one line, and which endpoint that is about.
 */
export type OverallStatus = {
  /** In one word. */
  overall: Overall,
  /** In one line. */
  headline: Headline,
  /** Which endpoint that is about. */
  about: About
};

/**
 * Which part of the requests that match is asked for: the newest, if nothing is said.
 */
export type Paging = {
  /** Only records with a smaller number: the `next` of the page before. */
  before: number | null,
  /** Only records with a larger number, oldest first: how a follower asks for what is new. */
  after: number | null,
  /** Most records wanted; none: 100, and never more than 1,000. */
  limit: number | null
};

/**
 * What checks cost, in USD, estimated from the tokens that they use.
 */
export type ProbeCosts = {
  /** All of them together, today. */
  today_usd: number,
  /** `health_check.daily_budget_usd`. */
  budget_usd: number,
  /** Whether the budget is reached, so that only free checks are made until midnight. */
  reached: boolean
};

/**
 * Something a person should look at.
 */
export type Problem = {
  /** What it is about. */
  kind: ProblemKind,
  /** What is wrong. */
  message: string,
  /** What to do. */
  remedy: string
};

/**
 * What a problem is about.
 */
export type ProblemKind = "config_error" | "config_warning" | "no_endpoints" | "credential" | "keychain" | "port" | "claude_code" | "journal" | "desktop";

/**
 * A program that runs an engine.
 */
export type Program = "serve" | "desktop";

/**
 * A limit of an endpoint, by the rate-limit headers of its last answer that had them.
 */
export type QuotaWindow = {
  /** `requests`, `tokens`, `input-tokens`, `output-tokens`, or a subscription's `5h`, `7d`. */
  name: string,
  /** How much of it is left, 0 to 1. */
  left: number,
  /** The limit and what is left of it, where they are told as numbers. */
  limit: number | null,
  /** As above. */
  remaining: number | null,
  /** When it is full again, in milliseconds since 1970-01-01 UTC. */
  resets_at_ms: number | null
};

/**
 * Why an endpoint was chosen, was not chosen, or is out.
 *
 * Durations are milliseconds. What an endpoint or the system said has lost its secrets. The serialized form, a
 * `code` and its parameters beside it, is what the catalogues' templates name.
 */
export type Reason = { "code": "pinned" }
  | { "code": "first_choice" }
  | { "code": "remembered" }
  | { "code": "faster",
  /** Its latency. */
  to_ms: number,
  /** The latency of the one it replaces. */
  from_ms: number,
  /** `server.switch_threshold_ms`. */
  threshold_ms: number
}
  | { "code": "best_priority",
  /** Its priority. */
  priority: number
}
  | { "code": "best_price",
  /** Its relative price. */
  price: number
}
  | { "code": "replaces" }
  | { "code": "stands_in" }
  | { "code": "leaves_slow",
  /** The time to the first event of its last slow stream. */
  ms: number,
  /** The usual time. */
  usual_ms: number
}
  | { "code": "spares_quota",
  /** Of which: `requests`, `tokens`, `5h` and the like. */
  window: string,
  /** How much of it is left. */
  left_percent: number
}
  | { "code": "leaves_broken" }
  | { "code": "in_use" }
  | { "code": "none_better" }
  | { "code": "sticky" }
  | { "code": "stays_for_cache",
  /** How much sooner an answer would begin elsewhere. */
  saved_ms: number,
  /** What that is worth over the turns to come. */
  worth_usd: number,
  /** What moving costs. */
  cost_usd: number
}
  | { "code": "worth_moving",
  /** How much sooner an answer begins. */
  saved_ms: number,
  /** What that is worth over the turns to come. */
  worth_usd: number,
  /** What moving costs. */
  cost_usd: number
}
  | { "code": "turn" }
  | { "code": "last_resort" }
  | { "code": "trial" }
  | { "code": "beside",
  /** How long that answer has taken so far. */
  waited_ms: number
}
  | { "code": "without_thinking" }
  | { "code": "already_tried" }
  | { "code": "disabled" }
  | { "code": "draining" }
  | { "code": "no_credential",
  /** Where it was looked for. */
  reference: string
}
  | { "code": "trial_in_flight" }
  | { "code": "awaiting_probe" }
  | { "code": "broke_off" }
  | { "code": "model_not_served",
  /** The model asked for. */
  model: string
}
  | { "code": "requested_model_not_served" }
  | { "code": "family_spent" }
  | { "code": "subscription_spent",
  /** Until it takes requests again; begun minutes count. */
  remaining_min: number
}
  | { "code": "too_large_there" }
  | { "code": "client_not_admitted_there" }
  | { "code": "conversation_refused" }
  | { "code": "needs_own_credential" }
  | { "code": "needs_home" }
  | { "code": "slow",
  /** The time to the first event of its last slow stream. */
  ms: number,
  /** The usual time. */
  usual_ms: number
}
  | { "code": "runs_dry",
  /** Of which: `requests`, `tokens`, `5h` and the like. */
  window: string,
  /** How much of it is left. */
  left_percent: number
}
  | { "code": "not_faster",
  /** Its latency. */
  ms: number,
  /** The latency of the one chosen. */
  than_ms: number
}
  | { "code": "within_noise",
  /** Its latency. */
  ms: number,
  /** The latency of the one chosen. */
  than_ms: number,
  /** The difference that would be enough. */
  needed_ms: number
}
  | { "code": "not_measured" }
  | { "code": "lower_priority",
  /** Its priority. */
  priority: number
}
  | { "code": "dearer",
  /** Its relative price. */
  price: number
}
  | { "code": "dwelling",
  /** Until a switch for speed may happen. */
  remaining_ms: number
}
  | { "code": "paused" }
  | { "code": "not_pinned" }
  | { "code": "status",
  /** The status. */
  status: number
}
  | { "code": "connect_failed",
  /** What the system said. */
  detail: string
}
  | { "code": "certificate_expired",
  /** Who issued it. */
  issuer: string,
  /** Its last day, as `2027-01-31`. */
  last_day: string
}
  | { "code": "certificate_not_yet_valid",
  /** Who issued it. */
  issuer: string,
  /** Its first day, as `2027-01-31`. */
  first_day: string
}
  | { "code": "certificate_of_others",
  /** Their names, a few of them. */
  names: string,
  /** Who issued it. */
  issuer: string,
  /** Its last day, as `2027-01-31`. */
  last_day: string
}
  | { "code": "certificate_issuer_unknown",
  /** Who issued it. */
  issuer: string,
  /** Its last day, as `2027-01-31`. */
  last_day: string
}
  | { "code": "certificate_rejected",
  /** What the system said. */
  detail: string,
  /** Who issued it. */
  issuer: string,
  /** Its last day, as `2027-01-31`. */
  last_day: string
}
  | { "code": "clear_text" }
  | { "code": "connection_lost",
  /** What the system said. */
  detail: string
}
  | { "code": "timed_out",
  /** How long was waited. */
  after_ms: number
}
  | { "code": "rate_limited",
  /** The status. */
  status: number
}
  | { "code": "overloaded",
  /** The status. */
  status: number
}
  | { "code": "credential_refused",
  /** The status. */
  status: number
}
  | { "code": "keychain_token_refused",
  /** The status. */
  status: number,
  /** The entry, as one word of a command line. */
  entry: string
}
  | { "code": "variable_token_refused",
  /** The status. */
  status: number,
  /** The variable, of the environment or of `.env`. */
  variable: string
}
  | { "code": "quota_used_up",
  /** The status. */
  status: number
}
  | { "code": "redirected",
  /** The status. */
  status: number
}
  | { "code": "html" }
  | { "code": "empty_answer" }
  | { "code": "not_messages_format",
  /** What was expected, what was seen. */
  detail: string
}
  | { "code": "error_in_answer",
  /** The error's type, for instance `overloaded_error`. */
  error_type: string
}
  | { "code": "stream_cut" }
  | { "code": "stream_stalled",
  /** For how long. */
  after_ms: number
}
  | { "code": "broken_midway",
  /** What was wrong. */
  detail: string
}
  | { "code": "not_served",
  /** The status. */
  status: number
}
  | { "code": "origin_down",
  /** The status. */
  status: number
}
  | { "code": "challenge",
  /** The status. */
  status: number
}
  | { "code": "gateway_page",
  /** The status. */
  status: number
}
  | { "code": "model_limited",
  /** The status. */
  status: number
}
  | { "code": "family_limited",
  /** The status. */
  status: number,
  /** The family, such as `opus`. */
  family: string
}
  | { "code": "too_large",
  /** The status. */
  status: number
}
  | { "code": "client_not_admitted",
  /** The status. */
  status: number
}
  | { "code": "content_refused",
  /** The status. */
  status: number
}
  | { "code": "login_refused",
  /** The status. */
  status: number
}
  | { "code": "thinking_not_theirs",
  /** The status. */
  status: number
}
  | { "code": "not_the_apis",
  /** The status. */
  status: number
}
  | { "code": "client_fault",
  /** The status. */
  status: number
}
  | { "code": "probe_failed",
  /** How. */
  detail: string
}
  | { "code": "slower",
  /** How long it takes now. */
  ms: number,
  /** How long it usually takes. */
  usual_ms: number
}
  | { "code": "cli_failed",
  /** How. */
  detail: string
}
  | { "code": "drain_timeout" };

/**
 * A body, as far as it was kept.
 */
export type RecordedBody = {
  /** Decoded, secrets redacted; what is no text is replaced by U+FFFD. */
  text: string,
  /** Whether there was more. */
  truncated: boolean
};

/**
 * One request with all that was kept of it.
 */
export type RequestDetail = {
  /** The record. */
  record: RequestRecord,
  /** The client's headers, secrets redacted. */
  request_headers: Array<[string, string]>,
  /** The answer's headers, secrets redacted. */
  response_headers: Array<[string, string]>,
  /** `None`: not kept. */
  request_body: RecordedBody | null,
  /** `None`: not kept. */
  response_body: RecordedBody | null
};

/**
 * How a request ended.
 */
export type RequestEnd = "answered" | "failed" | "aborted" | "abandoned" | "refused";

/**
 * Which requests are asked for. What is not said does not matter; everything said has to hold.
 */
export type RequestFilter = {
  /** Begun at this time or later. */
  since_ms: number | null,
  /** Begun before this time. */
  until_ms: number | null,
  /** Answered by this endpoint, or tried there. */
  endpoint: string | null,
  /** The model asked for or served. */
  model: string | null,
  /** The session's identifier. */
  session: string | null,
  /** The status that the client got. */
  status: number | null,
  /** Only those that did not end as `answered`. */
  failed: boolean,
  /** Words that occur in the record, its error or its recorded bodies. */
  text: string | null
};

/**
 * Requests that match.
 */
export type RequestPage = {
  /** Newest first; oldest first when asked with `after`. */
  requests: Array<RequestRecord>,
  /** What to ask for as `before` (or `after`) to get more; `None`: there is no more. */
  next: number | null
};

/**
 * One request, as the journal keeps it.
 */
export type RequestRecord = {
  /** Its number in the journal; later records have larger ones. */
  id: number,
  /** Its identifier in the log and in the answer's `x-zephyr-request-id`. */
  request: string,
  /** When it began. */
  at_ms: number,
  /** HTTP method. */
  method: string,
  /** Path, without the query. */
  path: string,
  /** The status that the client got; `None`: it left before. */
  status: number | null,
  /** How it ended. */
  end: RequestEnd,
  /** The client's name and version, from its `User-Agent`. */
  client: string | null,
  /** The session it belongs to, as its client says. */
  session: string | null,
  /** The sub-agent that sent it, as its client says. */
  agent: string | null,
  /** The model asked for. */
  model: string | null,
  /** The model that the answer names. */
  served_model: string | null,
  /** Whether a stream was asked for; `None`: not known. */
  stream: boolean | null,
  /** The endpoint whose answer the client got. */
  endpoint: string | null,
  /** Every attempt, in order. */
  attempts: Array<AttemptRecord>,
  /** From the request's head to the end of its answer. */
  duration_ms: number,
  /** From the request's head to the first event of its answer. */
  ttft_ms: number | null,
  /** Of the request's body. */
  request_bytes: number,
  /** Of the answer's body. */
  response_bytes: number,
  /** What the answer says of its tokens; `None`: nothing. */
  tokens: Tokens | null,
  /** Why the model stopped. */
  stop_reason: string | null,
  /** What it cost by the price table; `None`: the model's price, or the usage, is unknown. */
  cost_usd: number | null,
  /** What reading from the prompt cache saved against reading all as fresh input. */
  cache_saved_usd: number | null,
  /** How much more writing the cache anew cost than reading it where the conversation was before; `None`:
 * it did not move. */
  cache_lost_usd: number | null,
  /** What the prompt of an overtaken attempt cost, in US dollars; not in `cost_usd`. An estimate, and an upper
 * bound: nobody tells what a cancelled answer used, so it is the prompt of the answer that was first, at
 * the price of the other endpoint, as if nothing of it were cached there. `None`: no attempt was
 * overtaken, or the price is unknown. */
  overtaken_cost_usd: number | null,
  /** What went wrong, in English. */
  error: string | null
};

/**
 * A token on its way into the keychain.
 */
export type SecretText = string;

/**
 * A key of the configuration file outside groups and endpoints.
 */
export type Setting = {
  /** `server.port`. What it means is the message `settings.server.port`. */
  key: string,
  /** What values it takes. */
  kind: SettingKind,
  /** Its value when the file does not set it. */
  default: SettingValue,
  /** What the file says; `None`: nothing. */
  value: SettingValue | null,
  /** Whether a change takes effect only after a restart. */
  needs_restart: boolean
};

/**
 * What values a setting takes.
 */
export type SettingKind = { "kind": "switch" }
  | { "kind": "number",
  /** Least. */
  min: number,
  /** Most. */
  max: number,
  /** Whether only whole numbers are taken. */
  whole: boolean
}
  | { "kind": "choice",
  /** As the file says them. */
  options: Array<string>
}
  | { "kind": "choice_or_number",
  /** The words, as the file says them. */
  options: Array<string>,
  /** Least number. */
  min: number,
  /** Most. */
  max: number,
  /** Whether only whole numbers are taken. */
  whole: boolean
}
  | { "kind": "text" }
  | { "kind": "list" };

/**
 * A setting's value.
 */
export type SettingValue = boolean | number | string | Array<string>;

/**
 * Everything there is to show, at one moment.
 *
 * Times are milliseconds since the Unix epoch, durations milliseconds.
 */
export type Snapshot = {
  /** Version of the program. */
  version: string,
  /** When this was true. */
  taken_at_ms: number,
  /** When the engine started. */
  started_at_ms: number,
  /** Where it listens. */
  listening: Listening,
  /** The configuration file in force. */
  config_path: string | null,
  /** How things are as a whole. Front-ends show this, and derive nothing of their own. */
  status: OverallStatus,
  /** Whether Zephyr chooses. */
  mode: Mode,
  /** Whether probes and switches for speed are stopped. */
  paused: boolean,
  /** Since when nothing at all can be reached, which is this machine's network and no endpoint's fault. */
  offline_since_ms: number | null,
  /** How an endpoint is chosen. */
  strategy: Strategy,
  /** The endpoint in use; none while requests are distributed or nothing is usable. */
  current: string | null,
  /** Why that one, and why not the others. */
  decision: Decision | null,
  /** The last time that a conversation's prompt cache was weighed against a faster endpoint, if it was in
 * the last ten minutes. */
  weighed: Weighed | null,
  /** Endpoints in the configuration's order. */
  endpoints: Array<EndpointView>,
  /** What happened lately, oldest first; `seq` has no gaps but where the oldest were dropped. */
  events: Array<Event>,
  /** What a person should look at, worst first. */
  problems: Array<Problem>,
  /** Counters since the start. */
  totals: Totals,
  /** What checks cost. */
  probes: ProbeCosts,
  /** Set while the program is about to end. */
  drain: Drain | null,
  /** The requests in flight, oldest first, and those that ended in the last seconds; at most 200. */
  requests: Array<LiveRequest>,
  /** The journal. */
  journal: JournalStatus,
  /** The program around the engine. */
  host: Host,
  /** How front-ends are to look. */
  appearance: Appearance
};

/**
 * Where a credential comes from.
 */
export type Source = { "source": "variable",
  /** Its name. */
  name: string
}
  | { "source": "entry",
  /** Its name. */
  name: string
}
  | { "source": "client" }
  | { "source": "unknown" };

/**
 * How a confirmation stands, for the browser that waits for it.
 */
export type Standing = "waiting" | "allowed" | "refused" | "gone";

/**
 * How an endpoint is chosen.
 */
export type Strategy = "latency" | "priority" | "price" | "round_robin" | "weighted_round_robin" | "random";

/**
 * What a verdict is about: a mark is set on that alone.
 */
export type Subject = { "subject": "endpoint" }
  | { "subject": "account" }
  | { "subject": "model" }
  | { "subject": "family",
  /** Its name, such as `opus`. */
  family: string
}
  | { "subject": "size" }
  | { "subject": "client_kind" }
  | { "subject": "conversation" }
  | { "subject": "login" }
  | { "subject": "signature" }
  | { "subject": "request" }
  | { "subject": "client" };

/**
 * What is to be tested, step by step.
 */
export type Tested = { "what": "configured",
  /** Its name. */
  endpoint: string
}
  | { "what": "draft",
  /** The form. */
  endpoint: EndpointForm,
  /** Its token, if it is not where the form says. */
  token: SecretText | null
};

/**
 * `ui.theme`.
 */
export type ThemeChoice = "auto" | "light" | "dark";

/**
 * Where a token is; never the token.
 */
export type TokenReference = { "kind": "none" }
  | { "kind": "env", "name": string }
  | { "kind": "keychain", "name": string };

/**
 * Tokens of one answer, or of many.
 */
export type Tokens = {
  /** Fresh input. */
  input: number,
  /** Written to the five-minute cache. */
  cache_write_5m: number,
  /** Written to the one-hour cache. */
  cache_write_1h: number,
  /** Read from the cache. */
  cache_read: number,
  /** Output, thinking included. */
  output: number,
  /** Of the output, thinking. */
  thinking: number
};

/**
 * Counters since the start.
 */
export type Totals = {
  /** Requests forwarded. */
  requests: number,
  /** Attempts made for them. */
  attempts: number,
  /** Requests that another endpoint answered than the first asked. */
  failed_over: number,
  /** Requests whose client got an error that an endpoint or Zephyr made. */
  failed: number,
  /** Answers aborted midway. */
  aborted: number,
  /** Requests whose client left first. */
  abandoned: number,
  /** Requests being answered. */
  in_flight: number,
  /** Those of them that wait for an endpoint to return. */
  waiting: number
};

/**
 * Times to first event of one model's streams.
 */
export type TtftPercentiles = {
  /** The model. */
  model: string,
  /** Streams so far. */
  count: number,
  /** Half of them began within this time. */
  p50_ms: number,
  /** 95 of 100 did. */
  p95_ms: number
};

/**
 * What some requests came to.
 */
export type Usage = {
  /** How many. */
  requests: number,
  /** Those that did not end as `answered`. */
  failed: number,
  /** Their tokens. */
  tokens: Tokens,
  /** The cost of those with a known price. */
  cost_usd: number,
  /** Those with tokens but without a known price, and those whose tokens are not known. */
  unpriced: number,
  /** What the prompt cache saved. */
  cache_saved_usd: number,
  /** What moving conversations cost in cache written anew. */
  cache_lost_usd: number,
  /** What probes cost; in sums by day, hour and endpoint. */
  probes_usd: number,
  /** Those with a second attempt beside a late first one. */
  second_attempts: number,
  /** What the overtaken ones of these attempts cost, in US dollars; not in `cost_usd`. An estimate,
 * and an upper bound. */
  overtaken_cost_usd: number
};

/**
 * What usage is summed by.
 */
export type UsageBy = "day" | "hour" | "endpoint" | "model" | "session";

/**
 * Sums that are asked for.
 */
export type UsageQuery = {
  /** Requests begun at this time or later. */
  since_ms: number | null,
  /** Requests begun before this time. */
  until_ms: number | null,
  /** What every row is of. */
  by: UsageBy,
  /** Splits every row further: for a chart of days by model, say. */
  split: UsageBy | null
};

/**
 * Sums.
 */
export type UsageReport = {
  /** Days and hours in order of time, the rest by cost, dearest first. */
  rows: Array<UsageRow>,
  /** Of all rows. */
  total: Usage,
  /** Since when the journal knows: earlier requests are in no sum. */
  complete_since_ms: number | null
};

/**
 * A row of sums.
 */
export type UsageRow = {
  /** The day, endpoint, model or session; empty: not known. */
  key: string,
  /** What the row is split by; empty where nothing was asked. */
  split: string,
  /** How many. */
  requests: number,
  /** Those that did not end as `answered`. */
  failed: number,
  /** Their tokens. */
  tokens: Tokens,
  /** The cost of those with a known price. */
  cost_usd: number,
  /** Those with tokens but without a known price, and those whose tokens are not known. */
  unpriced: number,
  /** What the prompt cache saved. */
  cache_saved_usd: number,
  /** What moving conversations cost in cache written anew. */
  cache_lost_usd: number,
  /** What probes cost; in sums by day, hour and endpoint. */
  probes_usd: number,
  /** Those with a second attempt beside a late first one. */
  second_attempts: number,
  /** What the overtaken ones of these attempts cost, in US dollars; not in `cost_usd`. An estimate,
 * and an upper bound. */
  overtaken_cost_usd: number
};

/**
 * What an attempt's answer was taken for, besides its outcome.
 */
export type Verdict = {
  /** What it is about. */
  about: Subject,
  /** What shows that. */
  ground: Ground,
  /** Until when what it means holds, in milliseconds since 1970; `None`: nothing is marked, or until
 * something else ends it. */
  until_ms: number | null
};

/**
 * A conversation's prompt cache, weighed against a faster endpoint.
 */
export type Weighed = {
  /** When. */
  at_ms: number,
  /** Where the conversation was. */
  from: string,
  /** The faster endpoint. */
  to: string,
  /** Whether the conversation moved there. Otherwise it stayed for its cache. */
  moved: boolean,
  /** How much sooner an answer begins there. */
  saved_ms: number,
  /** What that is worth over the turns to come, in USD. */
  worth_usd: number,
  /** What moving costs, in USD. */
  cost_usd: number
};
