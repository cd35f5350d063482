// A journal as an engine would keep it, and its configuration: made by rule, so that a hundred thousand
// requests cost nothing until they are asked for.

import type {
  AttemptRecord,
  Configuration,
  EndpointForm,
  EndpointHistory,
  HistoryPoint,
  HistoryQuery,
  Paging,
  RequestDetail,
  RequestFilter,
  RequestPage,
  RequestRecord,
  Setting,
  Tokens,
  Usage,
  UsageQuery,
  UsageReport,
  UsageRow,
} from "../src/lib/generated/control";
import { NOW } from "./snapshots";

const ENDPOINTS = ["Tokyo", "Singapore", "Frankfurt", "Backup"] as const;
const MODELS = ["claude-sonnet-4-5", "claude-haiku-4-5", "claude-opus-4-1", "house-model-7b"] as const;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const pick = <Item>(items: readonly Item[], index: number): Item =>
  items[index % items.length] as Item;

/** The requests numbered 1 to `count`; the last one has just ended. */
export class Recorded {
  constructor(
    public count: number,
    private readonly now = NOW,
    private readonly every = 41_000,
  ) {}

  record(id: number): RequestRecord {
    const age = (this.count - id) * this.every;
    const endpoint = pick(ENDPOINTS, Math.floor(id / 7));
    const model = pick(MODELS, Math.floor(id / 3));
    const failed = id % 17 === 0;
    const moved = id % 11 === 0 && !failed;
    const duration = 900 + ((id * 7919) % 24_000);
    const ttft = 380 + ((id * 131) % 900);
    const tokens = failed ? null : tokensOf(id);
    const priced = model !== "house-model-7b";
    const attempts: AttemptRecord[] = [];
    if (moved || failed) {
      attempts.push({
        endpoint: pick(ENDPOINTS, Math.floor(id / 7) + 1),
        why: { code: "in_use" },
        outcome: "throttled",
        reason: { code: "overloaded", status: 529 },
        verdict: {
          about: { subject: "endpoint" },
          ground: { ground: "status" },
          until_ms: this.now - age + 90_000,
        },
        status: 529,
        queue_ms: 0.4,
        connect_ms: 31,
        tls_ms: 44,
        headers_ms: 210,
        first_event_ms: null,
        last_byte_ms: 214,
        rate_limits: [["anthropic-ratelimit-requests-remaining", "0"]],
      });
    }
    const raced = id % 29 === 3 && attempts.length === 0;
    if (raced) {
      attempts.push({
        endpoint: pick(ENDPOINTS, Math.floor(id / 7) + 1),
        why: { code: "in_use" },
        outcome: "overtaken",
        reason: null,
        verdict: null,
        status: null,
        queue_ms: 0.4,
        connect_ms: null,
        tls_ms: null,
        headers_ms: null,
        first_event_ms: null,
        last_byte_ms: ttft + 216,
        rate_limits: [],
      });
    }
    const queue = attempts.length > 0 ? 216 : 0.4;
    attempts.push({
      endpoint,
      why: raced ? { code: "beside", waited_ms: 216 } : attempts.length > 0 ? { code: "replaces" } : { code: "sticky" },
      outcome: failed ? "failed" : "answered",
      reason: failed ? { code: "status", status: 500 } : null,
      verdict: null,
      status: failed ? 500 : 200,
      queue_ms: queue,
      connect_ms: attempts.length > 0 ? 28 : null,
      tls_ms: attempts.length > 0 ? 39 : null,
      headers_ms: ttft - 120,
      first_event_ms: failed ? null : ttft,
      last_byte_ms: duration - queue,
      rate_limits: [],
    });
    return {
      id,
      request: `req_${id.toString(36).padStart(8, "0")}`,
      at_ms: this.now - age - duration,
      method: "POST",
      path: "/v1/messages",
      status: failed ? 500 : 200,
      end: failed ? "failed" : "answered",
      client: "claude-cli/2.0.14",
      session: `session-${Math.floor(id / 40)}`,
      agent: id % 5 === 0 ? "agent-explore" : null,
      model,
      served_model: failed ? null : model,
      stream: true,
      endpoint,
      attempts,
      duration_ms: duration,
      ttft_ms: failed ? null : ttft + queue,
      request_bytes: 48_213 + (id % 900) * 31,
      response_bytes: failed ? 96 : 5_120 + (id % 300) * 17,
      tokens,
      stop_reason: failed ? null : "end_turn",
      cost_usd: tokens && priced ? costOf(tokens) : null,
      cache_saved_usd: tokens && priced ? tokens.cache_read * 2.7e-6 : null,
      cache_lost_usd: tokens && priced ? (moved ? 0.0184 : 0) : null,
      overtaken_cost_usd: raced && tokens && priced ? writtenOf(tokens) : null,
      error: failed ? "Frankfurt answered HTTP 500: internal server error" : null,
    };
  }

