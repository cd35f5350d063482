// Whatever was thrown, as an error of the contract.

import type { ControlError, ErrorCode } from "./generated/control";

/** `thrown` itself if the engine made it, else an error of this code in its words. */
export function failure(thrown: unknown, code: ErrorCode): ControlError {
  if (isControlError(thrown)) return thrown;
  return { code, message: thrown instanceof Error ? thrown.message : String(thrown) };
}

function isControlError(value: unknown): value is ControlError {
  return typeof value === "object" && value !== null && "code" in value && "message" in value;
}
