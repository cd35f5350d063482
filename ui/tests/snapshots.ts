// Snapshots as an engine sends them, one for each thing that a window has to show.

import type { EndpointView, Event, LiveRequest, Snapshot } from "../src/lib/generated/control";

import examples from "./examples.json" with { type: "json" };

/** Snapshots as an engine sends them, written by the tests of `crates/control`. */
export const EXAMPLES = examples.snapshots as unknown as Record<string, Snapshot>;

/** When they were taken. */
export const NOW = Date.UTC(2026, 4, 12, 9, 30);

export function endpoint(name: string, fields: Partial<EndpointView> = {}): EndpointView {
  return {
    name,
    flag: null,
    group: "primary",
    url: `https://${name.toLowerCase().replaceAll(" ", "-")}.example.com`,
    enabled: true,
    state: "ready",
    reason: null,
    until_ms: null,
    latency_ms: 120,
    latency_history: [118, 131, 122, 117, 140, 125, 119, 121, 120],
    ttft_ms: 640,
    compared_by: "checks",
    ttft_percentiles: [],
    probe_cost_usd: 0,
    share: null,
    quota: [],
    last_check_ms: NOW - 12_000,
    last_error: null,
    in_flight: 0,
    attempts: 40,
    failures: 0,
    priority: 10,
    weight: 1,
    price: 1,
    ...fields,
  };
}

export function snapshot(fields: Partial<Snapshot> = {}): Snapshot {
  return {
    version: "0.1.0",
    taken_at_ms: NOW,
    started_at_ms: NOW - 3 * 3_600_000,
    listening: { proxy: "127.0.0.1:8080", admin: "127.0.0.1:8081" },
    config_path: "/home/ada/.config/zephyr/config.toml",
    status: { overall: "well", headline: { headline: "in_use", endpoint: "Tokyo" }, about: { about: "endpoint", endpoint: "Tokyo" } },
    mode: { mode: "auto" },
    paused: false,
    offline_since_ms: null,
    strategy: "latency",
    current: null,
    decision: null,
    weighed: null,
    endpoints: [],
    events: [],
    problems: [],
    probes: { today_usd: 0, budget_usd: 0.5, reached: false },
    totals: {
      requests: 128,
      attempts: 131,
      failed_over: 3,
      failed: 0,
      aborted: 0,
      abandoned: 1,
      in_flight: 2,
      waiting: 0,
    },
    drain: null,
    requests: [],
    journal: { path: null, bytes: 0, dropped: 0 },
    host: { program: "desktop", launch_at_login: false, claude_code: "connected" },
    appearance: { language: "auto", theme: "auto" },
    ...fields,
  };
}

const TOKYO = endpoint("Tokyo", {
  flag: "🇯🇵",
  latency_ms: 82.4,
  latency_history: [96, 91, 120, 88, 84, 86, 83, 90, 82, 81, 84, 82],
  ttft_ms: 512,
  ttft_percentiles: [],
  probe_cost_usd: 0,
  share: null,
  quota: [],
  in_flight: 2,
});
const SINGAPORE = endpoint("Singapore", {
  flag: "🇸🇬",
  latency_ms: 141.2,
  latency_history: [150, 139, 142, 160, 145, 138, 144, 141, 139, 140, 143, 141],
});
const FRANKFURT = endpoint("Frankfurt", {
  flag: "🇩🇪",
  latency_ms: 238,
  latency_history: [240, 233, 241, 236, 250, 238, 239, 231, 238, 242, 237, 238],
  ttft_ms: 910,
  ttft_percentiles: [],
  probe_cost_usd: 0,
  share: null,
  quota: [],
});
const BACKUP = endpoint("Backup", { group: "reserve", flag: "🇺🇸", latency_ms: 312, price: 1.5 });

const FASTER = { code: "faster", to_ms: 82, from_ms: 141, threshold_ms: 50 } as const;

const DECISION = {
  why: FASTER,
  others: [
    { endpoint: "Singapore", why: { code: "not_faster", ms: 141, than_ms: 82 } as const },
    { endpoint: "Frankfurt", why: { code: "not_faster", ms: 238, than_ms: 82 } as const },
    { endpoint: "Backup", why: { code: "not_faster", ms: 312, than_ms: 82 } as const },
  ],
};

