// Anything thrown as a `ControlError`.

import type { ControlError, ErrorCode } from "./generated/control";

/** `thrown` itself if it is one, or else one with this code and the message of `thrown`. */
export function failure(thrown: unknown, code: ErrorCode): ControlError {
  if (isControlError(thrown)) return thrown;
  return { code, message: thrown instanceof Error ? thrown.message : String(thrown) };
}

function isControlError(value: unknown): value is ControlError {
  return typeof value === "object" && value !== null && "code" in value && "message" in value;
}
