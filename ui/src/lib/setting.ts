// Values of settings.

import type { Setting, SettingValue } from "./generated/control";

/** The value in the file, or else the default. */
export function held(setting: Setting): SettingValue {
  return setting.value ?? setting.default;
}

/** A value as text for its field; a list has one item per line. */
export function written(value: SettingValue): string {
  return Array.isArray(value) ? value.join("\n") : String(value);
}

/** The value that the text of its field means. Text that is no number stays text, for the engine to refuse. */
export function meant({ kind }: Setting, text: string): SettingValue {
  switch (kind.kind) {
    case "choice_or_number":
      return kind.options.includes(text) ? text : number(text);
    case "number":
      return number(text);
    case "list":
      return text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
    case "switch":
      return text === "true";
    case "text":
    case "choice":
      return text;
  }
}

function number(text: string): number | string {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : text;
}

/** The number that a field begins with where a word was before, by key. */
const FIRST_NUMBERS: Readonly<Record<string, number>> = { "failover.max_attempts": 3, "failover.hedge": 10 };

export function firstNumber(key: string, min: number): number {
  return FIRST_NUMBERS[key] ?? min;
}