const EVENTS: Event[] = [
  { seq: 1, at_ms: NOW - 10_600_000, event: "chosen", endpoint: "Singapore", decision: { why: { code: "first_choice" }, others: [] } },
  { seq: 2, at_ms: NOW - 3_700_000, event: "switched", from: "Singapore", to: "Tokyo", decision: { why: FASTER, others: [] } },
  { seq: 3, at_ms: NOW - 900_000, event: "taken_out", endpoint: "Frankfurt", why: { code: "overloaded", status: 529 }, until_ms: NOW - 840_000 },
  { seq: 4, at_ms: NOW - 899_000, event: "failed_over", from: "Frankfurt", why: { code: "overloaded", status: 529 } },
  { seq: 5, at_ms: NOW - 720_000, event: "recovered", endpoint: "Frankfurt" },
  { seq: 6, at_ms: NOW - 64_000, event: "config_reloaded" },
];

const healthy = snapshot({
  current: "Tokyo",
  decision: DECISION,
  endpoints: [TOKYO, SINGAPORE, FRANKFURT, BACKUP],
  events: EVENTS,
});

const failing = endpoint("Frankfurt", {
  ...FRANKFURT,
  state: "failing",
  reason: { code: "connect_failed", detail: "connection refused" },
  until_ms: NOW + 42_000,
  latency_history: [240, 233, 241, 236, 250, 238, null, 231, null, null, null],
});
const throttled = endpoint("Singapore", {
  ...SINGAPORE,
  state: "throttled",
  reason: { code: "rate_limited", status: 429 },
  until_ms: NOW + 125_000,
});
const refused = endpoint("Backup", {
  ...BACKUP,
  state: "refused",
  reason: { code: "credential_refused", status: 401 },
  latency_ms: null,
  latency_history: [],
  ttft_ms: null,
  ttft_percentiles: [],
  probe_cost_usd: 0,
  share: null,
  quota: [],
});

const degraded = snapshot({
  ...healthy,
  endpoints: [
    TOKYO,
    throttled,
    failing,
    refused,
    endpoint("Sydney", { group: "reserve", flag: "🇦🇺", enabled: false, state: "disabled", reason: { code: "disabled" } }),
    endpoint("Old laptop", { group: "reserve", state: "recovering", reason: { code: "awaiting_probe" }, latency_ms: 401 }),
  ],
  events: [
    ...EVENTS,
    { seq: 7, at_ms: NOW - 20_000, event: "taken_out", endpoint: "Singapore", why: { code: "rate_limited", status: 429 }, until_ms: NOW + 125_000 },
    { seq: 8, at_ms: NOW - 18_000, event: "taken_out", endpoint: "Frankfurt", why: { code: "connect_failed", detail: "connection refused" }, until_ms: NOW + 42_000 },
  ],
});

const allDown = snapshot({
  ...healthy,
  current: null,
  decision: null,
  endpoints: [
    endpoint("Tokyo", { ...TOKYO, state: "exhausted", reason: { code: "quota_used_up", status: 402 }, in_flight: 0 }),
    throttled,
    failing,
    refused,
  ],
  events: [...EVENTS, { seq: 7, at_ms: NOW - 4_000, event: "all_down" }],
});

const many = snapshot({
  ...healthy,
  current: "Asia 01",
  decision: { why: FASTER, others: [] },
  endpoints: Array.from({ length: 40 }, (_, index) => {
    const group = (["Asia", "Europe", "America"] as const)[index % 3] ?? "Asia";
    const name = `${group} ${String(Math.floor(index / 3) + 1).padStart(2, "0")}`;
    const latency_ms = 80 + ((index * 37) % 300);
    const fields = { group, latency_ms, latency_history: [latency_ms + 9, latency_ms - 7, latency_ms + 3, latency_ms] };
    if (index % 11 === 5) return endpoint(name, { ...fields, state: "failing", reason: { code: "timed_out", after_ms: 15_000 }, until_ms: NOW + 31_000 });
    return endpoint(name, fields);
  }),
});

function live(request: string, fields: Partial<LiveRequest> = {}): LiveRequest {
  return {
    request,
    at_ms: NOW - 4_000,
    ended_at_ms: null,
    end: null,
    path: "/v1/messages",
    model: "claude-sonnet-4-5",
    session: "session-7",
    endpoint: "Tokyo",
    attempts: 1,
    streaming: true,
    output_tokens: 412,
    ...fields,
  };
}

const PERCENTILES = [{ model: "claude-sonnet-4-5", count: 212, p50_ms: 512, p95_ms: 1_840 }];

