// JSON requests to the admin API. They fail with a `ControlError`.

import { failure } from "./failure";
import type { ControlError } from "./generated/control";

export async function ask<Answer>(url: URL, init?: RequestInit): Promise<Answer> {
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

export function posted(body: unknown): RequestInit {
  return {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
}

/** Fields as a query; those that are `null`, `false` or empty are left out. */
export function query(fields: Readonly<Record<string, string | number | boolean | null>>): string {
  const said = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== null && value !== false && value !== "") said.set(name, String(value));
  }
  return said.size > 0 ? `?${said}` : "";
}
