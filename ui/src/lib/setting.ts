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
