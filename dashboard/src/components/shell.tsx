// The parts around every page: navigation, namespace, the cost of updates, and notes.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { isReachable, request } from "../api/client";
import { PAGES } from "../pages/pages";
import { path } from "../state/router";
import { mayWrite, namespace } from "../state/session";
import { signOut } from "../state/signin";
import { dismiss, notices } from "../state/notices";
import { nextTheme, theme } from "../state/theme";
import { PALETTE_KEYS } from "../lib/platform";
import { HERE } from "../lib/time";
import { Button, Link, LinkButton } from "./basics";
import { Icon } from "./icons";
import { LiveNote } from "./live-note";
import { NamespaceChoice } from "./namespace-choice";
import { openPalette } from "./palette";

const RETRY_MS = 2_000;

/** Says that the scheduler does not answer, and checks it until it does. */
function AwayNote() {
  useEffect(() => {
    if (isReachable.value) return undefined;
    const timer = setInterval(() => {
      if (!document.hidden) void request("GET", "/healthz").catch(() => {});
    }, RETRY_MS);
    return () => clearInterval(timer);
  }, [isReachable.value]);
  if (isReachable.value) return null;
  return (
    <div class="away" role="alert">
      The scheduler does not answer. This page shows what it read before. It tries again every {RETRY_MS / 1_000} s.
    </div>
  );
}

function Notices() {
  return (
    <div class="notices" aria-live="polite">
      {notices.value.map(({ id, text, isBad }) => (
        <div key={id} class={isBad ? "notice bad" : "notice"}>
          <span>{text}</span>
          <Button kind="quiet" icon="close" aria-label="Dismiss" onClick={() => dismiss(id)} />
        </div>
      ))}
    </div>
  );
}

export function Shell({ children }: { children: ComponentChildren }) {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => setOpen(false), [path.value]);
  const isHere = (of: string) => path.value === of || (of !== "/" && path.value.startsWith(`${of}/`));
  return (
    <div class="shell">
      <a class="skip" href="#content" onClick={(event) => (event.preventDefault(), document.querySelector<HTMLElement>("#content h1")?.focus())}>
        Skip to the page
      </a>
      <header class="side" data-open={isOpen}>
        <div class="side-head">
          <Link to="/" class="brand">
            <img src="/favicon.svg" alt="" width="20" height="20" />
            Scheduler
          </Link>
          <Button kind="quiet" icon={isOpen ? "close" : "menu"} class="menu-button" aria-label="Menu" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)} />
        </div>
        <div class="side-body">
          <NamespaceChoice />
          <Button class="palette-button" icon="search" onClick={openPalette} aria-keyshortcuts="Control+K Meta+K">
            Go to <kbd>{PALETTE_KEYS}</kbd>
          </Button>
          <nav aria-label="Pages">
            {PAGES.filter((page) => page.isOffered.value && page.path !== "/create").map((page) => (
              <Link key={page.path} to={page.path} aria-current={isHere(page.path) ? "page" : undefined}>
                <Icon name={page.icon} />
                {page.title}
              </Link>
            ))}
          </nav>
          {mayWrite.value && (
            <LinkButton to="/create" kind="main" icon="create">
              Create a task
            </LinkButton>
          )}
          <div class="side-foot">
            <LiveNote />
            <p class="muted small">Times in {HERE}</p>
            <div class="row">
              <Button kind="quiet" icon="light" onClick={nextTheme} aria-label={`Theme: ${theme.value}`}>
                {theme.value}
              </Button>
              <Button kind="quiet" icon="out" onClick={signOut}>
                Sign out
              </Button>
            </div>
          </div>
        </div>
      </header>
      <main id="content" key={namespace.value}>
        <AwayNote />
        {children}
      </main>
      <Notices />
    </div>
  );
}
