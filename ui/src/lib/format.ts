// Numbers, money and times in the style of a language.

import type { Language } from "./messages";

const LOCALES: Record<Language, string> = { en: "en-GB", zh: "zh-CN" };

/** Formatters are cached: making one costs more than using it a thousand times. */
const made = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>();

function numbers(language: Language, options: Intl.NumberFormatOptions = {}): Intl.NumberFormat {
  const key = `number ${language} ${JSON.stringify(options)}`;
  const found = made.get(key) ?? new Intl.NumberFormat(LOCALES[language], options);
  made.set(key, found);
  return found as Intl.NumberFormat;
}

function dates(language: Language, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `date ${language} ${JSON.stringify(options)}`;
  const found = made.get(key) ?? new Intl.DateTimeFormat(LOCALES[language], options);
  made.set(key, found);
  return found as Intl.DateTimeFormat;
}

/** A number with all its digits. */
export function whole(language: Language, value: number): string {
  return numbers(language).format(value);
}

/** A number, shortened from ten thousand on. */
export function compact(language: Language, value: number): string {
  const options = value < 10_000 ? {} : { notation: "compact", maximumSignificantDigits: 3 } as const;
  return numbers(language, options).format(value);
}

/** US dollars; smaller amounts have more digits. */
export function money(language: Language, usd: number): string {
  const isWholeCents = Number.isInteger(Number((usd * 100).toFixed(6)));
  const digits = isWholeCents || Math.abs(usd) >= 1 ? 2 : Math.abs(usd) >= 0.01 ? 3 : 6;
  return numbers(language, {
    style: "currency",
    currency: "USD",
    currencyDisplay: "narrowSymbol",
    minimumFractionDigits: Math.min(digits, 3),
    maximumFractionDigits: digits,
  }).format(usd);
}

/** A fraction from 0 to 1 as a percentage. */
export function percent(language: Language, part: number): string {
  return numbers(language, {
    style: "percent",
    maximumFractionDigits: part > 0 && part < 0.01 ? 1 : 0,
  }).format(part);
}

/** A size in bytes, in its largest unit. */
export function bytes(language: Language, size: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  const power = Math.min(Math.max(Math.floor(Math.log10(Math.max(size, 1)) / 3), 0), 3);
  return numbers(language, {
    style: "unit",
    unit: units[power] ?? "byte",
    unitDisplay: "short",
    maximumFractionDigits: power > 0 ? 1 : 0,
  }).format(size / 1_000 ** power);
}

/** The time of a day, to the second. */
export function time(language: Language, at: number): string {
  return dates(language, { timeStyle: "medium", hourCycle: "h23" }).format(at);
}

/** The time of a day, to the minute. */
export function clock(language: Language, at: number): string {
  return dates(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(at);
}

/** The time of day, with the date unless it is today. */
export function moment(language: Language, at: number, now: number): string {
  const sameDay = new Date(at).toDateString() === new Date(now).toDateString();
  if (sameDay) return time(language, at);
  return dates(language, {
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(at);
}

/** Day and month. */
export function day(language: Language, at: number): string {
  return dates(language, { month: "short", day: "numeric" }).format(at);
}

/** Date and time, with the year. */
export function full(language: Language, at: number): string {
  return dates(language, {
    dateStyle: "medium",
    timeStyle: "medium",
    hourCycle: "h23",
  }).format(at);
}
