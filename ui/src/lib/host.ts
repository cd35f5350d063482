// The program that shows this page: the desktop program, or a server of the admin API.

import type { Backend } from "./backend";
import { httpBackend } from "./backend.http";
import { isTauri, tauriBackend } from "./backend.tauri";
import { takeCode } from "./session.http";

/** The backend that talks to this program. */
export function hostBackend(): Backend {
  if (isTauri()) return tauriBackend();
  return httpBackend(new URL("api/v1/", document.baseURI), takeCode());
}
