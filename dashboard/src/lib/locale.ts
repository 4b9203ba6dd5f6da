// Makes the language of the browser one that Intl accepts. This is the first module of the page, because uPlot formats numbers in
// `navigator.language` as soon as it is loaded.

/** The language of dates and numbers. The dashboard is in English and shows dates as `2026-11-30`, whatever the browser's language is. */
export const LOCALE = "en-GB";

/** Returns whether Intl accepts a language. A system with the locale C or POSIX has browsers with the language `en-US@posix`. */
function isLanguage(tag: unknown): boolean {
  try {
    return typeof tag === "string" && Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}

if (!isLanguage(navigator.language)) Object.defineProperty(navigator, "language", { value: LOCALE, configurable: true });
