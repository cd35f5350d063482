// A web view in the locale `C` calls it the page's language. That is no language tag: whoever makes a
// formatter of it fails, as uPlot does when it is loaded.

/** Has the page be in English where its language is none. */
export function mendLanguage(of: Navigator) {
  try {
    Intl.getCanonicalLocales(of.language);
  } catch {
    Object.defineProperty(of, "language", { value: "en", configurable: true });
  }
}
