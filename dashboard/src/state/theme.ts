// Light or dark: the setting of the system, or the user's choice.

import { computed, effect, signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";

const NAME = "scheduler-theme";
const stored = localStorage.getItem(NAME);
export const theme = signal<Theme>(stored === "light" || stored === "dark" ? stored : "system");

const ofSystem = matchMedia("(prefers-color-scheme: dark)");
const isSystemDark = signal(ofSystem.matches);
ofSystem.addEventListener("change", () => {
  isSystemDark.value = ofSystem.matches;
});

/** Whether the page is dark now. */
export const isDark = computed(() => (theme.value === "system" ? isSystemDark.value : theme.value === "dark"));

effect(() => {
  document.documentElement.dataset["theme"] = theme.value;
  if (theme.value === "system") localStorage.removeItem(NAME);
  else localStorage.setItem(NAME, theme.value);
});

/** Switches to the next of the three themes. */
export function nextTheme(): void {
  theme.value = theme.value === "system" ? "light" : theme.value === "light" ? "dark" : "system";
}
