// Initial values for the form of an endpoint.

import type { AuthType, EndpointForm } from "./generated/control";

export const AUTH_TYPES: readonly AuthType[] = ["auth_token", "api_key", "passthrough"];

/** A new endpoint, with the defaults of the configuration. */
export function blank(group: string): EndpointForm {
  return {
    name: "",
    group,
    url: "",
    flag: null,
    enabled: true,
    priority: 1,
    weight: 1,
    price: 1,
    path_prefix: null,
    auth_type: null,
    token: { kind: "none" },
    proxy: null,
  };
}

/** A name for the endpoint at this address: the telling part of its host name. */
export function nameOf(url: string): string {
  const host = /^(?:[a-z]+:\/\/)?([^/:?#@\s]+)/i.exec(url.trim())?.[1] ?? "";
  if (/^[\d.]+$/.test(host)) return host;
  const labels = host.split(".").filter((label) => !/^(www|api)$/i.test(label));
  const label = labels.length > 1 ? labels[labels.length - 2] : labels[0];
  const told = labels.length > 2 ? labels[0] : label;
  return told ? told.charAt(0).toUpperCase() + told.slice(1) : "";
}

/** The name under which the keychain keeps an endpoint's token. */
export function referenceOf(name: string): string {
  const plain = name.trim().toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-");
  return plain.replace(/^-+|-+$/g, "") || "endpoint";
}
