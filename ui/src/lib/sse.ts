// A recorded body in readable form: a stream's text joined, or JSON indented.

/** A server-sent event. */
export interface ServerEvent {
  name: string;
  data: string;
}

/** A part of a message, as the model wrote it. */
export interface Part {
  kind: "text" | "thinking" | "tool";
  /** The name of a tool; empty for other parts. */
  name: string;
  text: string;
}

export type Readable =
  | { is: "stream"; events: ServerEvent[]; parts: Part[] }
  | { is: "message"; parts: Part[]; json: string }
  | { is: "json"; json: string }
  | { is: "text" };

/** The readable form of a body. */
export function readable(body: string): Readable {
  const json = parsed(body);
  if (json !== undefined) {
    const laidOut = JSON.stringify(json, null, 2);
    const parts = partsOf(json);
    return parts.length > 0 ? { is: "message", parts, json: laidOut } : { is: "json", json: laidOut };
  }
  const events = eventsOf(body);
  return events.length > 0 ? { is: "stream", events, parts: joined(events) } : { is: "text" };
}

/** The events of a stream. The last one may be incomplete. */
export function eventsOf(body: string): ServerEvent[] {
  return body
    .split(/\r\n\r\n|\n\n|\r\r/)
    .map((block) => {
      let name = "";
      const data: string[] = [];
      for (const line of block.split(/\r\n|\n|\r/)) {
        if (line.startsWith("event:")) name = line.slice(6).trim();
        if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
      }
      return { name, data: data.join("\n") };
    })
    .filter(({ name, data }) => name !== "" || data !== "");
}

function joined(events: readonly ServerEvent[]): Part[] {
  const parts = new Map<unknown, Part>();
  for (const { data } of events) {
    const event = parsed(data);
    if (!isRecord(event)) continue;
    const { content_block: block, delta, index } = event;
    if (isRecord(block)) {
      const part = partOf(block);
      if (part) parts.set(index, part);
    }
    const part = parts.get(index);
    if (part && isRecord(delta)) part.text += text(delta, "text", "thinking", "partial_json");
  }
  return [...parts.values()].filter((part) => part.text !== "" || part.kind === "tool");
}

/** The parts of a message that was not streamed. */
function partsOf(message: unknown): Part[] {
  if (!isRecord(message) || !Array.isArray(message["content"])) return [];
  return message["content"].flatMap((block: unknown) => (isRecord(block) ? (partOf(block) ?? []) : []));
}

function partOf(block: Readonly<Record<string, unknown>>): Part | undefined {
  switch (block["type"]) {
    case "text":
      return { kind: "text", name: "", text: text(block, "text") };
    case "thinking":
      return { kind: "thinking", name: "", text: text(block, "thinking") };
    case "tool_use":
    case "server_tool_use": {
      const input = block["input"];
      const said = isRecord(input) && Object.keys(input).length > 0 ? JSON.stringify(input) : "";
      return { kind: "tool", name: text(block, "name"), text: said };
    }
    default:
      return undefined;
  }
}

function text(fields: Readonly<Record<string, unknown>>, ...names: string[]): string {
  const found = names.map((name) => fields[name]).find((value) => typeof value === "string");
  return found ?? "";
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
