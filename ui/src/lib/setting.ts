// A setting as it is typed.

import type { Setting, SettingValue } from "./generated/control";

/** What holds: the file's, or else the default. */
export function held(setting: Setting): SettingValue {
  return setting.value ?? setting.default;
}

/** A value as it stands in its field; a list has one a line. */
export function written(value: SettingValue): string {
  return Array.isArray(value) ? value.join("\n") : String(value);
}
