// Keys that work on every page while no field has the focus.

import { PAGES } from "../pages/pages";
import { openPalette } from "../components/palette";
import { onRowKey } from "../components/row-keys";
import { go } from "./router";
import { isSignedIn } from "./session";

let isAfterG = false;

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(input|textarea|select)$/i.test(target.tagName)) && !(target instanceof HTMLInputElement && target.type === "checkbox");
}

function onKeyDown(event: KeyboardEvent): void {
  if (!isSignedIn.value) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openPalette();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const wasAfterG = isAfterG;
  isAfterG = event.key === "g" && !wasAfterG;
  const page = PAGES.find(({ shortcut }) => shortcut === event.key);
  if (wasAfterG && page?.isOffered.value) {
    event.preventDefault();
    go(page.path);
  } else if (event.key === "c" && PAGES.find(({ path }) => path === "/create")?.isOffered.value) {
    event.preventDefault();
    go("/create");
  } else if (event.key === "/") {
    event.preventDefault();
    document.querySelector<HTMLElement>("main [type=search]")?.focus();
  } else if (event.key === "?") {
    go("/help");
  } else if (!wasAfterG) {
    onRowKey(event);
  }
}

document.addEventListener("keydown", onKeyDown);