  page(filter: RequestFilter, paging: Paging): RequestPage {
    const limit = Math.min(paging.limit ?? 100, 1_000);
    const requests: RequestRecord[] = [];
    const forward = paging.after !== null;
    let id = forward ? (paging.after ?? 0) + 1 : Math.min((paging.before ?? this.count + 1) - 1, this.count);
    for (; id >= 1 && id <= this.count && requests.length < limit; id += forward ? 1 : -1) {
      const record = this.record(id);
      if (matches(record, filter)) requests.push(record);
    }
    const more = forward ? id <= this.count : id >= 1;
    return { requests, next: more ? (requests.at(-1)?.id ?? null) : null };
  }

  detail(id: number): RequestDetail {
    const record = this.record(id);
    return {
      record,
      request_headers: [
        ["content-type", "application/json"],
        ["anthropic-version", "2023-06-01"],
        ["authorization", "Bearer ***"],
        ["user-agent", "claude-cli/2.0.14 (external, cli)"],
      ],
      response_headers: [
        ["content-type", record.end === "answered" ? "text/event-stream" : "application/json"],
        ["x-zephyr-request-id", record.request],
      ],
      request_body: {
        text: JSON.stringify({ model: record.model, max_tokens: 1024, stream: true, messages: [{ role: "user", content: "Why is the sky blue?" }] }),
        truncated: false,
      },
      response_body: record.end === "answered" ? { text: STREAM, truncated: false } : null,
    };
  }

  usage(query: UsageQuery): UsageReport {
    const since = query.since_ms ?? this.now - 14 * DAY;
    const rows = new Map<string, UsageRow>();
    const total = nothing();
    const newest = Math.max(1, this.count - 4_000);
    for (let id = this.count; id >= newest; id -= 1) {
      const record = this.record(id);
      if (record.at_ms < since) break;
      const key = keyOf(record, query.by);
      const split = query.split ? keyOf(record, query.split) : "";
      const row = rows.get(`${key}\n${split}`) ?? { key, split, ...nothing() };
      rows.set(`${key}\n${split}`, row);
      for (const sum of [row, total]) add(sum, record);
    }
    const isTime = query.by === "day" || query.by === "hour";
    if (isTime || query.by === "endpoint") {
      total.probes_usd = 0.0421;
      const first = [...rows.values()][0];
      if (first) first.probes_usd = 0.0421;
    }
    const sorted = [...rows.values()].sort((a, b) =>
      isTime ? a.key.localeCompare(b.key) : b.cost_usd - a.cost_usd,
    );
    return { rows: sorted, total, complete_since_ms: this.now - 14 * DAY };
  }

  /** Of the last one nothing was seen. */
  history({ since_ms, until_ms, endpoint }: HistoryQuery): EndpointHistory[] {
    const names = ENDPOINTS.slice(0, -1).filter((name) => endpoint === null || name === endpoint);
    return names.map((name) => ({
      endpoint: name,
      points: pointsOf(name, this.now, since_ms ?? 0, until_ms ?? Infinity),
    }));
  }
}

