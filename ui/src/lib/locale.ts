// In the locale `C`, a web view reports "C" as the language. That is not a valid language tag, so every `Intl`
// formatter made from it throws; uPlot makes one while it loads.

/** Sets the language to English if it is not valid. */
export function mendLanguage(of: Navigator) {
  try {
    Intl.getCanonicalLocales(of.language);
  } catch {
    Object.defineProperty(of, "language", { value: "en", configurable: true });
  }
}
