// Codes in words, from the catalogues that Rust uses too and by the same rules.
//
// A template has the parameters of its code in braces. A nested value with a code of its own is put into words first.
// A code without a message is shown as it is: a newer engine may have codes that this page does not know.

import en from "../../../crates/control/messages/en.json";
import zh from "../../../crates/control/messages/zh.json";
import type {
  Danger,
  Decision,
  Effect,
  EndpointState,
  Event,
  Ground,
  Headline,
  LanguageChoice,
  Overall,
  Reason,
  Subject,
} from "./generated/control";

export type Language = "en" | "zh";

type Key = keyof typeof en;
type Code<Kind extends string> = Key extends infer K
  ? K extends `${Kind}.${infer Name}`
    ? Name
    : never
  : never;

/** The interface's own phrases. */
export type Phrase = Code<"ui">;

/** Phrases that all front-ends share, such as durations and strategies. */
export type Status = { status: Code<"status">; [parameter: string]: unknown };

export type Coded = Reason | Event | EndpointState | Overall | Headline | Status | Subject | Ground | Effect | Danger;

export type Parameters = Readonly<Record<string, unknown>>;

const catalogues: Record<Language, Readonly<Record<string, string>>> = { en, zh };

/** A reason, an event, a state or a status phrase in words. */
export function text(language: Language, coded: Coded): string {
  return words(language, coded);
}

/** The same with a capital letter, unless a name comes first. */
export function sentence(language: Language, coded: Coded): string {
  const said = text(language, coded);
  const code = templateOf(language, coded);
  return code?.startsWith("{") ? said : said.charAt(0).toUpperCase() + said.slice(1);
}

/** A sentence of the engine with a capital letter, unless a name, such as a key, comes first. */
export function beginning(sentence: string): string {
  const isWord = /^[a-z]+\b(?![.:_-])/.test(sentence);
  return isWord ? sentence.charAt(0).toUpperCase() + sentence.slice(1) : sentence;
}

/** One of the interface's own phrases. */
export function phrase(language: Language, code: Phrase, parameters: Parameters = {}): string {
  return fill(language, "ui", code, parameters);
}

/** The phrase `ui.KIND_VALUE`; without one, the value. */
export function named(language: Language, kind: string, value: string): string {
  return catalogues[language][`ui.${kind}_${value}`] ?? value;
}

/** The phrase `ui.option_KEY_WORD`, where `failover.hedge` counts as `hedge`; without one, `ui.option_WORD`. */
export function option(language: Language, key: string, word: string): string {
  const name = key.slice(key.lastIndexOf(".") + 1);
  return catalogues[language][`ui.option_${name}_${word}`] ?? named(language, "option", word);
}

/** The meaning of a key of the configuration; without a message, the key. */
export function meaning(language: Language, key: string): string {
  return catalogues[language][`settings.${key}`] ?? key;
}

/** The language that a choice of `ui.language` selects. */
export function resolve(choice: LanguageChoice, system: string): Language {
  if (choice !== "auto") return choice;
  return system.toLowerCase().startsWith("zh") ? "zh" : "en";
}

const TAGS = [
  ["code", "reason"],
  ["event", "event"],
  ["status", "status"],
  ["headline", "headline"],
  ["subject", "subject"],
  ["ground", "ground"],
  ["effect", "effect"],
  ["goes", "goes"],
  ["source", "source"],
  ["danger", "danger"],
] as const;

function words(language: Language, value: unknown): string {
  if (typeof value === "string") return fill(language, "state", value, {});
  if (!isRecord(value)) return JSON.stringify(value);
  const found = codeOf(value);
  return found ? fill(language, found.kind, found.code, value) : "";
}

function fill(language: Language, kind: string, code: string, fields: Parameters): string {
  const template = catalogues[language][`${kind}.${code}`];
  if (template === undefined) return code;
  return template.replace(/\{([^}]*)\}?/g, (_, name: string) => parameter(language, name, fields));
}

function parameter(language: Language, name: string, fields: Parameters): string {
  const value = fields[name];
  if (typeof value === "string") return value;
  if (value === null || value === undefined) return "–";
  if (isDecision(value)) return parameter(language, "why", value);
  return words(language, value);
}

function templateOf(language: Language, coded: Coded): string | undefined {
  if (typeof coded === "string") return catalogues[language][`state.${coded}`];
  const found = codeOf(coded);
  return found && catalogues[language][`${found.kind}.${found.code}`];
}

function codeOf(value: Parameters): { kind: string; code: string } | undefined {
  for (const [tag, kind] of TAGS) {
    const code = value[tag];
    if (typeof code === "string") return { kind, code };
  }
  return undefined;
}

function isDecision(value: unknown): value is Decision & Parameters {
  return isRecord(value) && "why" in value && !("code" in value);
}

function isRecord(value: unknown): value is Parameters {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