/** Checked every minute, and every hour longer ago; throttled and failing for a while every half day. */
function pointsOf(endpoint: string, now: number, since: number, until: number): HistoryPoint[] {
  const base = 80 + 60 * Math.max(ENDPOINTS.findIndex((name) => name === endpoint), 0);
  const points: HistoryPoint[] = [];
  const first = Math.floor(Math.max(since, now - 45 * DAY) / HOUR) * HOUR;
  for (let at = first, span = HOUR; at < Math.min(until, now); at += span) {
    span = at < now - 2 * DAY ? HOUR : MINUTE;
    if (at + span <= since) continue;
    const hour = Math.floor(at / HOUR);
    const minute = Math.floor(at / MINUTE);
    const state = hour % 12 !== 7 ? "ready" : minute % 60 < 25 ? "throttled" : minute % 60 < 40 ? "failing" : "ready";
    const isReady = state === "ready";
    const wave = Math.sin(hour / 3) * 0.2 + ((minute * 7919) % 97) / 400;
    const attempts = (hour * 5 + minute) % 4;
    points.push({
      at_ms: at,
      span_ms: span,
      latency_ms: isReady ? base * (1 + wave) : null,
      ttft_ms: isReady && attempts > 0 ? base * 6 * (1 + wave * 1.4) : null,
      attempts,
      failures: isReady ? 0 : attempts,
      state,
    });
  }
  return points;
}

function matches(record: RequestRecord, filter: RequestFilter): boolean {
  if (filter.since_ms !== null && record.at_ms < filter.since_ms) return false;
  if (filter.until_ms !== null && record.at_ms >= filter.until_ms) return false;
  if (filter.endpoint !== null && !record.attempts.some(({ endpoint }) => endpoint === filter.endpoint)) return false;
  if (filter.model !== null && record.model !== filter.model) return false;
  if (filter.session !== null && record.session !== filter.session) return false;
  if (filter.status !== null && record.status !== filter.status) return false;
  if (filter.failed && record.end === "answered") return false;
  return filter.text === null || JSON.stringify(record).includes(filter.text);
}

function tokensOf(id: number): Tokens {
  return {
    input: 120 + (id % 700),
    cache_write_5m: 900 + ((id * 37) % 4_000),
    cache_write_1h: 0,
    cache_read: 12_000 + ((id * 97) % 60_000),
    output: 90 + ((id * 53) % 2_400),
    thinking: id % 4 === 0 ? 64 : 0,
  };
}

function costOf(tokens: Tokens): number {
  return (tokens.input * 3 + tokens.cache_write_5m * 3.75 + tokens.cache_read * 0.3 + tokens.output * 15) / 1e6;
}

/** What the prompt costs if all of it is written to the cache. */
function writtenOf(tokens: Tokens): number {
  return (tokens.input * 3 + (tokens.cache_write_5m + tokens.cache_read) * 3.75) / 1e6;
}

function nothing(): Usage {
  const tokens = { input: 0, cache_write_5m: 0, cache_write_1h: 0, cache_read: 0, output: 0, thinking: 0 };
  return { requests: 0, failed: 0, tokens, cost_usd: 0, unpriced: 0, cache_saved_usd: 0, cache_lost_usd: 0, probes_usd: 0, second_attempts: 0, overtaken_cost_usd: 0 };
}

function add(sum: Usage, record: RequestRecord) {
  sum.requests += 1;
  if (record.end !== "answered") sum.failed += 1;
  sum.cost_usd += record.cost_usd ?? 0;
  if (record.tokens && record.cost_usd === null) sum.unpriced += 1;
  sum.cache_saved_usd += record.cache_saved_usd ?? 0;
  sum.cache_lost_usd += record.cache_lost_usd ?? 0;
  if (record.attempts.some(({ why }) => why?.code === "beside")) sum.second_attempts += 1;
  sum.overtaken_cost_usd += record.overtaken_cost_usd ?? 0;
  for (const name of Object.keys(sum.tokens) as (keyof Tokens)[]) sum.tokens[name] += record.tokens?.[name] ?? 0;
}

function keyOf(record: RequestRecord, by: UsageQuery["by"]): string {
  const at = new Date(record.at_ms);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  switch (by) {
    case "day":
      return day;
    case "hour":
      return `${day}T${two(at.getHours())}`;
    case "endpoint":
      return record.endpoint ?? "";
    case "model":
      return record.model ?? "";
    case "session":
      return record.session ?? "";
  }
}