const busy = snapshot({
  ...degraded,
  endpoints: degraded.endpoints.map((it) => {
    switch (it.name) {
      case "Tokyo":
        return {
          ...it,
          in_flight: 3,
          share: 0.81,
          ttft_percentiles: PERCENTILES,
          quota: [
            { name: "5h", left: 0.62, limit: null, remaining: null, resets_at_ms: NOW + 6_300_000 },
            { name: "7d", left: 0.06, limit: null, remaining: null, resets_at_ms: NOW + 190_000_000 },
          ],
        };
      case "Singapore":
        return { ...it, share: 0.19, ttft_percentiles: PERCENTILES };
      default:
        return { ...it, share: 0 };
    }
  }),
  requests: [
    live("req_1", { at_ms: NOW - 31_000, output_tokens: 2_904, attempts: 2 }),
    live("req_2", { model: "claude-haiku-4-5", output_tokens: 88 }),
    live("req_3", { at_ms: NOW - 1_200, streaming: false, output_tokens: 0 }),
    live("req_4", { at_ms: NOW - 600, endpoint: null, attempts: 0, streaming: false, output_tokens: 0 }),
    live("req_5", { at_ms: NOW - 9_000, ended_at_ms: NOW - 2_100, end: "answered", output_tokens: 640 }),
    live("req_6", { at_ms: NOW - 5_000, ended_at_ms: NOW - 1_000, end: "aborted", endpoint: "Frankfurt", output_tokens: 17 }),
  ],
  weighed: { at_ms: NOW - 150_000, from: "Singapore", to: "Tokyo", moved: true, saved_ms: 4_020, worth_usd: 0.281, cost_usd: 0.12 },
  journal: { path: "/home/ada/.local/share/zephyr/journal.db", bytes: 48_300_000, dropped: 0 },
  probes: { today_usd: 0.0421, budget_usd: 0.5, reached: false },
});

const shown = {
  healthy,
  degraded,
  busy,
  "all-down": allDown,
  paused: snapshot({ ...healthy, paused: true }),
  draining: snapshot({ ...healthy, drain: { in_flight: 2, until_ms: NOW + 28_000 } }),
  manual: snapshot({
    ...healthy,
    mode: { mode: "manual", endpoint: "Singapore" },
    current: "Singapore",
    decision: { why: { code: "pinned" }, others: [{ endpoint: "Tokyo", why: { code: "not_pinned" } }, { endpoint: "Frankfurt", why: { code: "not_pinned" } }, { endpoint: "Backup", why: { code: "not_pinned" } }] },
    host: { program: "desktop", launch_at_login: true, claude_code: "changed" },
  }),
  offline: snapshot({
    ...allDown,
    offline_since_ms: NOW - 190_000,
    endpoints: [TOKYO, SINGAPORE, FRANKFURT].map((up) => ({
      ...up,
      in_flight: 0,
      state: "unreachable" as const,
      reason: { code: "connect_failed", detail: "network is unreachable" } as const,
    })),
    events: [...EVENTS, { seq: 7, at_ms: NOW - 190_000, event: "offline" }],
  }),
  distributing: snapshot({ ...healthy, strategy: "round_robin", current: null, decision: null }),
  empty: snapshot({
    problems: [
      { kind: "no_endpoints", message: "no endpoint is configured", remedy: "add one to config.toml" },
    ],
    host: { program: "desktop", launch_at_login: false, claude_code: "disconnected" },
  }),
  starting: snapshot({ listening: { proxy: "", admin: "127.0.0.1:8081" } }),
  stopped: snapshot({
    listening: { proxy: "", admin: "127.0.0.1:8081" },
    problems: [
      { kind: "port", message: "port 8080 is used by python3 (process 4711)", remedy: "end that program, or change server.port in config.toml" },
    ],
  }),
  problems: snapshot({
    ...degraded,
    problems: [
      { kind: "config_error", message: "config.toml, line 12: groups[0].endpoints[1].url: “htps://x” is not an http or https address", remedy: "correct the file; it is read again as soon as it is saved" },
      { kind: "keychain", message: "the keychain is locked", remedy: "unlock it; tokens are read again by themselves" },
      { kind: "config_warning", message: "server.prot has no effect", remedy: "did you mean server.port?" },
    ],
  }),
  many,
  serve: snapshot({ ...healthy, host: { program: "serve", launch_at_login: null, claude_code: "unknown" }, events: [] }),
} satisfies Record<string, Snapshot>;

export type SnapshotName = keyof typeof shown;

/** By what they show. Each has the status of the engine's example of that name. */
export const SNAPSHOTS = Object.fromEntries(
  Object.entries(shown).map(([name, it]) => [name, { ...it, status: EXAMPLES[name]?.status ?? it.status }]),
) as Record<SnapshotName, Snapshot>;

/** The same snapshot, as if taken at `now`. */
export function takenAt(now: number, recorded: Snapshot): Snapshot {
  const moved = (key: string, value: unknown) =>
    typeof value === "number" && /(^|_)(at|until|since|check)_ms$/.test(key) ? value + now - NOW : value;
  return JSON.parse(JSON.stringify(recorded, moved)) as Snapshot;
}
