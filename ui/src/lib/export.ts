// An export of the journal, built in the page because the window has no server to download it from.

import type { Backend, ExportFormat } from "./backend";
import type { RequestFilter, RequestRecord } from "./generated/control";

/** The same columns as in the server's export. */
const COLUMNS: readonly [string, (record: RequestRecord) => unknown][] = [
  ["id", ({ id }) => id],
  ["time", ({ at_ms }) => new Date(at_ms).toISOString()],
  ["request", ({ request }) => request],
  ["method", ({ method }) => method],
  ["path", ({ path }) => path],
  ["status", ({ status }) => status],
  ["end", ({ end }) => end],
  ["client", ({ client }) => client],
  ["session", ({ session }) => session],
  ["agent", ({ agent }) => agent],
  ["model", ({ model }) => model],
  ["served_model", ({ served_model }) => served_model],
  ["stream", ({ stream }) => stream],
  ["endpoint", ({ endpoint }) => endpoint],
  ["attempts", ({ attempts }) => attempts.length],
  ["duration_ms", ({ duration_ms }) => duration_ms],
  ["ttft_ms", ({ ttft_ms }) => ttft_ms],
  ["request_bytes", ({ request_bytes }) => request_bytes],
  ["response_bytes", ({ response_bytes }) => response_bytes],
  ["input_tokens", ({ tokens }) => tokens?.input],
  ["cache_write_5m_tokens", ({ tokens }) => tokens?.cache_write_5m],
  ["cache_write_1h_tokens", ({ tokens }) => tokens?.cache_write_1h],
  ["cache_read_tokens", ({ tokens }) => tokens?.cache_read],
  ["output_tokens", ({ tokens }) => tokens?.output],
  ["thinking_tokens", ({ tokens }) => tokens?.thinking],
  ["stop_reason", ({ stop_reason }) => stop_reason],
  ["cost_usd", ({ cost_usd }) => cost_usd],
  ["cache_saved_usd", ({ cache_saved_usd }) => cache_saved_usd],
  ["cache_lost_usd", ({ cache_lost_usd }) => cache_lost_usd],
  ["overtaken_cost_usd", ({ overtaken_cost_usd }) => overtaken_cost_usd],
  ["error", ({ error }) => error],
];

/** All requests that match, as one file. */
export async function exported(
  backend: Backend,
  filter: RequestFilter,
  format: ExportFormat,
): Promise<Blob> {
  const parts: string[] = format === "csv" ? [csv(COLUMNS.map(([name]) => name))] : [];
  let before: number | null = null;
  do {
    const page = await backend.requests(filter, { before, after: null, limit: 1_000 });
    parts.push(...page.requests.map((record) => line(record, format)));
    before = page.next;
  } while (before !== null);
  return new Blob(parts, { type: format === "csv" ? "text/csv" : "application/x-ndjson" });
}

function line(record: RequestRecord, format: ExportFormat): string {
  if (format === "jsonl") return `${JSON.stringify(record)}\n`;
  return csv(COLUMNS.map(([, field]) => field(record)));
}

/** Text that looks like a formula is quoted, because a spreadsheet would run it. */
function csv(values: readonly unknown[]): string {
  const cells = values.map((value) => {
    if (typeof value !== "string") return String(value ?? "");
    const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  });
  return `${cells.join(",")}\r\n`;
}