/** An answer with a thought and two deltas. */
export const STREAM = [
  ["message_start", { type: "message_start", message: { id: "msg_1", type: "message", role: "assistant", model: "claude-sonnet-4-5", content: [], stop_reason: null, stop_sequence: null, usage: { input_tokens: 12, output_tokens: 1 } } }],
  ["content_block_start", { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }],
  ["content_block_delta", { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Because air scatters short waves " } }],
  ["content_block_delta", { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "more than long ones." } }],
  ["content_block_stop", { type: "content_block_stop", index: 0 }],
  ["message_delta", { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 14 } }],
  ["message_stop", { type: "message_stop" }],
]
  .map(([name, data]) => `event: ${name as string}\ndata: ${JSON.stringify(data)}\n\n`)
  .join("");

export function form(name: string, fields: Partial<EndpointForm> = {}): EndpointForm {
  return {
    name,
    group: "primary",
    url: `https://${name.toLowerCase()}.example.com`,
    flag: null,
    enabled: true,
    priority: 10,
    weight: 1,
    price: 1,
    path_prefix: null,
    auth_type: null,
    token: { kind: "none" },
    proxy: null,
    ...fields,
  };
}

const SETTINGS: Setting[] = [
  setting("server.port", { kind: "number", min: 0, max: 65_535, whole: true }, 8080, 8080, true),
  setting("server.switch_threshold_ms", { kind: "number", min: 0, max: 60_000, whole: true }, 50),
  setting("server.allowed_hosts", { kind: "list" }, [], ["dev.local"]),
  setting("routing.strategy", { kind: "choice", options: ["latency", "priority", "price", "round_robin", "weighted_round_robin", "random"] }, "latency", "latency"),
  setting("routing.sticky_sessions", { kind: "switch" }, true),
  setting("routing.second_usd", { kind: "number", min: 0, max: 100, whole: false }, 0.01),
  setting("failover.max_attempts", { kind: "choice_or_number", options: ["all"], min: 1, max: 100, whole: true }, "all"),
  setting("failover.patience", { kind: "choice", options: ["auto", "fixed"] }, "auto"),
  setting("failover.hedge", { kind: "choice_or_number", options: ["auto", "off"], min: 0.001, max: 86_400, whole: false }, "auto", 2.5),
  setting("failover.hedge_budget_percent", { kind: "number", min: 0, max: 100, whole: true }, 5),
  setting("health_check.daily_budget_usd", { kind: "number", min: 0, max: 1_000, whole: false }, 0.5, 0.25),
  setting("health_check.model", { kind: "text" }, "claude-haiku-4-5"),
  setting("logging.log_request_body", { kind: "choice", options: ["none", "truncated", "full"] }, "none"),
  setting("logging.retention_days", { kind: "number", min: 1, max: 3_650, whole: true }, 14),
  setting("ui.language", { kind: "choice", options: ["auto", "en", "zh"] }, "auto"),
  setting("ui.theme", { kind: "choice", options: ["auto", "light", "dark"] }, "auto"),
  setting("notifications.on_switch", { kind: "switch" }, true, false),
  setting("desktop.launch_at_login", { kind: "switch" }, false),
];

function setting(
  key: string,
  kind: Setting["kind"],
  standard: Setting["default"],
  value: Setting["value"] = null,
  needs_restart = false,
): Setting {
  return { key, kind, default: standard, value, needs_restart };
}

export function configuration(): Configuration {
  return {
    path: "/home/ada/.config/zephyr/config.toml",
    groups: [
      { name: "primary", default: true, auth_type: "auth_token", token: { kind: "keychain", name: "primary" } },
      { name: "reserve", default: false, auth_type: "api_key", token: { kind: "env", name: "RESERVE_KEY" } },
    ],
    endpoints: [
      form("Tokyo", { flag: "🇯🇵" }),
      form("Singapore", { flag: "🇸🇬", token: { kind: "keychain", name: "singapore" } }),
      form("Frankfurt", { flag: "🇩🇪", enabled: false }),
      form("Backup", { group: "reserve", flag: "🇺🇸", price: 1.5 }),
    ],
    settings: SETTINGS,
  };
}
