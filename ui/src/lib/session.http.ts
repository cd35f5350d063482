// How a browser signs in to the admin API.
//
// `zephyr open` opens this page with a one-time code in the fragment, which is sent to no server. It is taken out of
// the address and exchanged for a session before anything else is asked. A session is a cookie and a key. A browser
// sends the cookie to every port of this machine, so other servers here may see it. The key is in localStorage, which
// is separate for each port and shared by all tabs of this page, so no other server here gets it.

import { ask, posted } from "./http";

/** The name of the key in localStorage. */
const KEY = "zephyr.session";

/** Takes the one-time code of `zephyr open` out of the address. */
export function takeCode(): string | undefined {
  // A link pasted into this page's tab changes only the fragment, which loads nothing.
  addEventListener("hashchange", () => codeIn(location.hash) && location.reload());
  const code = codeIn(location.hash);
  if (code !== undefined) history.replaceState(null, "", "#/");
  return code;
}

function codeIn(fragment: string): string | undefined {
  return /^#code=(.+)$/.exec(fragment)?.[1];
}

/** Exchanges the code for a session. A code that is refused is no failure here: the next request says why. */
export async function signIn(api: URL, code: string): Promise<void> {
  try {
    const { key } = await ask<{ key: string }>(new URL("session", api), posted({ code }));
    localStorage.setItem(KEY, key);
  } catch {
    // There is no session then.
  }
}

export function withKey(init: RequestInit = {}): RequestInit {
  const key = localStorage.getItem(KEY);
  return key === null ? init : { ...init, headers: { ...init.headers, "x-zephyr-page": key } };
}

/** An address with the key in it, for what takes no headers: a stream, and a download. */
export function keyed(path: string, api: URL): URL {
  const url = new URL(path, api);
  const key = localStorage.getItem(KEY);
  if (key !== null) url.searchParams.set("page_key", key);
  return url;
}
