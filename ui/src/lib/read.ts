// Data that a view reads from the engine: being read, there, or failed.

import type { ControlError } from "./generated/control";

export type Read<Found> = { is: "reading" } | ({ is: "there" } & Found) | { is: "failed"; error: ControlError };
