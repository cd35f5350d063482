// The icon of the page's tab, which shows the overall status by shape and colour.

import degraded from "../../../icons/source/app-degraded.svg?url";
import idle from "../../../icons/source/app-idle.svg?url";
import out from "../../../icons/source/app-out.svg?url";
import paused from "../../../icons/source/app-paused.svg?url";
import well from "../../../icons/source/app.svg?url";
import type { Overall } from "./generated/control";

const ICONS: Record<Overall, string> = {
  well,
  degraded,
  out,
  paused,
  offline: out,
  starting: idle,
  disconnected: idle,
};

/** Shows the icon of this status. */
export function showIcon(overall: Overall) {
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  if (!link || link.dataset["overall"] === overall) return;
  link.dataset["overall"] = overall;
  link.href = ICONS[overall];
}
