import { describe, expect, it } from "vitest";
import { EVERYTHING, href, parse, type Route } from "../src/lib/route";


describe("an address", () => {
  it.each<Route>([
    { view: "overview" },
    { view: "requests", id: undefined, filter: EVERYTHING },
    { view: "requests", id: 17, filter: { ...EVERYTHING, endpoint: "東京 / 1", failed: true, status: 529, since_ms: 1_700_000_000_000, text: "a&b=c?" } },
    { view: "usage", days: 30, by: "model" },
    { view: "endpoints", open: { is: "nothing" } },
    { view: "endpoints", open: { is: "new" } },
    { view: "endpoints", open: { is: "endpoint", name: "a/b?c#d 50%" } },
    { view: "settings", section: undefined },
    { view: "settings", section: "health_check" },
  ])("says where one is: %o", (route) => {
    expect(parse(href(route))).toEqual(route);
  });

  it.each(["", "#", "#/", "#/nowhere", "#code=abc", "#/%"])("that names no place is the overview: %s", (fragment) => {
    expect(parse(fragment)).toEqual({ view: "overview" });
  });

  it("does not take a word for a number", () => {
    const route = parse("#/requests/none?status=bad&since_ms=-1");

    expect(route).toEqual({ view: "requests", id: undefined, filter: EVERYTHING });
  });
});
