// Light or dark: as the system says, or as chosen here.

import { effect, signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";

const NAME = "scheduler-theme";
const stored = localStorage.getItem(NAME);
export const theme = signal<Theme>(stored === "light" || stored === "dark" ? stored : "system");

effect(() => {
  document.documentElement.dataset["theme"] = theme.value;
  if (theme.value === "system") localStorage.removeItem(NAME);
  else localStorage.setItem(NAME, theme.value);
});

/** Goes on to the next of the three. */
export function nextTheme(): void {
  theme.value = theme.value === "system" ? "light" : theme.value === "light" ? "dark" : "system";
}
