// Generated from crates/control by its tests. Do not edit.

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
  | { "command": "connect_claude_code" }
  | { "command": "disconnect_claude_code" }
  | { "command": "launch_at_login",
  /** Whether it does. */
  enabled: boolean
}
  | { "command": "show" }
  | { "command": "quit" };

/**
 * A command or a query could not be carried out.
 */
export type ControlError = {
  /** For programs. */
  code: ErrorCode,
  /** For people: what happened and what to do. */
  message: string
};

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
 * What an endpoint can do now.
 */
export type EndpointState = "ready" | "recovering" | "failing" | "throttled" | "refused" | "exhausted" | "draining" | "disabled" | "no_credential";

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
  /** Latency of probes, smoothed. */
  latency_ms: number | null,
  /** Latency of the last probes, oldest first; failed ones are `None`. */
  latency_history: Array<number | null>,
  /** Time to first event of real streams, smoothed. */
  ttft_ms: number | null,
  /** The same by model, the model used last first. */
  ttft_percentiles: Array<TtftPercentiles>,
  /** What its checks have cost today, in USD, estimated. */
  probe_cost_usd: number,
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
export type ErrorCode = "unknown_endpoint" | "not_possible" | "invalid_configuration" | "unreachable" | "unauthorized" | "bad_request" | "internal";

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
export type ProblemKind = "config_error" | "config_warning" | "no_endpoints" | "credential" | "keychain" | "port" | "claude_code" | "desktop";

/**
 * A program that runs an engine.
 */
export type Program = "serve" | "desktop";

/**
 * Why an endpoint was chosen, was not chosen, or is out.
 *
 * Durations are milliseconds. The serialized form, a `code` and its parameters beside it, is what the
 * catalogues' templates name.
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
  | { "code": "leaves_slow",
  /** The time to the first event of its last slow stream. */
  ms: number,
  /** The usual time. */
  usual_ms: number
}
  | { "code": "in_use" }
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
  | { "code": "already_tried" }
  | { "code": "disabled" }
  | { "code": "draining" }
  | { "code": "no_credential",
  /** Where it was looked for. */
  reference: string
}
  | { "code": "trial_in_flight" }
  | { "code": "awaiting_probe" }
  | { "code": "model_not_served",
  /** The model asked for. */
  model: string
}
  | { "code": "slow",
  /** The time to the first event of its last slow stream. */
  ms: number,
  /** The usual time. */
  usual_ms: number
}
  | { "code": "not_faster",
  /** Its latency. */
  ms: number,
  /** The latency of the one chosen. */
  than_ms: number
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
  /** The program around the engine. */
  host: Host,
  /** How front-ends are to look. */
  appearance: Appearance
};

/**
 * How an endpoint is chosen.
 */
export type Strategy = "latency" | "priority" | "price" | "round_robin" | "weighted_round_robin" | "random";

/**
 * `ui.theme`.
 */
export type ThemeChoice = "auto" | "light" | "dark";

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
