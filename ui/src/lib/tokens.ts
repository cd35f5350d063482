// Sums of tokens.

import type { Tokens } from "./generated/control";

/** All tokens that went in, from the cache or not. */
export function input(tokens: Tokens): number {
  return tokens.input + tokens.cache_write_5m + tokens.cache_write_1h + tokens.cache_read;
}
